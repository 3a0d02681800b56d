//! The glucose characteristic.

use linli_vitals::ble::Glucose;
use linli_vitals::ble::Truncated;

#[test]
fn the_published_payload() {
    let bytes = [0x1B, 1, 0, 0xE3, 7, 2, 0x1B, 0x0B, 0x0A, 0x1E, 0xFB, 0xFF, 0x1E, 0, 0x12, 5, 1];
    let read = Glucose::decode(&bytes).unwrap();
    assert_eq!((read.sequence, read.offset_minutes), (1, -5));
    assert_eq!((read.base_time.year, read.base_time.month, read.base_time.day), (2019, 2, 27));
    let (value, unit) = read.concentration.unwrap();
    assert_eq!((value.value, unit), (Ok(30.0), "kg/L"));
    assert_eq!((read.sample, read.location, read.status), (Some(2), Some(1), 0x0105));
    assert!(read.has_context && !read.is_control() && read.is_faulty());
    assert_eq!(read.wall_ms(), Some(1_551_265_530_000));
    for length in 0..bytes.len() {
        assert_eq!(Glucose::decode(&bytes[..length]), Err(Truncated), "{length}");
    }
}
