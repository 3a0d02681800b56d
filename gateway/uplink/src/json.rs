//! JSON payloads, version 1. Pure; the form is frozen.
//!
//! Written by hand into a reused buffer: at 100 000 values a second a tree of JSON values per
//! message would cost more than everything else together.

use std::io::Write;

use linli_domain::{Batch, ClockQuality, Layout, Message, Record, Sample, Timestamp, Value};
use serde_json::json;

use crate::status::Birth;

/// Where a record goes, below the base.
#[must_use]
pub fn topic(record: &Record) -> String {
    match record {
        Record::Samples(batch) => format!("data/{}", batch.layout.device),
        Record::Message(message) => message.topic.suffix(),
    }
}

/// The payload of a record. The buffer is cleared first.
pub fn record(out: &mut Vec<u8>, epoch: &str, seq: u64, record: &Record) {
    out.clear();
    match record {
        Record::Samples(batch) => data(out, epoch, seq, batch),
        Record::Message(message) => event(out, epoch, seq, message),
    }
}

/// Payload of `data/{device}`.
fn data(out: &mut Vec<u8>, epoch: &str, seq: u64, batch: &Batch) {
    envelope(out, epoch, seq);
    out.extend_from_slice(b",\"device\":\"");
    // An id needs no escaping.
    out.extend_from_slice(batch.layout.device.as_str().as_bytes());
    out.extend_from_slice(b"\",\"samples\":[");
    for (nth, sample) in batch.samples.iter().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        let name = batch.layout.points.get(usize::from(sample.point)).map_or("", |point| point.name.as_str());
        one(out, name, sample);
    }
    out.extend_from_slice(b"]}");
}

fn one(out: &mut Vec<u8>, name: &str, sample: &Sample) {
    out.extend_from_slice(b"{\"p\":\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\",\"t\":");
    put(out, format_args!("{}", sample.at.0));
    out.extend_from_slice(b",\"v\":");
    value(out, sample.value.as_ref());
    if !sample.quality.is_good() {
        put(out, format_args!(",\"q\":\"{}\"", sample.quality));
    }
    if sample.clock != ClockQuality::Synchronised {
        put(out, format_args!(",\"c\":\"{}\"", sample.clock.as_str()));
    }
    out.push(b'}');
}

fn value(out: &mut Vec<u8>, value: Option<&Value>) {
    match value {
        None => out.extend_from_slice(b"null"),
        Some(Value::Bool(b)) => put(out, format_args!("{b}")),
        Some(Value::Integer(i)) => put(out, format_args!("{i}")),
        Some(Value::Unsigned(u)) => put(out, format_args!("{u}")),
        // What is not finite is no value; the store never holds one.
        Some(Value::Float(f)) if !f.is_finite() => out.extend_from_slice(b"null"),
        Some(other) => write_json(out, other),
    }
}

/// An event or an answer: its body with the envelope.
fn event(out: &mut Vec<u8>, epoch: &str, seq: u64, message: &Message) {
    envelope(out, epoch, seq);
    for (key, value) in message.body.iter().filter(|(key, _)| *key != "epoch" && *key != "seq") {
        out.push(b',');
        write_json(out, key);
        out.push(b':');
        write_json(out, value);
    }
    out.push(b'}');
}

fn envelope(out: &mut Vec<u8>, epoch: &str, seq: u64) {
    put(out, format_args!("{{\"epoch\":\"{epoch}\",\"seq\":{seq}"));
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to memory does not fail");
}

fn write_json(out: &mut Vec<u8>, value: &impl serde::Serialize) {
    serde_json::to_writer(out, value).expect("writing JSON to memory does not fail");
}

/// Payload of `meta/{device}`, a retained message.
#[must_use]
pub fn meta(layout: &Layout) -> Vec<u8> {
    let points: serde_json::Map<String, serde_json::Value> = layout
        .points
        .iter()
        .map(|point| {
            let mut about = json!({"unit": point.unit, "type": point.kind.as_str()});
            if point.writable {
                about["writable"] = true.into();
            }
            (point.name.to_string(), about)
        })
        .collect();
    let meta = json!({
        "device": layout.device, "name": layout.name, "room": layout.room, "class": layout.class.as_str(),
        "profile": layout.profile, "points": points,
    });
    meta.to_string().into_bytes()
}

