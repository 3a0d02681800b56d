//! Payloads of Bluetooth health profiles: the first byte chooses the characteristic. What a shorter payload says, a longer
//! one with the same beginning says too, or the shorter one is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linli_domain::vital::{Measurement, Patient, Taken, sift};
use linli_domain::{ClockQuality, Timestamp};
use linli_drivers::health::bluetooth::profiles::{PROFILES, hear};
use linli_drivers::health::models::Decoded;

fuzz_target!(|bytes: &[u8]| {
    let Some((chosen, payload)) = bytes.split_first() else { return };
    let all: Vec<u16> = PROFILES.iter().flat_map(|profile| profile.characteristics).copied().collect();
    let characteristic = all[usize::from(*chosen) % all.len()];
    match hear(characteristic, payload) {
        Ok(Some(Decoded::Moment(Some((saturation, _))) | Decoded::Doubted((saturation, _)))) => {
            assert!((1..=100).contains(&saturation));
        }
        Ok(Some(Decoded::Values(values))) => {
            assert!(values.iter().all(|(_, value)| value.is_none_or(|value| (1.0..=300.0).contains(&value))));
        }
        Ok(Some(Decoded::Measured { readings, user, .. })) => {
            let taken = Taken { at: Timestamp(0), clock: ClockQuality::Synchronised, device: None };
            let mut measurement = Measurement {
                taken,
                readings,
                key: None,
                key_reused: false,
                sent: None,
                amends: Vec::new(),
                attachments: Vec::new(),
                attached: Vec::new(),
                user,
                patient: Patient::default(),
            };
            sift(&mut measurement);
            assert_eq!(sift(&mut measurement), []);
        }
        _ => {}
    }
    assert!(hear(characteristic, &[]).is_err(), "nothing says nothing");
});
