//! The characteristics of pulse oximeters.

use linli_domain::vital::Caveat;
use linli_vitals::ble::Truncated;
use linli_vitals::ble::{Continuous, MeasurementStatus, Spot};

#[test]
fn a_spot_check_with_everything() {
    let bytes = [0x0F, 0x61, 0, 0x48, 0, 0xE2, 7, 4, 0x11, 0x0F, 0x33, 0, 0x00, 0x42, 0x20, 0, 0, 0x19, 0xF0];
    let read = Spot::decode(&bytes).unwrap();
    assert_eq!((read.reading.saturation.value, read.reading.pulse.value), (Ok(97.0), Ok(72.0)));
    assert!(read.status.is_usable() && read.sensor.is_usable() && !read.is_clock_unset);
    assert_eq!(read.status.caveats().collect::<Vec<_>>(), [Caveat::FromStorage, Caveat::Questionable]);
    assert_eq!(read.sensor.caveats().collect::<Vec<_>>(), [Caveat::LowPerfusion]);
    assert_eq!(read.amplitude.unwrap().value, Ok(2.5));
    for length in 0..bytes.len() {
        assert_eq!(Spot::decode(&bytes[..length]), Err(Truncated), "{length}");
    }
}

#[test]
fn a_series_and_what_makes_it_unusable() {
    let read = Continuous::decode(&[0x0B, 0x61, 0, 0x48, 0, 0x60, 0, 0x49, 0, 0x62, 0, 0x47, 0, 0, 0x80, 0])
        .unwrap();
    assert_eq!(read.fast.unwrap().saturation.value, Ok(96.0));
    assert_eq!(read.slow.unwrap().pulse.value, Ok(71.0));
    assert!(!read.sensor.is_usable(), "the sensor is unplugged");
    assert!(!MeasurementStatus(1 << 15).is_usable());
    assert!(MeasurementStatus(1 << 8).is_usable());
}
