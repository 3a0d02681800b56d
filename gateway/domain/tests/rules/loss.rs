//! The ledger of losses.

use linli_domain::loss::{Loss, LossReason};
use linli_domain::{DeviceClass, Timestamp};

#[test]
fn a_loss_names_reason_range_and_count() {
    let loss = Loss {
        reason: LossReason::SizeCap,
        class: Some(DeviceClass::Telemetry),
        of_epoch: "e1".to_owned(),
        range: Some((3, 9)),
        messages: Some(7),
        between: Some((Timestamp(1), Timestamp(2))),
        detail: String::new(),
    };
    let body = serde_json::Value::Object(loss.message(Timestamp(5)).body);
    assert_eq!(
        body,
        serde_json::json!({"reason":"size_cap","class":"telemetry","of_epoch":"e1","range":[3,9],
            "messages":7,"between":[1,2],"at":5})
    );
}
