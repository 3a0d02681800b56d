//! Anything published on a command topic is taken or refused, with a sentence.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linli_domain::Timestamp;
use linli_domain::command::{Inbound, Request};

fuzz_target!(|payload: &[u8]| {
    let inbound = Inbound {
        device: "fan-1".to_owned(),
        payload: payload.to_vec(),
        retained: false,
        response_topic: None,
        correlation: None,
    };
    match Request::parse(&inbound, Timestamp(1_795_428_000_000)) {
        Ok(request) => assert!(!request.id.is_empty() && request.id.len() <= 64),
        Err(refusal) => assert!(!refusal.to_string().is_empty()),
    }
});
