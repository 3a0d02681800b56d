//! What is in a frame: no panic, an answer for each message, and no value that is none or that no living person has.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linli_domain::vital::sift;
use linli_domain::{ClockQuality, Stamp, Timestamp};
use linli_vitals::Zone;
use linli_vitals::hl7::{Answer, Code, Found, Message, Query, acknowledge, batch, results};

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
        if let Some(query) = Query::of(&message) {
            let patient = Found { visit: "v-1".to_owned(), name: "张|^三".to_owned(), ..Found::default() };
            let why = query.asked.clone().err().unwrap_or_default();
            for answer in
                [Answer::Found(patient), Answer::Nobody, Answer::Wrong(why), Answer::Refused(String::new())]
            {
                for answer in query.answer(&message, &answer, "1", NOW.at) {
                    assert!(Message::parse(&answer).is_ok(), "our own answers are messages");
                    assert!(
                        !answer.iter().any(|byte| matches!(byte, 0x0b | 0x1c)),
                        "nothing in it ends a frame"
                    );
                }
            }
        }
        let Ok(found) = results(&message, NOW, &Zone::East(480)) else { continue };
        for mut measurement in found.measurements {
            assert!(
                measurement
                    .readings
                    .iter()
                    .all(|reading| reading.value.is_err() || reading.value.is_ok_and(f64::is_finite))
            );
            sift(&mut measurement);
            assert_eq!(sift(&mut measurement), [], "what is left is possible");
            assert!(measurement.taken.device.is_none_or(|device| device.0 >= 946_684_800_000));
        }
    }
});
