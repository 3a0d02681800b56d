//! Acknowledgements of messages.

use linli_domain::Timestamp;
use linli_drivers::health::hl7::message::Message;
use linli_drivers::health::hl7::{Code, acknowledge};

const NOW: Timestamp = Timestamp(1_795_397_400_000);

fn answer(message: &str, code: &Code) -> Option<String> {
    let message = Message::parse(message.as_bytes()).unwrap();
    acknowledge(&message, code, "7", NOW).map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn sender_and_receiver_change_places() {
    let told =
        answer("MSH|^~\\&|CABIN|S1|GW|S2|2026||ORU^R01^ORU_R01|C1-42|P|2.6\r", &Code::Accept(String::new()))
            .unwrap();
    assert_eq!(
        told,
        "MSH|^~\\&|GW|S2|CABIN|S1|20261123013000+0000||ACK^R01^ACK|7|P|2.6||||||UNICODE UTF-8\rMSA|AA|C1-42\r"
    );
}

#[test]
fn reasons_enhanced_mode_and_no_thanks_for_thanks() {
    let told = answer("MSH|^~\\&|||||||ORU^R01|1|P|2.4|||AL|NE\r", &Code::Error("a|b".to_owned())).unwrap();
    assert!(told.ends_with("MSA|CE|1|a\\F\\b\r"), "{told}");
    let told = answer("MSH|^~\\&|||||||ADT^A01|1|P|2.4\r", &Code::Reject("not ORU".to_owned())).unwrap();
    assert!(told.contains("ACK^A01^ACK") && told.ends_with("MSA|AR|1|not ORU\r"), "{told}");
    assert_eq!(answer("MSH|^~\\&|||||||ACK^R01|1|P|2.4\rMSA|AA|9\r", &Code::Accept(String::new())), None);
}