/// `status`, retained: while online, and as the will.
#[must_use]
pub fn status(birth: &Birth, epoch: &str, at: Timestamp, online: bool) -> Vec<u8> {
    let mut status = json!({
        "online": online, "version": birth.version, "boot": birth.boot, "epoch": epoch, "mode": birth.mode, "at": at.0,
    });
    if let Some(key) = &birth.record_key {
        status["record_key"] = json!(key);
    }
    if !birth.orders.is_empty() {
        status["orders"] = json!(birth.orders);
    }
    if !birth.service.is_empty() {
        status["service"] = json!(birth.service);
    }
    if let Some(bytes) = birth.order_bytes {
        status["order_bytes"] = json!(bytes);
    }
    if !birth.rooms.is_empty() {
        status["rooms"] = json!(birth.rooms);
    }
    if !birth.switches.is_empty() {
        status["switches"] = json!(birth.switches);
    }
    status.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_domain::{DeviceClass, Id, PointSpec, Quality, Reason, Topic, ValueType};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn layout() -> Arc<Layout> {
        let point = |name, kind, writable| PointSpec {
            name: Id::new(name).unwrap(),
            unit: "Cel".to_owned(),
            kind,
            writable,
        };
        Arc::new(Layout {
            device: Id::new("fridge-1").unwrap(),
            name: "冰箱 \"1\"".to_owned(),
            room: Some(Id::new("kitchen").unwrap()),
            class: DeviceClass::FoodSafety,
            profile: "xy/md02".to_owned(),
            points: vec![point("temperature", ValueType::Float, false), point("run", ValueType::Bool, true)],
        })
    }

    fn text(of: &Record) -> String {
        let mut out = b"old".to_vec();
        record(&mut out, "e1", 123, of);
        String::from_utf8(out).unwrap()
    }

    // Frozen wire format, version 1. If a test here fails, do not change the test.

    #[test]
    fn frozen_data() {
        let sample = |point, quality, clock, value| Sample {
            point,
            at: Timestamp(1_795_428_000_123),
            clock,
            quality,
            value,
        };
        let batch = Batch {
            layout: layout(),
            samples: vec![
                sample(0, Quality::Good, ClockQuality::Synchronised, Value::float(4.2)),
                sample(1, Quality::Good, ClockQuality::FreeRunning, Some(Value::Bool(true))),
                sample(0, Quality::Bad(Reason::Silent), ClockQuality::Synchronised, None),
            ],
        };
        assert_eq!(
            text(&Record::Samples(batch.clone())),
            r#"{"epoch":"e1","seq":123,"device":"fridge-1","samples":[{"p":"temperature","t":1795428000123,"v":4.2},{"p":"run","t":1795428000123,"v":true,"c":"free_running"},{"p":"temperature","t":1795428000123,"v":null,"q":"bad:silent"}]}"#
        );
        assert_eq!(topic(&Record::Samples(batch)), "data/fridge-1");
    }

    #[test]
    fn frozen_event() {
        let body = json!({"device": "fridge-1", "state": "offline", "seq": "forged"});
        let serde_json::Value::Object(body) = body else { unreachable!("an object") };
        let message =
            Message { topic: Topic::DeviceEvent, class: DeviceClass::Telemetry, at: Timestamp(5), body };
        assert_eq!(
            text(&Record::Message(message)),
            r#"{"epoch":"e1","seq":123,"device":"fridge-1","state":"offline"}"#
        );
    }

    #[test]
    fn frozen_meta_and_status() {
        let parsed = |bytes: Vec<u8>| serde_json::from_slice::<serde_json::Value>(&bytes).unwrap();
        assert_eq!(
            parsed(meta(&layout())),
            json!({"device":"fridge-1","name":"冰箱 \"1\"","room":"kitchen","class":"food_safety","profile":"xy/md02",
                "points":{"temperature":{"unit":"Cel","type":"f64"},"run":{"unit":"Cel","type":"bool","writable":true}}})
        );
        let birth = Birth {
            version: "0.1.0".to_owned(),
            boot: "b".to_owned(),
            mode: "peace".to_owned(),
            record_key: Some("k".to_owned()),
            orders: [("district.Actual".to_owned(), 117)].into(),
            service: vec!["hall".to_owned()],
            order_bytes: Some(262_144),
            rooms: [("hall".to_owned(), "活动厅".to_owned())].into(),
            switches: ["hall".to_owned()].into(),
        };
        assert_eq!(
            parsed(status(&birth, "e1", Timestamp(7), true)),
            json!({"online":true,"version":"0.1.0","boot":"b","epoch":"e1","mode":"peace","at":7,"record_key":"k",
                "orders":{"district.Actual":117},"service":["hall"],"order_bytes":262_144,
                "rooms":{"hall":"活动厅"},"switches":["hall"]})
        );
    }

    proptest! {
        #[test]
        fn always_valid_json(float in any::<f64>(), word in ".*", integer in any::<i64>()) {
            let sample = |value| Sample {
                point: 0, at: Timestamp(integer), clock: ClockQuality::Unset, quality: Quality::Good, value: Some(value),
            };
            let samples = vec![
                sample(Value::Float(float)),
                sample(Value::Text(word.as_str().into())),
                sample(Value::Integer(integer)),
            ];
            let text = text(&Record::Samples(Batch { layout: layout(), samples }));
            let parsed: serde_json::Value = serde_json::from_str(&text).expect("valid");
            prop_assert_eq!(parsed["samples"][1]["v"].as_str(), Some(word.as_str()));
            let expect = if float.is_finite() { Some(float) } else { None };
            prop_assert_eq!(parsed["samples"][0]["v"].as_f64(), expect);
        }
    }
}
