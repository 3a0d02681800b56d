//! The latest exchange with a device, for technicians: the frames both ways, what they show and which option helps, and
//! asking a paused device at once.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use linli_domain::DeviceClass;
use linli_drivers::exchange::{Exchange, ExchangeOutcome};
use linli_drivers::modbus::diagnosis::Symptom;
use linli_drivers::modbus::plan::{Medium, ModbusPlan};
use linli_nodes::Action;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use tokio::time::Instant;

use super::show::unknown_device;
use super::technician::Workbench;
use super::{Problem, Who};
use crate::status::LineView;

/// Routes of exchanges.
pub fn router(workbench: Workbench) -> Router {
    Router::new()
        .route("/api/v1/devices/{device}/exchange", get(exchange))
        .route("/api/v1/devices/{device}/retry", post(retry))
        .with_state(workbench)
}

/// A device of another protocol has no frames: everything is null then. Those of a device of vital signs are not shown,
/// because they are measurements of a person.
async fn exchange(
    _: Who,
    State(workbench): State<Workbench>,
    Path(device): Path<String>,
) -> Result<Json<Value>, Problem> {
    let lines = workbench.status.lines.borrow().clone();
    let place = lines.iter().find_map(|line| {
        let at = line.plan.layouts().iter().position(|layout| layout.device.as_str() == device)?;
        Some((line, at))
    });
    if let Some((line, at)) = place {
        return Ok(Json(shown(line, at, Instant::now())));
    }
    if workbench.status.live.device(&device, Instant::now()).is_none() {
        return Err(unknown_device(&device));
    }
    Ok(Json(
        json!({"is_modbus": false, "last": null, "failed": null, "failures": 0, "pause": null, "symptom": null}),
    ))
}

fn shown(line: &LineView, at: usize, now: Instant) -> Value {
    let plan = line.plan.as_any().downcast_ref::<ModbusPlan>();
    let kept = line.health.devices.get(at).map(linli_drivers::DeviceHealth::exchanges).unwrap_or_default();
    let is_personal = line.plan.layouts()[at].class == DeviceClass::Vital;
    let frames = |one: &Option<Exchange>| one.as_ref().map(|one| frames(one, is_personal, now));
    let age = |moment: Instant| now.saturating_duration_since(moment).as_secs();
    let pause = kept.pause.map(|pause| {
        json!({
            "since_s": age(pause.since), "next_s": pause.next.saturating_duration_since(now).as_secs(),
            "reason": pause.reason.as_str(),
        })
    });
    let symptom = plan.and_then(|plan| symptom(line, plan, at, kept.last.as_ref()?.outcome));
    json!({
        "is_modbus": plan.is_some(), "last": frames(&kept.last), "failed": frames(&kept.failed),
        "failures": kept.failures, "pause": pause, "symptom": symptom,
    })
}

/// What one exchange shows, and the option that helps. `linli doctor` looks further.
fn sentence(outcome: ExchangeOutcome, others_answer: bool, is_serial: bool) -> Option<(String, String)> {
    let known = match outcome {
        ExchangeOutcome::Good | ExchangeOutcome::Down => return None,
        ExchangeOutcome::Silent if others_answer => Symptom::Missing { others: Vec::new() },
        ExchangeOutcome::Silent => {
            let (zh, en) = if is_serial {
                (
                    "A/B 接线、终端电阻、unit 站号、baud 和 parity",
                    "the wires A and B, termination, unit, baud and parity",
                )
            } else {
                ("unit 站号、endpoint 和 kind", "unit, endpoint and kind")
            };
            return Some((
                format!("线路上没有任何应答：请检查电源、{zh}；停下网关后 linli doctor 会逐一试常用参数"),
                format!(
                    "nothing answers on this line: check power, {en}; with the gateway stopped linli doctor tries the usual settings"
                ),
            ));
        }
        ExchangeOutcome::Garbled if others_answer => Symptom::Damaged,
        ExchangeOutcome::Garbled => Symptom::Noise,
        ExchangeOutcome::Refused(5 | 6) => Symptom::Busy,
        ExchangeOutcome::Refused(code) => {
            return Some((
                format!(
                    "设备以异常码 {code} 拒绝：请核对 profile 型号文件的地址和功能码；停下网关后 linli doctor 会找相近的地址"
                ),
                format!(
                    "the device refuses with exception {code}: check addresses and function codes of its profile; with the gateway stopped linli doctor looks nearby"
                ),
            ));
        }
        ExchangeOutcome::NotReached(code) => Symptom::NotReached(code),
        ExchangeOutcome::OtherUnit(unit) => Symptom::OtherUnit(unit),
    };
    let known = known.sentence("");
    Some((known.zh, known.en))
}

/// What the latest exchange shows, in both languages.
fn symptom(line: &LineView, plan: &ModbusPlan, at: usize, outcome: ExchangeOutcome) -> Option<Value> {
    let others = line.health.devices.iter().enumerate().filter(|(other, _)| *other != at);
    let others_answer = others.into_iter().any(|(_, other)| other.online.load(Ordering::Relaxed) == 1);
    let is_serial = matches!(plan.medium, Medium::Rtu(_));
    let (zh, en) = sentence(outcome, others_answer, is_serial)?;
    Some(json!({"zh": zh, "en": en}))
}

fn frames(one: &Exchange, is_personal: bool, now: Instant) -> Value {
    let hex = |bytes: &[u8]| (!is_personal).then(|| hex(bytes));
    let (word, code) = match one.outcome {
        ExchangeOutcome::Good => ("good", None),
        ExchangeOutcome::Silent => ("silent", None),
        ExchangeOutcome::Garbled => ("garbled", None),
        ExchangeOutcome::Refused(code) => ("refused", Some(code)),
        ExchangeOutcome::NotReached(code) => ("not_reached", Some(code)),
        ExchangeOutcome::OtherUnit(unit) => ("other_unit", Some(unit)),
        ExchangeOutcome::Down => ("down", None),
    };
    json!({
        "request": hex(&one.request), "answer": hex(&one.answer), "outcome": word, "code": code,
        "age_s": now.saturating_duration_since(one.at).as_secs(),
    })
}

/// Pairs of digits with spaces between them, as manuals print frames.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")
}

async fn retry(
    who: Who,
    State(workbench): State<Workbench>,
    Path(device): Path<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(workbench.nodes.service.ask(&who.0, Action::Retry { device }).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_are_shown_as_manuals_print_them_and_never_those_of_a_person() {
        let now = Instant::now();
        let one = Exchange {
            request: vec![1, 3, 0, 0, 0, 1, 0x84, 0x0a],
            answer: vec![1, 0x83, 2, 0xc0, 0xf1],
            outcome: ExchangeOutcome::Refused(2),
            at: now,
        };
        let shown = frames(&one, false, now);
        assert_eq!(shown["request"], "01 03 00 00 00 01 84 0A");
        assert_eq!(shown["answer"], "01 83 02 C0 F1");
        assert_eq!((&shown["outcome"], &shown["code"]), (&json!("refused"), &json!(2)));
        let hidden = frames(&one, true, now);
        assert!(hidden["request"].is_null() && hidden["answer"].is_null());
    }
}
