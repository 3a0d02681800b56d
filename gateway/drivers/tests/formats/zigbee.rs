//! Messages of Zigbee2MQTT.

use linli_domain::{Reason, Value};
use linli_drivers::mqtt::zigbee::{find, is_online, values};

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
