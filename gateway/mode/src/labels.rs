//! Names of stages and step states, as shown to people: Chinese first.

use super::Stage;

/// Returns the Chinese name of a stage.
#[must_use]
pub const fn chinese(stage: Stage) -> &'static str {
    match stage {
        Stage::Peace => "平时",
        Stage::Preview => "待开始",
        Stage::Notice => "告知",
        Stage::Clearing => "清场",
        Stage::Acting => "转换中",
        Stage::Checking => "验收",
        Stage::Ready => "就绪",
        Stage::Degraded => "降级可用",
        Stage::Proving => "复核中",
        Stage::Held => "已停止",
    }
}

/// Returns the name of a stage in both languages.
#[must_use]
pub fn stage(stage: Stage) -> String {
    format!("{} {}", chinese(stage), stage.as_str())
}

/// Returns the name of a step's state.
#[must_use]
pub fn step(state: &str) -> &'static str {
    match state {
        "blocked" => "等条件 blocked",
        "asked" => "等人 asked",
        "running" => "运行中 running",
        "closing" | "sent" => "待证实 being proven",
        "intent" | "pause" | "ending" => "执行中 acting",
        "verified" => "已证实 verified",
        "already_ok" => "本已到位 already",
        "waived" => "已豁免 waived",
        "simulated" => "模拟 simulated",
        "skipped" => "略过 skipped",
        "failed" => "未成功 failed",
        "stuck" => "待决定 stuck",
        _ => "未到 not reached",
    }
}
