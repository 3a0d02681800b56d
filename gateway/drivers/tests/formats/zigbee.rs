//! Messages of Zigbee2MQTT.

use linli_domain::{Reason, Timestamp, Value};
use linli_drivers::mqtt::zigbee::{find, is_bookkeeping, is_online, last_seen, values};

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
fn availability_in_both_forms() {
    assert_eq!(is_online(br#"{"state":"offline"}"#), Some(false));
    assert_eq!(is_online(b"online"), Some(true));
    assert_eq!((is_online(b"maybe"), is_online(b"\xff")), (None, None));
}

#[test]
fn the_time_of_a_state_is_that_of_the_device() {
    for text in [
        &br#"{"last_seen":1795428000123}"#[..],
        br#"{"last_seen":"2026-11-23T14:00:00.123Z"}"#,
        br#"{"last_seen":"2026-11-23T22:00:00.123+08:00","water_leak":true}"#,
    ] {
        let seen = last_seen(text).map(|seen| seen.0);
        let same = Timestamp::from_rfc3339("2026-11-23T14:00:00.123Z").map(|at| at.0);
        let known = if text.contains(&b'Z') || text.contains(&b'+') { same } else { Some(1_795_428_000_123) };
        assert_eq!(seen, known, "{}", String::from_utf8_lossy(text));
    }
    for text in
        [&br#"{"last_seen":null}"#[..], br#"{"last_seen":"gestern"}"#, br#"{"last_seen":0}"#, b"{}", b"x"]
    {
        assert_eq!(last_seen(text), None);
    }
    assert!(is_bookkeeping(br#"{"update":{"state":"idle"},"last_seen":5}"#));
    assert!(!is_bookkeeping(br#"{"contact":true}"#) && !is_bookkeeping(b"{}") && !is_bookkeeping(b"["));
}
