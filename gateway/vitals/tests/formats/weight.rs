//! The weight characteristic.

use linli_vitals::ble::Truncated;
use linli_vitals::ble::Weight;

#[test]
fn both_systems_of_units() {
    let bytes = [0x0E, 0xC8, 0x37, 0xE2, 7, 4, 0x11, 0x0F, 0x33, 0, 2, 0xFD, 0, 0x90, 6];
    let read = Weight::decode(&bytes).unwrap();
    assert_eq!((read.weight, read.height), (Some((71.4, "kg")), Some((1.68, "m"))));
    assert_eq!((read.body_mass_index, read.user), (Some(25.3), Some(2)));
    for length in 0..bytes.len() {
        assert_eq!(Weight::decode(&bytes[..length]), Err(Truncated), "{length}");
    }
    assert_eq!(Weight::decode(&[1, 0x10, 0x27]).unwrap().weight, Some((100.0, "[lb_av]")));
    assert_eq!(Weight::decode(&[0, 0xFF, 0xFF]).unwrap().weight, None);
}
