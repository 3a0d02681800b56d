//! The message table of the mode switch: why a room is held, why something is refused, and what to do
//! next, in Chinese and English.

use crate::{Cause, Refused, Stage, labels};

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Message {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// Why a room is held, and what ends it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Held {
    /// Why.
    pub why: Message,
    /// What ends it.
    pub ends: Message,
}

// === impl Message ===

impl Message {
    fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

impl std::fmt::Display for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} / {}", self.zh, self.en)
    }
}

/// Returns why a room is held. `lead` is the role that may resume it.
#[must_use]
pub fn held(cause: Cause, room: &str, lead: &str) -> Held {
    let resume = format!("linli mode resume {room} --login … --why …");
    let (why, ends) = match cause {
        Cause::Fire => (
            Message::new("消防主机报火警", "fire alarm"),
            Message::new(
                format!("现场确认安全、消防主机复位并读到“正常”后，由 {lead} 继续：{resume}"),
                format!("the panel is reset and reads normal; then a {lead} resumes: {resume}"),
            ),
        ),
        Cause::Stop => (
            Message::new("有人按了停止", "a person stopped it"),
            Message::new(
                format!("查明停止原因后，由 {lead} 继续：{resume}"),
                format!("the reason of the stop is settled; then a {lead} resumes: {resume}"),
            ),
        ),
        Cause::Guard => (
            Message::new("动作中安全条件不再成立", "a guard failed while something moved"),
            Message::new(
                format!("条件恢复（见“等待”）后，由 {lead} 继续，从第一步重新核对：{resume}"),
                format!("the guard holds again; then a {lead} resumes, from the first step: {resume}"),
            ),
        ),
        Cause::Failed => (
            Message::new("步骤失败，预案要求停下", "a step failed, and the plan demands a hold"),
            Message::new(
                format!("修好设备后，由 {lead} 继续，从第一步重新核对：{resume}"),
                format!("the device is repaired; then a {lead} resumes, from the first step: {resume}"),
            ),
        ),
        Cause::Cancel => (
            Message::new("指令已撤销", "its order was cancelled"),
            Message::new(
                "下达返回指令，房间按返回预案回到平时：linli mode return …",
                "an order to return takes the room back by its return plan: linli mode return …",
            ),
        ),
        Cause::Silent => (
            Message::new("读不到消防主机", "the fire panel is silent"),
            Message::new(
                format!("修好消防主机的连接、读到“正常”后，由 {lead} 继续：{resume}"),
                format!("the panel is read again and normal; then a {lead} resumes: {resume}"),
            ),
        ),
    };
    Held { why, ends }
}

/// Returns why an event was refused, and what to do next.
#[must_use]
pub fn refused(refused: &Refused) -> Message {
    match refused {
        Refused::Meaningless { stage, what: "stopping" } => Message::new(
            format!("房间处于“{}”，转换没有动过任何输出：没有可停的。", stage_zh(stage)),
            format!("the room is {stage}: no switch has moved anything there, so there is nothing to stop."),
        ),
        Refused::Meaningless { stage, what } => Message::new(
            format!("房间现在是“{}”，不能{}。{}", stage_zh(stage), operation_zh(what), next_at(stage).0),
            format!("{refused}. {}", next_at(stage).1),
        ),
        Refused::Role { needed, who, has, .. } => {
            let has_zh = if has == "none" { "没有角色" } else { has };
            Message::new(
                format!("{who}（{has_zh}）没有这项权限，需要 {needed}。请 {needed} 来做。"),
                format!("{refused}. Ask a {needed}."),
            )
        }
        Refused::SamePerson { who } => {
            Message::new(format!("{who} 做过被检查的步骤，这一步须由另一人完成。"), format!("{refused}."))
        }
        Refused::Fire => Message::new(
            "火警中，或读不到消防主机：读到“正常”之前什么都不开始。先到现场确认，再复位消防主机。",
            format!("{refused}. Look at the panel, and reset it when it is safe."),
        ),
        Refused::NoReason => {
            Message::new("缺少原因：原因要写进记录。请加 --why。", format!("{refused}. Add --why."))
        }
        Refused::Span => Message::new(
            "豁免要有期限，最长 7 天；到期后可以重新豁免。请改 --for。",
            format!("{refused}. Change --for."),
        ),
        Refused::NoStep => Message::new(
            "预案没有这个步骤。步骤见 linli mode status。",
            format!("{refused}. `linli mode status` shows its steps."),
        ),
        Refused::NotWaivable => Message::new(
            "安全或验收依赖这一步，不能豁免。请完成它，或改用备用房间。",
            format!("{refused}. Do it, or use the alternate room."),
        ),
        Refused::Open => {
            Message::new("房间有门开着，或读不到门的状态。先关门，再清场。", format!("{refused}."))
        }
        Refused::Guard => Message::new(
            "这一步的安全条件不成立。条件见 linli mode status 的“等待”。",
            format!("{refused}. `linli mode status` shows what it waits for."),
        ),
    }
}

