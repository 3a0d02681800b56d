//! Messages of Zigbee2MQTT.

use linli_domain::{Reason, Timestamp, Value};
use linli_drivers::mqtt::zigbee::{Seen, find, is_bookkeeping, is_online, last_seen, values};

#[test]
fn members_become_values_and_what_is_missing_says_nothing() {
    let climate = find("zigbee2mqtt/climate").unwrap();
    let told =
        values(climate.points, br#"{"temperature":4.25,"battery":null,"linkquality":"x","voltage":3000}"#);
    let told = told.unwrap();
    assert_eq!(told[0], (0, Ok(Value::Float(4.25))));
    assert_eq!(told[1], (2, Err(Reason::NoValue)));
    assert_eq!(told[2], (3, Err(Reason::Undecodable)));
    assert_eq!(told.len(), 3);
    for bad in [&b"[]"[..], b"4.2", b"", b"{", b"\xff"] {
        assert_eq!(values(climate.points, bad), None);
    }
    let plug = find("zigbee2mqtt/plug").unwrap();
    assert_eq!(values(plug.points, br#"{"state":"ON"}"#), Some(vec![(0, Ok(Value::Bool(true)))]));
}

#[test]
fn what_zigbee_calls_invalid_is_no_value() {
    let of =
        |profile: &str, payload: &str| values(find(profile).unwrap().points, payload.as_bytes()).unwrap();
    for payload in [
        r#"{"temperature":-327.68}"#,
        r#"{"temperature":327.67}"#,
        r#"{"humidity":655.35}"#,
        r#"{"humidity":-1}"#,
        r#"{"battery":127.5}"#,
    ] {
        assert_eq!(of("zigbee2mqtt/climate", payload)[0].1, Err(Reason::OutOfRange), "{payload}");
    }
    assert_eq!(of("zigbee2mqtt/co2", r#"{"co2":65535}"#)[0].1, Err(Reason::OutOfRange));
    for payload in [r#"{"temperature":-40}"#, r#"{"humidity":100}"#, r#"{"battery":0}"#] {
        assert!(of("zigbee2mqtt/climate", payload)[0].1.is_ok(), "{payload}");
    }
    let whole = of("zigbee2mqtt/climate", r#"{"linkquality":120.0}"#);
    assert_eq!(whole[0].1, Ok(Value::Integer(120)));
    assert_eq!(of("zigbee2mqtt/climate", r#"{"linkquality":1.5}"#)[0].1, Err(Reason::Undecodable));
}

#[test]
fn availability_in_both_forms() {
    assert_eq!(is_online(br#"{"state":"offline"}"#), Some(false));
    assert_eq!(is_online(b"online"), Some(true));
    assert_eq!((is_online(b"maybe"), is_online(b"\xff")), (None, None));
}

#[test]
fn the_time_of_a_state_is_that_of_the_device() {
    let of = |member: &str| last_seen(format!("{{\"last_seen\":{member},\"contact\":true}}").as_bytes());
    let at = Seen::At(Timestamp(1_795_428_000_000));
    for text in [
        "1795428000000",
        "1795428000000.0",
        "1795428000",
        "\"1795428000000\"",
        "\"2026-11-23T10:00:00Z\"",
        "\"2026-11-23T18:00:00.000+08:00\"",
    ] {
        assert_eq!(of(text), at, "{text}");
    }
    for text in ["\"gestern\"", "0", "-5", "\"2026-11-23T10:00:00\"", "true", "[]"] {
        assert_eq!(of(text), Seen::Unclear, "{text}");
    }
    for payload in [&b"{}"[..], b"x", b"", br#"{"last_seen":null}"#] {
        assert_eq!(last_seen(payload), Seen::Unsaid);
    }
    assert!(is_bookkeeping(br#"{"update":{"state":"idle"},"last_seen":5}"#));
    assert!(!is_bookkeeping(br#"{"contact":true}"#) && !is_bookkeeping(b"{}") && !is_bookkeeping(b"["));
}
