//! What is in a frame: no panic, an answer for each message, and no value that is none or that no living person has.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linli_domain::vital::sift;
use linli_domain::{ClockQuality, Stamp, Timestamp};
use linli_vitals::Zone;
use linli_vitals::hl7::{Code, Message, acknowledge, batch, results};

const NOW: Stamp = Stamp { at: Timestamp(1_795_428_000_000), clock: ClockQuality::Synchronised };

fuzz_target!(|bytes: &[u8]| {
    for message in batch::messages(bytes) {
        let Ok(message) = Message::parse(&message) else {
            let refused = Message::salvage(&message);
            let answers = acknowledge(&refused, &Code::Reject("no".to_owned()), "1", NOW.at);
            assert!(answers.iter().all(|answer| Message::parse(answer).is_ok()));
            continue;
        };
        for answer in acknowledge(&message, &Code::Accept(String::new()), "1", NOW.at) {
            assert!(Message::parse(&answer).is_ok(), "our own answers are messages");
        }
        let Ok(found) = results(&message, NOW, &Zone::East(480)) else { continue };
        for mut measurement in found.measurements {
            assert!(measurement.readings.iter().all(|reading| reading.value.is_err() || reading.value.is_ok_and(f64::is_finite)));
            sift(&mut measurement);
            assert_eq!(sift(&mut measurement), [], "what is left is possible");
            assert!(measurement.taken.device.is_none_or(|device| device.0 >= 946_684_800_000));
        }
    }
});
