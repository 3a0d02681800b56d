//! What a command record says.

use linli_domain::command::{CommandError, Inbound, Request, State};
use linli_domain::{Timestamp, Value};

const NOW: Timestamp = Timestamp(1_000_000);

fn inbound(payload: &str) -> Inbound {
    Inbound {
        device: "fan-1".to_owned(),
        payload: payload.as_bytes().to_vec(),
        retained: false,
        response_topic: None,
        correlation: None,
    }
}

#[test]
fn a_good_request_is_understood() {
    let request =
        Request::parse(&inbound(r#"{"id":"a1","point":"relay","value":true,"expires":1000500}"#), NOW);
    assert_eq!(request.map(|r| r.value), Ok(Value::Bool(true)));
}

#[test]
fn each_wrong_request_has_its_own_reason() {
    let bad = |text: &str| Request::parse(&inbound(text), NOW).expect_err(text).to_string();
    assert!(bad("").contains("not a command"));
    assert!(bad("{").contains("not a command"));
    assert!(bad(r#"{"id":"a","point":"p","value":1}"#).contains("expires"));
    assert!(bad(r#"{"id":"a","point":"p","value":1,"expires":1000001,"x":1}"#).contains("unknown field"));
    assert!(bad(r#"{"id":"","point":"p","value":1,"expires":1000001}"#).contains("id must be"));
    assert!(bad(r#"{"id":"a","point":"p","value":null,"expires":1000001}"#).contains("not a command"));
    assert!(bad(r#"{"id":"a","point":"p","value":1,"expires":1000000}"#).contains("expired"));
    assert!(bad(r#"{"id":"a","point":"p","value":1,"expires":9000000000000}"#).contains("check the clocks"));
    assert!(bad(&"x".repeat(1 << 20)).contains("too large"));
    let topic = Some("t".repeat(3000));
    let answered_far = Inbound { response_topic: topic, correlation: Some(vec![0; 2000]), ..inbound("{}") };
    assert!(matches!(Request::parse(&answered_far, NOW), Err(CommandError::TooLarge { size: 5002 })));
    let retained = Inbound { retained: true, ..inbound("{}") };
    assert_eq!(Request::parse(&retained, NOW), Err(CommandError::Retained));
}

#[test]
fn what_may_have_acted_is_never_sent_again() {
    assert!(matches!(State::Sent.after_restart(), State::Unknown { .. }));
    assert_eq!(State::Accepted.after_restart(), State::Accepted);
    assert_eq!(State::Done.after_restart(), State::Done);
}
