//! Frames of the minimal lower layer protocol.

use linli_vitals::hl7::mllp::{Framer, LONGEST, START, Step, frame};

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

#[test]
fn an_end_without_its_return_ends_the_message_when_nothing_else_follows() {
    let bare = |text: &str| [b"\x0B", text.as_bytes(), b"\x1C"].concat();
    assert_eq!(messages(&[bare("MSH|a"), frame(b"MSH|b")].concat()), [b"MSH|a", b"MSH|b"]);
    assert_eq!(messages(&[bare("MSH|a"), b"\n".to_vec()].concat()), [b"MSH|a"]);
    let mut framer = Framer::default();
    bare("MSH|c").iter().for_each(|byte| assert_eq!(framer.push(*byte), Step::More));
    assert!(framer.is_ending());
    assert_eq!((framer.end(), framer.end()), (Some(b"MSH|c".to_vec()), None));
}

#[test]
fn the_header_of_a_message_that_is_too_long_is_kept_for_its_answer() {
    let mut framer = Framer::default();
    framer.push(START);
    b"MSH|^~".iter().for_each(|byte| drop(framer.push(*byte)));
    while framer.push(b'x') != Step::TooLong {}
    assert!(framer.head().starts_with(b"MSH|^~x") && framer.head().len() < 4096);
}
