//! What centres send, version 1 (docs/mqtt.md): topics and payloads, read without trusting them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

/// Times beyond this many milliseconds since 1970 (the year 9999) are a mistake.
const LATEST: i64 = 253_402_300_800_000;

/// Longest name of a centre, device or point.
const LONGEST_NAME: usize = 128;

/// Most samples of one message.
const MOST_SAMPLES: usize = 10_000;

/// Where a message was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic<'a> {
    /// The centre.
    pub centre: &'a str,
    /// Its gateway.
    pub gateway: &'a str,
    /// What follows: `data/fridge-1`.
    pub below: &'a str,
}

/// A message that can be stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Message<'a> {
    /// Samples of a device.
    Data(Data<'a>),
    /// Everything else that carries a number.
    Event(Event<'a>),
    /// The state of the gateway, retained.
    Status(Status),
    /// The description of a device, retained; `None` when it was taken away.
    Meta {
        /// The device.
        device: &'a str,
        /// Its description.
        meta: Option<Meta>,
    },
}

/// Payload of `data/{device}`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Data<'a> {
    /// The gateway's database.
    #[serde(borrow)]
    pub epoch: Cow<'a, str>,
    /// Its number there.
    pub seq: i64,
    /// The device.
    #[serde(borrow)]
    pub device: Cow<'a, str>,
    /// Its values.
    #[serde(borrow)]
    pub samples: Vec<Sample<'a>>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Sample<'a> {
    /// The point.
    #[serde(borrow)]
    pub p: Cow<'a, str>,
    /// When it was measured, Unix milliseconds.
    pub t: i64,
    /// The value.
    #[serde(borrow, default)]
    pub v: Value<'a>,
    /// Its quality, unless good.
    #[serde(borrow, default)]
    pub q: Option<Cow<'a, str>>,
}

/// A value as sent.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(untagged)]
pub enum Value<'a> {
    /// A switch.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// An integer beyond the others.
    Unsigned(u64),
    /// A number.
    Float(f64),
    /// A text.
    Text(#[serde(borrow)] Cow<'a, str>),
    /// No value.
    #[default]
    None,
}

/// A message with a number that is no sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Event<'a> {
    /// The gateway's database.
    pub epoch: String,
    /// Its number there.
    pub seq: i64,
    /// The topic below the base.
    pub kind: &'a str,
    /// When, Unix milliseconds; none where the message does not say.
    pub at: Option<i64>,
    /// All of it.
    pub body: Json,
}

/// Payload of `status`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Status {
    /// Whether the gateway is connected.
    pub online: bool,
    /// Version of its software.
    pub version: String,
    /// Changes with each start of the machine.
    pub boot: String,
    /// Its database.
    pub epoch: String,
    /// Mode of the centre.
    pub mode: String,
    /// When it was written.
    pub at: i64,
    /// Key that verifies the heads of its record.
    #[serde(default)]
    pub record_key: Option<String>,
    /// Rooms in their service state.
    #[serde(default)]
    pub service: Option<Json>,
    /// Longest order that it reads, in bytes.
    #[serde(default)]
    pub order_bytes: Option<i32>,
    /// Names of its rooms for people, by id.
    #[serde(default)]
    pub rooms: Option<BTreeMap<String, String>>,
    /// Rooms that its mode switch can change.
    #[serde(default)]
    pub switches: Option<Vec<String>>,
}

/// Payload of `meta/{device}`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Meta {
    /// Name for people.
    pub name: String,
    /// Where it is.
    #[serde(default)]
    pub room: Option<String>,
    /// What it is for: `food_safety`, `kiosk`, ….
    pub class: String,
    /// Its model.
    #[serde(default)]
    pub profile: Option<String>,
    /// Unit and type of each point.
    #[serde(default)]
    pub points: Json,
}

/// Why a message is put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// A word that programs know.
    pub reason: &'static str,
    /// A sentence for people.
    pub detail: String,
}

impl Unfit {
    /// Puts a message aside.
    pub fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

/// Reads a topic; `None` if it is none of ours.
#[must_use]
pub fn topic(topic: &str) -> Option<Topic<'_>> {
    let mut parts = topic.strip_prefix("linli/1/")?.splitn(3, '/');
    let (centre, gateway, below) = (parts.next()?, parts.next()?, parts.next()?);
    let is_name = |name: &str| !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains('\0');
    (is_name(centre) && is_name(gateway) && !below.is_empty()).then_some(Topic { centre, gateway, below })
}

/// Reads a message.
pub fn message<'a>(below: &'a str, payload: &'a [u8]) -> Result<Message<'a>, Unfit> {
    if let Some(device) = below.strip_prefix("data/") {
        return data(device, payload).map(Message::Data);
    }
    if below == "status" {
        let mut status: Status = read(payload)?;
        time(status.at)?;
        let texts = [&status.version, &status.boot, &status.epoch, &status.mode];
        texts.into_iter().try_for_each(|text| name("status", text))?;
        // A name that cannot be kept is no reason to call the gateway silent.
        let is_kept = |text: &str| name("room", text).is_ok();
        status.rooms.iter_mut().for_each(|rooms| rooms.retain(|room, text| is_kept(room) && is_kept(text)));
        status.switches.iter_mut().for_each(|rooms| rooms.retain(|room| is_kept(room)));
        return Ok(Message::Status(status));
    }
    if let Some(device) = below.strip_prefix("meta/") {
        name("device", device)?;
        let meta = (!payload.is_empty()).then(|| read::<Meta>(payload)).transpose()?;
        if payload.windows(6).any(|part| part == b"\\u0000") {
            return Err(Unfit::new("zero_character", "a text has a character of code zero"));
        }
        return Ok(Message::Meta { device, meta });
    }
    if below.starts_with("event/") || below.starts_with("vital/") || below.starts_with("cmd/") {
        return event(below, payload).map(Message::Event);
    }
    Err(Unfit::new("unknown_topic", format!("nothing is known of {below:?}")))
}

