//! The heart rate characteristic.

use linli_vitals::ble::HeartRate;
use linli_vitals::ble::Truncated;

#[test]
fn the_published_payloads() {
    let of = |bytes: &[u8]| HeartRate::decode(bytes).unwrap();
    assert_eq!((of(&[0, 0x55]).rate, of(&[0, 0x55]).contact), (85, None));
    assert_eq!((of(&[4, 0xFF]).rate, of(&[4, 0xFF]).contact), (255, Some(false)));
    let read = of(&[0x1E, 0x55, 0x32, 0, 0x21, 0]);
    assert_eq!((read.rate, read.contact, read.energy), (85, Some(true), Some(50)));
    assert_eq!(read.intervals, [33]);
    let read = of(&[0x1F, 1, 1, 0x32, 1, 1, 0, 2, 1, 0xFF, 0xFF]);
    assert_eq!((read.rate, read.energy), (257, Some(306)));
    assert_eq!(read.intervals, [1, 258, 65535]);
    assert_eq!(HeartRate::decode(&[0x17, 1]), Err(Truncated));
    assert_eq!(HeartRate::decode(&[0x10, 1, 1]), Err(Truncated), "half an interval");
}
