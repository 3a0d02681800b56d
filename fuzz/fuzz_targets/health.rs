//! Whatever a health-cabin device sends, in whatever pieces: no panic, and no value that is none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linli_domain::vital::{Measurement, Patient, Reading, Taken, check};
use linli_domain::{ClockQuality, Stamp, Timestamp};
use linli_drivers::health::bluetooth::profiles::{PROFILES, hear};
use linli_drivers::health::models::{Decoded, MODELS};
use linli_vitals::Zone;
use linli_vitals::hl7::mllp::{Framer, LONGEST, Step, frame};
use linli_vitals::hl7::{Code, Message, acknowledge, results};

const NOW: Stamp = Stamp { at: Timestamp(1_795_428_000_000), clock: ClockQuality::Synchronised };

fuzz_target!(|bytes: &[u8]| {
    for model in MODELS {
        let mut decoder = (model.decoder)();
        for byte in bytes {
            match decoder.push(*byte) {
                Some(Decoded::Moment(Some((saturation, _)))) => assert!((1..=100).contains(&saturation)),
                Some(Decoded::Measured { readings, .. }) => believable(readings),
                _ => {}
            }
        }
    }
    for characteristic in PROFILES.iter().flat_map(|profile| profile.characteristics) {
        match hear(*characteristic, bytes) {
            Ok(Some(Decoded::Moment(Some((saturation, _))))) => assert!((1..=100).contains(&saturation)),
            Ok(Some(Decoded::Measured { readings, .. })) => believable(readings),
            _ => {}
        }
    }
    let mut framer = Framer::default();
    for byte in frame(bytes).into_iter().chain(bytes.iter().copied()) {
        if let Step::Message(message) = framer.push(byte) {
            assert!(message.len() <= LONGEST);
        }
    }
    if let Ok(message) = Message::parse(bytes) {
        let found = results(&message, NOW, &Zone::East(480)).map(|results| results.measurements);
        for measurement in found.unwrap_or_default() {
            assert!(
                measurement
                    .readings
                    .iter()
                    .all(|reading| reading.value.is_ok_and(f64::is_finite) || reading.value.is_err())
            );
        }
        for answer in acknowledge(&message, &Code::Accept(String::new()), "1", NOW.at) {
            assert!(Message::parse(&answer).is_ok(), "our own answers are messages");
        }
    }
});

/// Whatever is taken is a finite number.
fn believable(readings: Vec<Reading>) {
    let taken = Taken { at: NOW.at, clock: NOW.clock, device: None };
    let mut measurement = Measurement {
        taken,
        readings,
        key: None,
        key_reused: false,
        sent: None,
        amends: Vec::new(),
        attachments: Vec::new(),
        attached: Vec::new(),
        user: None,
        patient: Patient::default(),
    };
    if check(&mut measurement).is_ok() {
        assert!(
            measurement
                .readings
                .iter()
                .all(|reading| reading.value.is_err() || reading.value.is_ok_and(f64::is_finite))
        );
    }
}
