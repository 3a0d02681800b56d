//! Messages that are read, and everything that only looks like one.

use linli_mode::Class;
use linli_mode::cap::{Alert, Malformed, MsgType, Status};
use linli_mode::order::Kind;
use proptest::prelude::*;

const MESSAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>44030500000001_20261124080000_1</identifier>
  <sender>qzx@district.example</sender>
  <sent>2026-11-24T08:00:00+08:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <scope>Restricted</scope>
  <restriction>neighbourhood centres</restriction>
  <info>
    <language>zh-CN</language>
    <category>Health</category>
    <event>核酸采样</event>
    <urgency>Immediate</urgency>
    <severity>Severe</severity>
    <certainty>Observed</certainty>
    <expires>2026-11-24T20:00:00+08:00</expires>
    <headline>启用采样区 &amp; 指挥室</headline>
    <parameter><valueName>plan</valueName><value>reading-room.sampling@3</value></parameter>
    <area><areaDesc>星河街道</areaDesc><geocode><valueName>GB/T 2260</valueName><value>440305</value></geocode></area>
  </info>
</alert>"#;

fn with(from: &str, to: &str) -> Result<Alert, Malformed> {
    assert!(MESSAGE.contains(from), "{from:?} is not in the message");
    Alert::read(MESSAGE.replace(from, to).as_bytes())
}

fn refused(message: &[u8], said: &str) {
    let told = Alert::read(message).expect_err(said).to_string();
    assert!(told.contains(said), "expected {said:?} in {told:?}");
}

#[test]
fn a_message_is_read_and_proposes() {
    let alert = Alert::read(MESSAGE.as_bytes()).expect("a good message");
    assert_eq!((alert.status, alert.msg_type), (Status::Actual, MsgType::Alert));
    assert_eq!(alert.info[0].headline.as_deref(), Some("启用采样区 & 指挥室"));
    assert_eq!(alert.info[0].parameters[0].1, "reading-room.sampling@3");
    assert_eq!(alert.info[0].areas[0].geocodes[0].1, "440305");
    let proposal = alert.proposes().expect("it proposes something");
    assert_eq!((proposal.kind, proposal.class), (Kind::Enter, Class::Actual));
}

#[test]
fn the_national_form_of_times_is_read_too() {
    let alert = with("2026-11-24T08:00:00+08:00", "2026-11-24 08:00:00+08:00").expect("GB/T 35965");
    assert_eq!(Ok(alert.sent), Alert::read(MESSAGE.as_bytes()).map(|alert| alert.sent));
    let update = MESSAGE.replace("<msgType>Alert", "<msgType>Update").replace(
        "<info>",
        "<references>a@b,1,2026-11-24 07:00:00+08:00 a@b,2,2026-11-24T07:30:00+08:00</references><info>",
    );
    let update = Alert::read(update.as_bytes()).expect("an update");
    let names: Vec<&str> = update.references.iter().map(|earlier| earlier.identifier.as_str()).collect();
    assert_eq!(names, ["1", "2"]);
    assert_eq!(update.proposes().map(|proposal| proposal.kind), Some(Kind::Amend));
}

#[test]
fn a_drill_stays_a_drill_and_a_test_is_nothing() {
    let class = |status: &str| {
        with("<status>Actual", &format!("<status>{status}"))
            .expect(status)
            .proposes()
            .map(|found| found.class)
    };
    assert_eq!(class("Exercise"), Some(Class::Exercise));
    for nothing in ["Test", "Draft", "System"] {
        assert_eq!(class(nothing), None, "{nothing}");
    }
    assert!(with("<status>Actual", "<status>ACTUAL").is_err());
}

#[test]
fn bombs_and_strangers_are_refused() {
    let laughs = r#"<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>&lol2;</identifier></alert>"#;
    refused(laughs.as_bytes(), "document type");
    let outside = MESSAGE.replace("核酸采样", "&outside;");
    refused(outside.as_bytes(), "&outside; is not known");
    refused(&vec![b'<'; 1 << 20], "too long");
    refused("<a>".repeat(1000).as_bytes(), "namespace");
    let deep = format!("<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">{}", "<info>".repeat(40));
    refused(deep.as_bytes(), "deeper than 16");
    let many = format!("<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">{}", "<x/>".repeat(20_000));
    refused(many.as_bytes(), "more than 10000");
    refused(MESSAGE.replace("cap:1.2", "cap:1.1").as_bytes(), "namespace");
    refused(&MESSAGE.as_bytes()[..MESSAGE.len() - 8], "");
    refused(format!("{MESSAGE}<alert/>").as_bytes(), "");
    refused(b"\xff\xfe<\0a\0>\0", "UTF-8");
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let cases = [
        ("<sent>2026-11-24T08:00:00+08:00", "<sent>2026-11-24T00:00:00Z", "<sent>"),
        ("<identifier>44030500000001_20261124080000_1</identifier>", "", "<identifier> is missing"),
        ("<sender>qzx@district.example", "<sender>qzx, district", "<sender>"),
        ("<scope>Restricted", "<scope>Everywhere", "<scope>"),
        ("<msgType>Alert", "<msgType>Cancel", "<references>"),
        ("<urgency>Immediate", "<urgency>now", "<urgency>"),
        ("<category>Health</category>", "", "<category>"),
        ("<status>Actual</status>", "<status>Actual</status><status>Test</status>", "stands twice"),
    ];
    for (from, to, said) in cases {
        let told = with(from, to).expect_err(said).to_string();
        assert!(told.contains(said), "expected {said:?} in {told:?}");
    }
}

#[test]
fn signatures_and_other_namespaces_are_passed_over() {
    let signed = MESSAGE.replace(
        "</alert>",
        "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><status>Test</status></Signature></alert>",
    );
    assert_eq!(Alert::read(signed.as_bytes()), Alert::read(MESSAGE.as_bytes()));
    let prefixed =
        MESSAGE.replace("<alert xmlns=", "<cap:alert xmlns:cap=").replace("</alert>", "</cap:alert>");
    assert!(Alert::read(prefixed.as_bytes()).is_err(), "children without the namespace are none of its");
}

proptest! {
    #[test]
    fn no_change_makes_it_panic(at in 0_usize..2000, byte: u8) {
        let mut message = MESSAGE.as_bytes().to_vec();
        let at = at % message.len();
        message[at] = byte;
        let _ = Alert::read(&message);
    }
}