fn stage_zh(stage: &str) -> &'static str {
    let stage = serde_json::from_value::<Stage>(stage.into());
    stage.map_or("未知", labels::chinese)
}

/// What may be done next in a stage.
fn next_at(stage: &str) -> (&'static str, &'static str) {
    match stage {
        "peace" => ("要转换，先下达指令。", "To switch it, give an order."),
        "preview" => (
            "先开始（linli mode commit），或等宽限时间结束。",
            "Start it (linli mode commit), or wait for the end of the grace period.",
        ),
        "held" => (
            "原因和解除办法见 linli mode status。",
            "`linli mode status` says why it is held, and what ends it.",
        ),
        "ready" | "degraded" | "proving" => {
            ("要回到平时，下达返回指令。", "To take it back, give an order to return.")
        }
        _ => ("现在轮到谁做什么，见 linli mode status。", "`linli mode status` says who is to do what now."),
    }
}

/// The Chinese name of an operation, as [`Refused::Meaningless`] names it.
fn operation_zh(what: &str) -> &'static str {
    OPERATIONS.iter().find(|(en, _)| *en == what).map_or("这样做", |(_, zh)| zh)
}

/// Operations that a stage can make meaningless.
const OPERATIONS: &[(&str, &str)] = &[
    ("an order to enter", "再下达转急指令"),
    ("an order to enter before somebody resumes", "在有人“继续”之前下达转急指令"),
    ("an order to return", "下达返回指令"),
    ("an order to return before somebody resumes", "在有人“继续”之前下达返回指令"),
    ("cancelling", "撤销"),
    ("cancelling the way back", "撤销返回"),
    ("committing", "开始"),
    ("confirming", "确认"),
    ("confirming a step whose turn it is not", "确认还没轮到的步骤"),
    ("confirming what a device does", "确认由设备完成的步骤"),
    ("rejecting", "不予验收"),
    ("resuming", "继续"),
    ("saying so of a step whose turn it is not", "对还没轮到的步骤报告无法完成"),
    ("saying so of what a device does", "对由设备完成的步骤报告无法完成"),
    ("saying that it cannot be done", "报告无法完成"),
    ("simulating", "模拟完成"),
    ("simulating a step whose turn it is not", "模拟完成还没轮到的步骤"),
    ("simulating outside a drill", "在演练之外模拟完成"),
    ("simulating what a device does", "模拟完成由设备完成的步骤"),
    ("stopping", "停止"),
    ("trying a step again that did not fail", "重试没有失败的步骤"),
    ("trying again", "重试"),
    ("trying again while everything is proven anew", "在重新核对时重试"),
    ("waiving", "豁免"),
    ("waiving a step that is done or moves", "豁免已完成或正在动作的步骤"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Every operation that the state machine names has a Chinese name.
    #[test]
    fn every_refusal_has_its_chinese_words() {
        let sources =
            [include_str!("step/order.rs"), include_str!("step/people.rs"), include_str!("step/hold.rs")];
        let named = sources.iter().flat_map(|source| source.split(".meaningless(\"").skip(1));
        let named: Vec<&str> = named.filter_map(|rest| rest.split('"').next()).collect();
        assert!(named.len() > 15, "{named:?}");
        let known = |what: &&str| OPERATIONS.iter().any(|(en, _)| en == what);
        let missing: Vec<_> = named.iter().filter(|what| !known(what)).collect();
        assert!(missing.is_empty(), "no Chinese words for {missing:?}");
        let also = sources.iter().flat_map(|source| source.split("self.known(step, \"").skip(1));
        let missing: Vec<_> =
            also.filter_map(|rest| rest.split('"').next()).filter(|what| !known(what)).collect();
        assert!(missing.is_empty(), "no Chinese words for {missing:?}");
    }

    #[test]
    fn a_refusal_says_what_to_do_next() {
        let asleep = Refused::Meaningless { stage: "held", what: "confirming" };
        let said = refused(&asleep);
        assert!(said.zh.contains("已停止") && said.zh.contains("不能确认"), "{said}");
        assert!(said.en.contains("linli mode status"), "{said}");
        let said = refused(&Refused::Meaningless { stage: "peace", what: "stopping" });
        assert!(said.zh.contains("没有可停的") && said.en.contains("nothing to stop"), "{said}");
        for cause in [Cause::Fire, Cause::Stop, Cause::Guard, Cause::Failed, Cause::Cancel, Cause::Silent] {
            let held = held(cause, "reading-room", "site_lead");
            assert!(!held.why.zh.is_empty() && held.ends.en.contains("linli mode"), "{held:?}");
        }
    }
}
