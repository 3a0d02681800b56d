//! The temperature characteristic.

use linli_domain::vital::Site;
use linli_vitals::ble::Temperature;
use linli_vitals::ble::Truncated;

#[test]
fn the_published_payload_and_its_truncation() {
    let bytes = [0x06, 0xB0, 0x0E, 0, 0xFE, 0xDC, 7, 0x0C, 5, 0x0B, 0x32, 0x1B, 4];
    let read = Temperature::decode(&bytes).unwrap();
    assert_eq!((read.unit, read.value.value, read.site), ("Cel", Ok(37.6), Some(Site::Finger)));
    let time = read.time.unwrap();
    assert_eq!((time.year, time.month, time.day, time.second), (2012, 12, 5, 27));
    assert_eq!(Temperature::decode(&bytes[..12]), Err(Truncated));
}
