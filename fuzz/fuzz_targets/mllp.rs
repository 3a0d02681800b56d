//! Frames of the minimal lower layer protocol: whatever comes in, a message that is framed rightly after it comes out
//! whole, and nothing is longer than is permitted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linli_vitals::hl7::mllp::{Framer, LONGEST, Step, frame};

const MESSAGE: &[u8] = b"MSH|^~\\&|after\r";

fuzz_target!(|bytes: &[u8]| {
    let mut framer = Framer::default();
    for byte in bytes {
        if let Step::Message(message) = framer.push(*byte) {
            assert!(message.len() <= LONGEST);
        }
    }
    let after: Vec<Step> = frame(MESSAGE).into_iter().map(|byte| framer.push(byte)).collect();
    assert_eq!(after.last(), Some(&Step::Message(MESSAGE.to_vec())));
    assert!(!framer.is_within() && !framer.is_ending());
    // In two pieces or in one: the same.
    let steps = |framer: &mut Framer, bytes: &[u8]| -> Vec<Step> {
        bytes.iter().map(|byte| framer.push(*byte)).filter(|step| *step != Step::More).collect()
    };
    let (mut one, mut two) = (Framer::default(), Framer::default());
    let whole = steps(&mut one, bytes);
    let half = bytes.len() / 2;
    let halves = [steps(&mut two, &bytes[..half]), steps(&mut two, &bytes[half..])].concat();
    assert_eq!(whole, halves);
});
