//! Nodes as JSON, for the command line and for screens.

use linli_wire::identity::{BootState, Identity, reset, status};
use linli_wire::kind::Kind;
use linli_wire::log::{Code, Entry};
use linli_wire::update::Refusal;
use serde_json::{Value, json};

use super::client::{SelfTest, Status};
use super::image;

/// A code with its texts in Chinese and English.
#[must_use]
pub fn words(word: &str, zh: &str, en: &str) -> Value {
    json!({"code": word, "zh": zh, "en": en})
}

/// Identity of a node.
#[must_use]
pub fn identity(node: &Identity) -> Value {
    let boot = BootState::from_code(node.boot);
    let kind = Kind::from_id(node.kind);
    let named = |bits: u16, names: &[(u16, &str, &str)]| -> Vec<Value> {
        names.iter().filter(|(bit, ..)| bits & bit != 0).map(|(_, en, zh)| words(en, zh, en)).collect()
    };
    json!({
        "serial": format!("{:016x}", node.serial),
        "kind": kind.map_or_else(|| json!({"code": node.kind}), |kind| words(kind.name, kind.zh, kind.en)),
        "board": image::board(node.board),
        "firmware": node.firmware.to_string(),
        "security": node.security,
        "image": format!("{:08x}", node.image),
        "boot": boot.map_or_else(|| json!({"code": node.boot}), |boot| words(boot.as_str(), boot.zh(), boot.en())),
        "uptime_s": node.uptime_s,
        "status": named(node.status, &status::NAMES),
        "reset_cause": named(node.reset_cause, &reset::NAMES),
        "is_provisioned": node.serial != 0 && node.status & status::CONFIG_DEFAULT == 0,
    })
}

/// Status of an update.
#[must_use]
pub fn update(status: &Status) -> Value {
    json!({
        "state": words(status.state.as_str(), status.state.zh(), status.state.en()),
        "reason": status.reason.map(refusal),
        "next": status.next, "total": status.total, "version": status.version.to_string(),
        "capacity": status.capacity, "floor": status.floor, "trial_s": status.trial_s,
    })
}

fn refusal(why: Refusal) -> Value {
    words(why.as_str(), why.zh(), why.en())
}

/// Result of a self-test.
#[must_use]
pub fn selftest(test: &SelfTest) -> Value {
    let items: Vec<Value> = test
        .items
        .iter()
        .map(|(item, verdict)| {
            json!({
                "item": words(item.as_str(), item.zh(), item.en()),
                "verdict": words(verdict.as_str(), verdict.zh(), verdict.en()),
            })
        })
        .collect();
    json!({
        "state": words(test.state.as_str(), test.state.zh(), test.state.en()),
        "age_s": test.age_s, "items": items,
    })
}

/// An entry of the log, with its argument as text where its meaning is known.
#[must_use]
pub fn entry(entry: &Entry) -> Value {
    let code = Code::from_code(entry.code);
    json!({
        "seq": entry.seq, "uptime_s": entry.uptime_s, "argument": entry.argument,
        "what": code.map_or_else(|| json!({"code": entry.code}), |code| words(code.as_str(), code.zh(), code.en())),
        "value": code.and_then(|code| argument(code, entry.argument)),
    })
}

/// Text of an argument that is a code or a version.
fn argument(code: Code, argument: u32) -> Option<String> {
    let low = (argument & 0xFFFF) as u16;
    match code {
        Code::Firmware | Code::UpdateBegun | Code::UpdateVerified | Code::UpdateActivated => {
            Some(linli_wire::version::Version::from_code(argument).to_string())
        }
        Code::UpdateRefused => Refusal::from_code(low).map(|why| format!("{} ({})", why.as_str(), why.zh())),
        Code::BootState => BootState::from_code(low).map(|s| format!("{} ({})", s.as_str(), s.zh())),
        Code::Booted => {
            let causes = reset::NAMES.iter().filter(|(bit, ..)| low & bit != 0);
            Some(causes.map(|(_, en, zh)| format!("{en} ({zh})")).collect::<Vec<_>>().join(", "))
        }
        Code::SensorFailed => linli_wire::quality::Reason::from_code(low)
            .map(|why| format!("{}: {} ({})", argument >> 16, why.as_str(), why.zh())),
        _ => None,
    }
}
