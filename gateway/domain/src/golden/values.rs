//! Forms of the crate's own values: samples, messages, commands, losses, heads of records.

use crate::audit::{Chain, Head};
use crate::command::{Request, State};
use crate::kiosk::{Hours, Matter, Part, Service};
use crate::loss::{Loss, LossReason};
use crate::{
    ClockQuality, DeviceClass, Id, Lane, Layout, Message, PointSpec, Quality, Reason, Timestamp, Topic,
    Value, ValueType,
};
use linli_golden::{every, sent, stored, words};

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

#[test]
fn words_of_values() {
    words!(stored "value/kind", ValueType: Bool, Integer, Float, Text);
    words!(stored "value/class", DeviceClass: Telemetry, Kiosk, Actuator, FoodSafety, Vital);
    words!(stored "value/lane", Lane: Urgent, Data);
    words!(stored "value/clock", ClockQuality: Synchronised, FreeRunning, Unset);
    words!(stored "kiosk/part", Part: Ok, Busy, Warn, UserError, Fault, Absent, Offline);
    words!(stored "kiosk/service", Service: InService, Degraded, OutOfService, Maintenance, Offline);
}

#[test]
fn values_and_their_quality() {
    let values = [
        Value::Bool(true),
        Value::Integer(-7),
        Value::Unsigned(u64::MAX),
        Value::Float(21.5),
        Value::Float(3.0),
        Value::Float(0.1 + 0.2),
        Value::Text("留样柜 1".into()),
    ];
    every!(values; Value::Bool(_), Value::Integer(_), Value::Unsigned(_), Value::Float(_), Value::Text(_));
    stored("value/value", &values);
    stored("value/id", &[id("fridge-1.a_b")]);
    stored("value/timestamp", &[Timestamp(0), Timestamp(-1), Timestamp(1_795_428_000_123)]);
    let reasons = [
        Reason::Silent,
        Reason::Refused,
        Reason::Garbled,
        Reason::LineDown,
        Reason::NoValue,
        Reason::NotANumber,
        Reason::OutOfRange,
        Reason::WrongDevice,
        Reason::Undecodable,
        Reason::Stale,
        Reason::SensorFault,
        Reason::Doubtful,
        Reason::Busy,
        Reason::Retained,
        Reason::NotThere,
    ];
    every!(reasons; Reason::Silent, Reason::Refused, Reason::Garbled, Reason::LineDown, Reason::NoValue,
        Reason::NotANumber, Reason::OutOfRange, Reason::WrongDevice, Reason::Undecodable, Reason::Stale,
        Reason::SensorFault, Reason::Doubtful, Reason::Busy, Reason::Retained, Reason::NotThere);
    let doubted = reasons.into_iter().flat_map(|why| [Quality::Uncertain(why), Quality::Bad(why)]);
    let all: Vec<(u8, String)> = std::iter::once(Quality::Good)
        .chain(doubted)
        .map(|quality| (quality.code(), quality.to_string()))
        .collect();
    stored("value/quality", &all);
    let classes: Vec<(u8, &str)> =
        DeviceClass::ALL.into_iter().map(|class| (class.code(), class.as_str())).collect();
    sent("value/class_code", &classes);
}

#[test]
fn layouts_of_devices() {
    let point = |name: &str, unit: &str, kind, writable| PointSpec {
        name: id(name),
        unit: unit.to_owned(),
        kind,
        writable,
    };
    let layout = Layout {
        device: id("fridge-1"),
        name: "冷藏柜".to_owned(),
        room: Some(id("kitchen")),
        class: DeviceClass::FoodSafety,
        profile: "linli/fridge".to_owned(),
        points: vec![
            point("product_temperature", "Cel", ValueType::Float, false),
            point("light", "1", ValueType::Bool, true),
        ],
    };
    stored("value/layout", &[layout.clone(), Layout { room: None, points: Vec::new(), ..layout }]);
}

#[test]
fn messages_and_their_topics() {
    let topics = [
        Topic::DeviceEvent,
        Topic::Vital { device: id("cuff-1") },
        Topic::AlarmEvent,
        Topic::HaccpEvent,
        Topic::ModeEvent,
        Topic::OrderEvent,
        Topic::LedgerEvent,
        Topic::CommandResult { device: id("fan-1"), response_topic: None, correlation: None },
        Topic::CommandResult {
            device: id("fan-1"),
            response_topic: Some("a/b".to_owned()),
            correlation: Some(vec![0, 255]),
        },
    ];
    every!(topics; Topic::DeviceEvent, Topic::Vital { .. }, Topic::AlarmEvent, Topic::HaccpEvent,
        Topic::ModeEvent, Topic::OrderEvent, Topic::LedgerEvent, Topic::CommandResult { .. });
    stored("message/topic", &topics);
    let suffixes: Vec<String> = topics.iter().map(Topic::suffix).collect();
    stored("message/suffix", &suffixes);
    let body = serde_json::json!({"b": 1, "a": {"d": null, "c": [true]}}).as_object().unwrap().clone();
    let message = Message {
        topic: Topic::ModeEvent,
        class: DeviceClass::Actuator,
        at: Timestamp(1_795_428_000_123),
        body,
    };
    stored("message/message", &[message]);
}

#[test]
fn what_was_lost() {
    words!(stored "loss/reason", LossReason: SizeCap, AgeCap, DiskFull, IntakeFull, Damaged, DeadLetter);
    let whole = Loss {
        reason: LossReason::SizeCap,
        class: Some(DeviceClass::Telemetry),
        of_epoch: "e1".to_owned(),
        range: Some((3, 9)),
        messages: Some(7),
        between: Some((Timestamp(1), Timestamp(2))),
        detail: "linli.db.damaged".to_owned(),
    };
    let least = Loss {
        class: None,
        range: None,
        messages: None,
        between: None,
        detail: String::new(),
        ..whole.clone()
    };
    stored("loss/message", &[whole.message(Timestamp(5)), least.message(Timestamp(6))]);
    stored("loss/loss", &[whole, least]);
}

#[test]
fn commands() {
    let why = "read back 0, not 1";
    let states = [
        State::Accepted,
        State::Sent,
        State::Done,
        State::Failed { reason: why.to_owned() },
        State::Unknown { reason: why.to_owned() },
    ];
    every!(states; State::Accepted, State::Sent, State::Done, State::Failed { .. }, State::Unknown { .. });
    stored("command/state", &states);
    let request = |value| Request {
        id: "mode-17-0".to_owned(),
        point: "output".to_owned(),
        value,
        expires: Timestamp(1_795_428_000_123),
    };
    stored("command/request", &[request(Value::Bool(true)), request(Value::Float(21.5))]);
}

#[test]
fn days_of_kiosks() {
    let hours = Hours { in_service: 1, degraded: 2, out_of_service: 3, maintenance: 4, offline: 5 };
    stored("kiosk/hours", &[hours, Hours::default()]);
    let matter = Matter {
        id: "000".to_owned(),
        name: "社保查询".to_owned(),
        department: "人社".to_owned(),
        needs: vec!["printer".to_owned()],
    };
    sent("kiosk/matter", &[matter]);
}

#[test]
fn heads_of_records() {
    let (mut chain, mut chains, mut heads) = (Chain::default(), Vec::new(), Vec::<Head>::new());
    for line in 0..6 {
        chains.push(chain.clone());
        heads.push(chain.head());
        let (n, prev) = chain.next();
        chain.append(&format!(r#"{{"n":{n},"prev":"{prev}","at":{line}}}"#));
    }
    stored("audit/chain", &chains);
    stored("audit/head", &heads);
}
