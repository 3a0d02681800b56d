//! The blood pressure characteristic.

use linli_domain::vital::Caveat;
use linli_vitals::ble::Truncated;
use linli_vitals::ble::{BloodPressure, PulseRange};

const MMHG: [u8; 19] =
    [0x1E, 0x8A, 0, 0x58, 0, 0x78, 0, 0, 0, 4, 0x11, 0x14, 0x29, 0x3B, 0x3C, 0, 1, 0x27, 0];

#[test]
fn the_published_payloads() {
    let read = BloodPressure::decode(&MMHG).unwrap();
    assert_eq!(
        (read.systolic.value, read.diastolic.value, read.mean.value),
        (Ok(138.0), Ok(88.0), Ok(120.0))
    );
    assert_eq!((read.unit, read.pulse.unwrap().value, read.user), ("mm[Hg]", Ok(60.0), Some(1)));
    let time = read.time.unwrap();
    assert_eq!((time.year, time.month, time.day, time.hour), (0, 4, 17, 20));
    use Caveat::{BodyMovement, CuffLoose, ImproperPosition, IrregularPulse};
    assert_eq!(read.caveats, [BodyMovement, CuffLoose, IrregularPulse, ImproperPosition]);

    let bytes = [0x15, 0xBD, 0xF0, 0x0B, 0, 0x9F, 0xF0, 0x3C, 0, 0x12, 0];
    let read = BloodPressure::decode(&bytes).unwrap();
    assert_eq!((read.unit, read.systolic.value, read.diastolic.value), ("kPa", Ok(18.9), Ok(11.0)));
    assert_eq!((read.mean.value, read.pulse_range), (Ok(15.9), PulseRange::Below));
    assert_eq!(read.caveats, [Caveat::CuffLoose, Caveat::PulseOutOfRange]);
}

#[test]
fn what_is_cut_short_is_rejected() {
    for length in 0..MMHG.len() {
        assert_eq!(BloodPressure::decode(&MMHG[..length]), Err(Truncated), "{length}");
    }
}