fn data<'a>(device: &str, payload: &'a [u8]) -> Result<Data<'a>, Unfit> {
    let data: Data<'a> = read(payload)?;
    if data.device != device {
        let detail = format!("published for {device:?}, but the payload names {:?}", data.device);
        return Err(Unfit::new("other_device", detail));
    }
    number(data.seq)?;
    name("epoch", &data.epoch)?;
    name("device", &data.device)?;
    if data.samples.len() > MOST_SAMPLES {
        return Err(Unfit::new(
            "too_long",
            format!("{} samples, at most {MOST_SAMPLES}", data.samples.len()),
        ));
    }
    for sample in &data.samples {
        time(sample.t)?;
        name("point", &sample.p)?;
        if let Value::Text(text) = &sample.v
            && text.contains('\0')
        {
            return Err(Unfit::new("zero_character", "a text has a character of code zero"));
        }
        sample.q.as_deref().map_or(Ok(()), |quality| name("quality", quality))?;
    }
    Ok(data)
}

fn event<'a>(below: &'a str, payload: &[u8]) -> Result<Event<'a>, Unfit> {
    let body: Json = read(payload)?;
    let epoch = body["epoch"].as_str().ok_or_else(|| Unfit::new("no_number", "it has no epoch"))?.to_owned();
    let seq = body["seq"].as_i64().ok_or_else(|| Unfit::new("no_number", "it has no seq"))?;
    number(seq)?;
    name("epoch", &epoch)?;
    let at = body["at"].as_i64();
    at.map_or(Ok(()), time)?;
    if payload.windows(6).any(|part| part == b"\\u0000") {
        return Err(Unfit::new("zero_character", "a text has a character of code zero"));
    }
    Ok(Event { epoch, seq, kind: below, at, body })
}

fn read<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, Unfit> {
    serde_json::from_slice(payload).map_err(|error| Unfit::new("not_json", error.to_string()))
}

fn number(seq: i64) -> Result<(), Unfit> {
    let is_fine = (0..i64::MAX).contains(&seq);
    is_fine.then_some(()).ok_or_else(|| Unfit::new("no_number", format!("{seq} is no sequence number")))
}

fn time(at: i64) -> Result<(), Unfit> {
    let is_fine = (0..LATEST).contains(&at);
    is_fine
        .then_some(())
        .ok_or_else(|| Unfit::new("no_time", format!("{at} ms is before 1970 or after 9999")))
}

fn name(what: &str, text: &str) -> Result<(), Unfit> {
    if text.is_empty() || text.len() > LONGEST_NAME || text.contains('\0') {
        return Err(Unfit::new("no_name", format!("{what} {text:?} is empty, too long or no text")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_has_a_centre_a_gateway_and_more() {
        assert_eq!(topic("linli/1/c/g/data/d"), Some(Topic { centre: "c", gateway: "g", below: "data/d" }));
        for wrong in ["linli/2/c/g/status", "linli/1/c/g", "linli/1//g/status", "linli/1/c/g/", "other"] {
            assert_eq!(topic(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn values_keep_their_kind() {
        let text =
            br#"{"epoch":"e","seq":7,"device":"d","samples":[{"p":"a","t":1,"v":true},{"p":"b","t":1,"v":-3},
            {"p":"c","t":1,"v":18446744073709551615},{"p":"d","t":1,"v":4.5},{"p":"e","t":1,"v":"\"x\""},
            {"p":"f","t":1,"v":null,"q":"bad:silent","c":"unset"}]}"#;
        let Ok(Message::Data(data)) = message("data/d", text) else { panic!("data") };
        let values: Vec<&Value<'_>> = data.samples.iter().map(|sample| &sample.v).collect();
        let expect = [
            &Value::Bool(true),
            &Value::Integer(-3),
            &Value::Unsigned(u64::MAX),
            &Value::Float(4.5),
            &Value::Text("\"x\"".into()),
            &Value::None,
        ];
        assert_eq!(values, expect);
        assert_eq!(data.samples[5].q.as_deref(), Some("bad:silent"));
    }

    #[test]
    fn rubbish_has_a_reason() {
        let reason = |below: &str, text: &str| message(below, text.as_bytes()).expect_err(text).reason;
        assert_eq!(reason("data/d", "\u{1}"), "not_json");
        assert_eq!(reason("data/d", r#"{"epoch":"e","seq":1,"device":"x","samples":[]}"#), "other_device");
        assert_eq!(reason("data/d", r#"{"epoch":"e","seq":-1,"device":"d","samples":[]}"#), "no_number");
        assert_eq!(reason("data/d", r#"{"epoch":"","seq":1,"device":"d","samples":[]}"#), "no_name");
        let late =
            r#"{"epoch":"e","seq":1,"device":"d","samples":[{"p":"a","t":9223372036854775807,"v":1}]}"#;
        assert_eq!(reason("data/d", late), "no_time");
        let zero = r#"{"epoch":"e","seq":1,"device":"d","samples":[{"p":"a","t":1,"v":"\u0000"}]}"#;
        assert_eq!(reason("data/d", zero), "zero_character");
        assert_eq!(reason("event/alarm", r#"{"seq":1}"#), "no_number");
        assert_eq!(reason("event/alarm", r#"{"epoch":"e","seq":1,"text":"\u0000"}"#), "zero_character");
        assert_eq!(reason("what/ever", "{}"), "unknown_topic");
    }
}
