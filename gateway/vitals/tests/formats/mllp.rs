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

/// What comes of a stream, without the bytes that bring nothing.
fn steps(bytes: &[u8]) -> Vec<Step> {
    let mut framer = Framer::default();
    bytes.iter().map(|byte| framer.push(*byte)).filter(|step| *step != Step::More).collect()
}

#[test]
fn a_message_without_its_start_byte_is_taken_and_one_without_its_beginning_is_answered() {
    let whole = Step::Message(b"MSH|a".to_vec());
    assert_eq!(steps(b"MSH|a\x1C\r"), std::slice::from_ref(&whole));
    assert_eq!(steps(b"\r\njunkMSH|a\x1C\r"), std::slice::from_ref(&whole));
    assert_eq!(steps(b"SH|a|b\x1C\r\x0BMSH|a\x1C\r"), [Step::Headless, whole.clone()]);
    assert_eq!(steps(b"\x0BMSH|a\x1C\r\x1C\r\n"), [whole], "an end too many is no message");
    let mut long = vec![START];
    long.extend(vec![b'x'; LONGEST + 9]);
    long.extend(b"MSH|b\x1C\r");
    assert_eq!(steps(&long), [Step::TooLong], "the rest of it is no message of its own");
}

#[test]
fn a_message_that_is_not_ended_is_counted() {
    let mut framer = Framer::default();
    let mut after = |bytes: &[u8]| {
        bytes.iter().for_each(|byte| drop(framer.push(*byte)));
        (framer.abandoned(), framer.is_within())
    };
    assert_eq!(after(b"\x0B\x0BMSH|a"), (0, true));
    assert_eq!(after(b"\x0BMSH|b\x1C\r"), (1, false));
    assert_eq!(after(b"\x0BMSH|c\x1C\x0B"), (1, false), "it is whole without its return");
}

#[test]
fn a_stream_of_two_messages_cut_at_each_byte_gives_only_whole_messages() {
    let stream = [frame(b"MSH|a\rPID|1\r"), frame(b"MSH|b\rPID|2\r")].concat();
    for from in 0..=stream.len() {
        for to in from..=stream.len() {
            for message in messages(&stream[from..to]) {
                let is_whole = [&b"MSH|a\rPID|1\r"[..], b"MSH|b\rPID|2\r"].contains(&message.as_slice());
                assert!(is_whole, "{from}..{to}: {message:?}");
            }
            // What is repeated costs nothing of what follows.
            let again = [&stream[from..to], &stream].concat();
            assert_eq!(messages(&again)[messages(&again).len() - 2..], messages(&stream)[..], "{from}..{to}");
        }
    }
}
