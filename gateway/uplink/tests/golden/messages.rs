//! One of every kind: what is delivered, and what the broker sends.

use std::sync::Arc;

use bytes::BytesMut;
use data_encoding::HEXLOWER;
use linli_domain::command::Inbound;
use linli_domain::{
    Batch, ClockQuality, DeviceClass, Id, Lane, Layout, Message, PointSpec, Quality, Reason, Record, Sample,
    Timestamp, Topic, Value, ValueType,
};
use linli_uplink::{Birth, InboundOrder, Version};
use serde_json::{Value as Json, json};

use crate::BASE;
use crate::broker::Incoming;

pub const NOW: Timestamp = Timestamp(1_795_428_000_000);

pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

pub fn bytes(hex: &str) -> Vec<u8> {
    HEXLOWER.decode(hex.as_bytes()).unwrap()
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

pub fn birth() -> Birth {
    Birth {
        version: "0.1.0".to_owned(),
        boot: "boot-1".to_owned(),
        mode: "peace".to_owned(),
        record_key: Some("k".to_owned()),
        orders: std::collections::BTreeMap::new(),
        service: Vec::new(),
        order_bytes: None,
        rooms: std::collections::BTreeMap::new(),
        switches: std::collections::BTreeSet::new(),
    }
}

pub fn layouts() -> Vec<Arc<Layout>> {
    let kinds = [
        ("temperature", "Cel", ValueType::Float, false),
        ("run", "", ValueType::Bool, true),
        ("energy", "W.h", ValueType::Integer, false),
        ("state", "", ValueType::Text, true),
    ];
    let point = |(name, unit, kind, writable): (&str, &str, ValueType, bool)| PointSpec {
        name: id(name),
        unit: unit.to_owned(),
        kind,
        writable,
    };
    let layout = |class: DeviceClass| {
        Arc::new(Layout {
            device: id(&format!("{}-1", class.as_str())),
            name: "冰箱 \"1\"".to_owned(),
            room: (class == DeviceClass::FoodSafety).then(|| id("kitchen")),
            class,
            profile: "xy/md02".to_owned(),
            points: kinds.into_iter().map(point).collect(),
        })
    };
    DeviceClass::ALL.into_iter().map(layout).collect()
}

fn samples() -> Vec<Sample> {
    let clocks = [ClockQuality::Synchronised, ClockQuality::FreeRunning, ClockQuality::Unset];
    let floats = [4.2, -0.0, 1e300, 1e-7, f64::from(123.456_f32), 100.0];
    let mut values = vec![None, Some(Value::Bool(false)), Some(Value::Bool(true))];
    values.extend([0, i64::MIN, i64::MAX].map(|i| Some(Value::Integer(i))));
    values.push(Some(Value::Unsigned(u64::MAX)));
    values.extend(floats.map(|f| Some(Value::Float(f))));
    values.push(Some(Value::Text("开 \"on\" \n".into())));
    let sample = |(nth, value): (usize, Option<Value>)| Sample {
        point: u16::try_from(nth % 4).unwrap(),
        at: Timestamp(NOW.0 + i64::try_from(nth).unwrap()),
        clock: clocks[nth % 3],
        quality: Quality::Good,
        value,
    };
    let mut all: Vec<Sample> = values.into_iter().enumerate().map(sample).collect();
    for (nth, reason) in Reason::ALL.into_iter().enumerate() {
        for quality in [Quality::Uncertain(reason), Quality::Bad(reason)] {
            let value = matches!(quality, Quality::Uncertain(_)).then_some(Value::Float(1.5));
            all.push(Sample { quality, ..sample((nth, value)) });
        }
    }
    all
}

/// Every class and every topic; the first data of a class in its own lane, one raised.
pub fn records() -> Vec<(Lane, Record)> {
    let batch =
        |layout: &Arc<Layout>, samples| Record::Samples(Batch { layout: Arc::clone(layout), samples });
    let layouts = layouts();
    let mut all = vec![batch(&layouts[0], samples())];
    all.extend(layouts.iter().skip(1).map(|layout| batch(layout, samples().into_iter().take(2).collect())));
    let body = json!({"text": "Ω \"quoted\" \u{7}", "none": null, "list": [1, -2, 4.25, 1e300, true],
        "epoch": "forged", "seq": 0});
    let Json::Object(body) = body else { panic!("an object") };
    let answer = |response_topic: Option<&str>, correlation: Option<Vec<u8>>| Topic::CommandResult {
        device: id("fan-1"),
        response_topic: response_topic.map(str::to_owned),
        correlation,
    };
    let topics = [
        Topic::DeviceEvent,
        Topic::Vital { device: id("oximeter") },
        Topic::AlarmEvent,
        Topic::HaccpEvent,
        Topic::ModeEvent,
        Topic::OrderEvent,
        Topic::LedgerEvent,
        answer(None, None),
        answer(Some("reply/to"), Some(vec![0, 255, 7])),
        answer(Some("not/a/#/topic"), None),
    ];
    all.extend(topics.map(|topic| {
        Record::Message(Message { topic, class: DeviceClass::Vital, at: NOW, body: body.clone() })
    }));
    let mut all: Vec<(Lane, Record)> = all.into_iter().map(|record| (record.lane(), record)).collect();
    let raised = batch(&layouts[0], samples().into_iter().take(1).collect());
    all.insert(0, (Lane::Urgent, raised));
    all
}

/// Packets that a broker sends, and what is to be made of them.
pub struct Expected {
    pub packets: Vec<Incoming>,
    pub commands: Vec<Inbound>,
    pub orders: Vec<InboundOrder>,
}

const REQUEST: &[u8] = br#"{"id":"c1","point":"run","value":true,"expires":1795428030000}"#;

pub fn inbound(version: Version) -> Expected {
    let is_v5 = version == Version::V5;
    let command = |retained, reply: bool| Inbound {
        device: "fan-1".to_owned(),
        payload: REQUEST.to_vec(),
        retained,
        response_topic: (is_v5 && reply).then(|| "reply/to".to_owned()),
        correlation: (is_v5 && reply).then(|| vec![0, 255, 7]),
    };
    let order = |retained| InboundOrder { payload: vec![0xD2, 0x84, 0x43, 0xFF], retained };
    let packet = |what, topic: &str, payload: &[u8], retained, reply| Incoming {
        what,
        bytes: publish(version, &format!("{BASE}{topic}"), payload, retained, is_v5 && reply),
    };
    let signed = order(false).payload;
    Expected {
        packets: vec![
            packet("command", "/cmd/fan-1", REQUEST, false, false),
            packet("command with a response topic", "/cmd/fan-1", REQUEST, false, true),
            packet("retained command", "/cmd/fan-1", REQUEST, true, false),
            packet("not a command", "/cmd/fan-1/result", REQUEST, false, false),
            packet("order", "/order", &signed, false, false),
            packet("retained order", "/order", &signed, true, false),
            packet("not an order", "/order/x", &signed, false, false),
        ],
        commands: vec![command(false, false), command(false, true), command(true, false)],
        orders: vec![order(false), order(true)],
    }
}

/// A PUBLISH at QoS 0, as the broker writes it.
fn publish(version: Version, topic: &str, payload: &[u8], retain: bool, reply: bool) -> Vec<u8> {
    let mut out = BytesMut::new();
    match version {
        Version::V311 => {
            let mut publish = mqtt_v311::Publish::new(topic, mqtt_v311::QoS::AtMostOnce, payload.to_vec());
            publish.retain = retain;
            publish.write(&mut out).unwrap();
        }
        Version::V5 => {
            let properties = reply.then(|| mqtt_v5::PublishProperties {
                response_topic: Some("reply/to".to_owned()),
                correlation_data: Some(vec![0, 255, 7].into()),
                ..mqtt_v5::PublishProperties::default()
            });
            let quality = mqtt_v5::mqttbytes::QoS::AtMostOnce;
            let mut publish = mqtt_v5::Publish::new(topic, quality, payload.to_vec(), properties);
            publish.retain = retain;
            publish.write(&mut out).unwrap();
        }
    }
    out.to_vec()
}
