//! What is wrong with lines and their devices, found out without a running gateway.

use std::sync::Arc;
use std::time::Duration;

use linli_config::Checked;
use linli_domain::Reason;
use linli_drivers::modbus::diagnosis;
use linli_drivers::modbus::plan::ModbusPlan;
use linli_drivers::modbus::profile::ProfileSet;
use linli_drivers::{CheckedLine, DeviceState, ObservedLine, observe};

use crate::runtime::clock::SystemClock;

/// How long a line that is not Modbus is watched, unless all is known before: an SNMP agent counts as silent after three
/// rounds in both versions.
pub const WATCHED: Duration = Duration::from_secs(20);

/// Something wrong: with which line or device, and what to change, in both languages.
#[derive(Debug)]
pub struct LineFinding {
    /// `line ID` or `device ID`.
    pub part: String,
    /// Both languages.
    pub text: String,
}

/// Examines all lines at once. Also returns how many were left out because they listen for their devices.
pub async fn examine(checked: &Checked, profiles: &ProfileSet) -> (Vec<LineFinding>, usize) {
    let mut running = tokio::task::JoinSet::new();
    for (index, line) in checked.lines.iter().enumerate() {
        let (plan, profiles) = (Arc::clone(&line.plan), profiles.clone());
        running.spawn(async move { (index, of_line(plan, &profiles).await) });
    }
    let mut all = running.join_all().await;
    all.sort_by_key(|(index, _)| *index);
    let left_out = all.iter().filter(|(_, found)| found.is_none()).count();
    (all.into_iter().filter_map(|(_, found)| found).flatten().collect(), left_out)
}

/// Examines one line; none when it listens.
pub async fn of_line(plan: Arc<dyn CheckedLine>, profiles: &ProfileSet) -> Option<Vec<LineFinding>> {
    let line = plan.line().clone();
    if let Some(modbus) = plan.as_any().downcast_ref::<ModbusPlan>() {
        let place = diagnosis::place(modbus);
        let found = diagnosis::diagnose(modbus, profiles).await;
        let row = |finding: &diagnosis::Finding| LineFinding {
            part: finding.device.as_ref().map_or_else(|| format!("line {line}"), |id| format!("device {id}")),
            text: finding.symptom.sentence(&place).to_string(),
        };
        return Some(found.iter().map(row).collect());
    }
    let seen = observe(plan, Arc::new(SystemClock::default()), WATCHED).await?;
    Some(of_observed(&line.to_string(), &seen))
}

/// What is wrong with a line that was watched. A device that was not heard may only have nothing to say.
fn of_observed(line: &str, seen: &ObservedLine) -> Vec<LineFinding> {
    if let Some((DeviceState::Offline(reason), detail)) = &seen.state {
        return vec![LineFinding { part: format!("line {line}"), text: explained(*reason, detail) }];
    }
    let mut found = Vec::new();
    for device in &seen.devices {
        if let Some((DeviceState::Offline(reason), detail)) = &device.state {
            let part = format!("device {}", device.device);
            found.push(LineFinding { part, text: explained(*reason, detail) });
        }
    }
    found
}

/// A reason in both languages, with its detail.
pub fn explained(reason: Reason, detail: &str) -> String {
    let (zh, en) = match reason {
        Reason::Silent => (
            "没有应答：请检查电源、网络、地址和口令",
            "no answer: check power, network, address and credentials",
        ),
        Reason::LineDown => {
            ("线路连不上：请检查地址、端口和对方服务", "the line is down: check address, port and the server")
        }
        Reason::Garbled => (
            "应答无法解读：请检查型号文件和协议",
            "its answers cannot be understood: check profile and protocol",
        ),
        Reason::Refused => ("对方拒绝：请检查权限和型号文件", "it refuses: check permissions and profile"),
        Reason::WrongDevice => ("型号不符：请检查 profile 和 unit", "another model: check profile and unit"),
        _ => ("没有值", "no value"),
    };
    if detail.is_empty() { format!("{zh} / {en}") } else { format!("{zh} / {en} ({detail})") }
}
