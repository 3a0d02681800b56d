//! Frames of the minimal lower layer protocol.

use linli_drivers::health::hl7::mllp::{Framer, LONGEST, START, Step, frame};

fn messages(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut framer = Framer::default();
    let steps = bytes.iter().map(|byte| framer.push(*byte));
    steps.filter_map(|step| if let Step::Message(message) = step { Some(message) } else { None }).collect()
}

#[test]
fn messages_come_out_whatever_is_around_them() {
    let bytes = [b"junk".as_slice(), &frame(b"MSH|a"), &frame(b"MSH|b"), b"\r\n", &frame(b"MSH|c")].concat();
    assert_eq!(messages(&bytes), [b"MSH|a", b"MSH|b", b"MSH|c"]);
    let abandoned = [b"\x0BMSH|half".as_slice(), &frame(b"MSH|whole")].concat();
    assert_eq!(messages(&abandoned), [b"MSH|whole"]);
    assert_eq!(messages(&frame(b"a\x1Cb")), [b"a\x1Cb"], "an end without its return is content");
}

#[test]
fn a_message_without_end_takes_bounded_memory() {
    let mut framer = Framer::default();
    framer.push(START);
    let long = (0..=LONGEST).find(|_| framer.push(b'x') == Step::TooLong);
    assert_eq!(long, Some(LONGEST));
    assert_eq!(messages(&frame(b"next")).len(), 1);
}
