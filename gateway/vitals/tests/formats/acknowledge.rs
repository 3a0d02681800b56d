//! Acknowledgements of messages.

use linli_domain::Timestamp;
use linli_vitals::hl7::message::Message;
use linli_vitals::hl7::{Code, acknowledge};

const NOW: Timestamp = Timestamp(1_795_397_400_000);

fn answer(message: &str, code: &Code) -> Option<String> {
    let message = Message::parse(message.as_bytes()).unwrap();
    acknowledge(&message, code, "7", NOW).into_iter().next().map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn sender_and_receiver_change_places() {
    let told =
        answer("MSH|^~\\&|CABIN|S1|GW|S2|2026||ORU^R01^ORU_R01|C1-42|P|2.6\r", &Code::Accept(String::new()))
            .unwrap();
    assert_eq!(
        told,
        "MSH|^~\\&|GW|S2|CABIN|S1|20261123013000+0000||ACK^R01^ACK|7|P|2.6||||||UNICODE UTF-8\rMSA|AA|C1-42\r"
    );
}

#[test]
fn reasons_enhanced_mode_and_no_thanks_for_thanks() {
    let told = answer("MSH|^~\\&|||||||ORU^R01|1|P|2.4|||AL|NE\r", &Code::Error("a|b".to_owned())).unwrap();
    assert!(told.ends_with("MSA|CE|1|a\\F\\b\r"), "{told}");
    let told = answer("MSH|^~\\&|||||||ADT^A01|1|P|2.4\r", &Code::Reject("not ORU".to_owned())).unwrap();
    assert!(told.contains("ACK^A01^ACK") && told.ends_with("MSA|AR|1|not ORU\r"), "{told}");
    assert_eq!(answer("MSH|^~\\&|||||||ACK^R01|1|P|2.4\rMSA|AA|9\r", &Code::Accept(String::new())), None);
}

/// The codes of the answers, by MSH-15 and MSH-16.
fn codes(modes: &str, code: &Code) -> Vec<String> {
    let message = Message::parse(format!("MSH|^~\\&|||||||ORU^R01|1|P|2.6|||{modes}\r").as_bytes()).unwrap();
    let answers = acknowledge(&message, code, "7", NOW);
    let part =
        |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().split("MSA|").nth(1).unwrap()[..2].to_owned();
    answers.into_iter().map(part).collect()
}

#[test]
fn the_modes_of_acknowledgement_are_honoured() {
    let (taken, wrong) = (Code::Accept(String::new()), Code::Error("x".to_owned()));
    for (modes, good, bad) in [
        ("|", &["AA"][..], &["AE"][..]),
        ("AL|NE", &["CA"], &["CE"]),
        ("AL|", &["CA"], &["CE"]),
        ("NE|AL", &["AA"], &["AE"]),
        ("|AL", &["AA"], &["AE"]),
        ("AL|AL", &["CA", "AA"], &["CE", "AE"]),
        ("NE|NE", &[], &[]),
        ("ER|NE", &[], &["CE"]),
        ("SU|NE", &["CA"], &[]),
        ("NE|ER", &[], &["AE"]),
        ("NE|SU", &["AA"], &[]),
        ("al|ne", &["CA"], &["CE"]),
    ] {
        assert_eq!(codes(modes, &taken), good, "{modes}");
        assert_eq!(codes(modes, &wrong), bad, "{modes}");
    }
    let later = Code::Reject("not now".to_owned());
    assert_eq!(
        (codes("AL|AL", &later), codes("NE|AL", &later)),
        (vec!["CR".to_owned()], vec!["AR".to_owned()])
    );
}

#[test]
fn what_cannot_be_read_is_answered_as_far_as_its_header_can() {
    let refused = |bytes: &[u8]| {
        let answers = acknowledge(&Message::salvage(bytes), &Code::Reject("no".to_owned()), "7", NOW);
        String::from_utf8(answers[0].clone()).unwrap()
    };
    assert!(refused(b"MSH|^~\\&|A|B|||||ORU^R01|C-\xFF7|P\rPID").ends_with("MSA|AR|C-\u{FFFD}7|no\r"));
    assert!(refused(b"PID|1\r").ends_with("MSA|AR||no\r"));
    assert!(
        refused(&[b"MSH|^~\\&|A|B|||||ORU^R01|C9|P|".as_slice(), &[b'x'; 90_000]].concat())
            .ends_with("MSA|AR|C9|no\r")
    );
}

/// Two messages that ran together: the fields of the second header are echoed, and begin no header in the answer.
#[test]
fn an_answer_to_messages_that_ran_together_is_one_message() {
    let together = b"MSH|^~\\&|||s|t^LNMSH|^~\\&|A|S|GW|ORU^R01|7MSH|^~\\&|P|2.4\rPID|||a\r";
    assert!(Message::parse(together).is_err(), "it is refused");
    let answers = acknowledge(&Message::salvage(together), &Code::Reject("no".to_owned()), "7", NOW);
    assert_eq!(answers.len(), 1);
    let text = String::from_utf8_lossy(&answers[0]);
    let answer = Message::parse(&answers[0]).unwrap_or_else(|why| panic!("{why:?}: {text}"));
    assert!(answer.segment("MSA").is_some(), "{text}");
    assert!(!text[4..].contains("MSH|^"), "{text}");
}
