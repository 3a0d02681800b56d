//! Golden files of CAP messages, as they are answered and published.

use super::{Alert, Area, Info, MsgType, Proposal, Reference, Scope, Status};
use crate::Class;
use crate::order::Kind;
use linli_domain::Timestamp;
use linli_golden::{sent, words};

const MESSAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>1_20261124080000_1</identifier><sender>qzx@district.example</sender>
  <sent>2026-11-24T08:00:00+08:00</sent><status>Exercise</status><msgType>Update</msgType><scope>Public</scope>
  <references>a@b,1,2026-11-24T07:00:00+08:00</references>
  <info><category>Health</category><event>核酸采样</event><urgency>Immediate</urgency>
    <severity>Severe</severity><certainty>Observed</certainty></info>
</alert>"#;

#[test]
fn words_of_messages() {
    words!(sent "cap/status", Status: Actual, Exercise, System, Test, Draft);
    words!(sent "cap/msg_type", MsgType: Alert, Update, Cancel, Ack, Error);
    words!(sent "cap/scope", Scope: Public, Restricted, Private);
}

#[test]
fn messages_and_what_they_propose() {
    let reference = Reference {
        sender: "a@b".to_owned(),
        identifier: "1".to_owned(),
        sent: Timestamp(1_795_420_800_000),
    };
    let text = |text: &str| Some(text.to_owned());
    let area = Area {
        description: "星河街道".to_owned(),
        geocodes: vec![("GB/T 2260".to_owned(), "440305".to_owned())],
    };
    let info = Info {
        language: "zh-CN".to_owned(),
        category: vec!["Health".to_owned()],
        event: "核酸采样".to_owned(),
        urgency: "Immediate".to_owned(),
        severity: "Severe".to_owned(),
        certainty: "Observed".to_owned(),
        effective: Some(Timestamp(1)),
        onset: Some(Timestamp(2)),
        expires: Some(Timestamp(3)),
        headline: text("启用采样区"),
        description: text("d"),
        instruction: text("i"),
        parameters: vec![("plan".to_owned(), "reading-room.sampling@3".to_owned())],
        areas: vec![area],
    };
    let whole = Alert {
        identifier: "1_20261124080000_1".to_owned(),
        sender: "qzx@district.example".to_owned(),
        sent: Timestamp(1_795_420_800_000),
        status: Status::Actual,
        msg_type: MsgType::Alert,
        scope: Scope::Restricted,
        note: text("n"),
        references: vec![reference.clone()],
        incidents: text("x"),
        info: vec![info],
    };
    let read = Alert::read(MESSAGE.as_bytes()).expect("a good message");
    let proposed = read.proposes().expect("it proposes something");
    sent("cap/alert", &[whole, read]);
    let proposal = Proposal { kind: Kind::Enter, class: Class::Actual, references: vec![reference] };
    sent("cap/proposal", &[proposed, proposal]);
}
