//! Forms of commands: as they stand in the journal, and how they are answered.

use linli_domain::command::{CommandError, Inbound, State};
use linli_domain::{Record, Timestamp, Value};
use linli_store::JournaledCommand;

use crate::answer::{Answer, Reply};
use linli_golden::{every, sent, stored};

/// When it all happens: 2026-11-23T10:00:00.123Z.
const NOW: Timestamp = Timestamp(1_795_428_000_123);

#[test]
fn commands_in_the_journal() {
    let whole = JournaledCommand {
        id: "mode-17-0-0".to_owned(),
        device: "reading-mode".to_owned(),
        point: "entry".to_owned(),
        value: Value::Integer(1),
        expires: NOW,
        at: NOW,
        response_topic: Some("a/b".to_owned()),
        correlation: Some(vec![0, 255]),
    };
    let least = JournaledCommand { response_topic: None, correlation: None, ..whole.clone() };
    stored("commands/journaled", &[whole, least]);
}

#[test]
fn answers() {
    let why = || "read back 0, not 1".to_owned();
    let states = [
        State::Accepted,
        State::Sent,
        State::Done,
        State::Failed { reason: why() },
        State::Unknown { reason: why() },
    ];
    every!(states; State::Accepted, State::Sent, State::Done, State::Failed { .. }, State::Unknown { .. });
    let inbound = Inbound {
        device: "fan-1".to_owned(),
        payload: br#"{"id":"a7","point":"x"}"#.to_vec(),
        retained: true,
        response_topic: Some("a/b".to_owned()),
        correlation: Some(vec![0, 255]),
    };
    let mut answers: Vec<Answer> =
        states.iter().map(|state| Answer::new("a7", "fan-1", state, Some(Value::Bool(true)))).collect();
    answers.push(Answer::refused(&inbound, &CommandError::Retained));
    sent("commands/answer", &answers);
    let told: Vec<_> = answers
        .iter()
        .map(|answer| match answer.record(&Reply::to(&inbound), NOW) {
            Some(Record::Message(message)) => message,
            other => panic!("{other:?}"),
        })
        .collect();
    stored("commands/told", &told);
}
