//! The sheet of a switch or a drill: times, steps, missing people, devices, guards, holds, decisions.

use std::time::Duration;

use linli_domain::{Id, Timestamp};
use linli_mode::order::Kind;
use linli_mode::{Direction, Stage, bracketed};

use super::read::{Occurrence, RoomReport, StepReport, Switch};
use crate::sheet::{Section, Sheet};
use linli_domain::caller::Acting;
use linli_domain::timezone::Zone;
use linli_mode::PlannedStep;
use linli_mode::labels;

/// Beside a person whose name no log-in proves.
const UNVERIFIED: &str = "未核实 unverified";

/// Printed on every report of a drill.
const NO_PROOF: &str =
    "演练不构成就绪证明：任何房间都不因演练而“已核实就绪”。A drill is never \"verified ready\".";

/// Builds the sheet of an order.
pub fn of(switch: &Switch, zone: &Zone) -> Sheet {
    let title = format!("平急转换{}报告　{}", if switch.is_drill() { "演练" } else { "" }, switch.order);
    let title = if switch.is_drill() { bracketed(&title) } else { title };
    let mut sections = vec![times(switch)];
    for room in &switch.rooms {
        sections.push(steps(switch, room));
    }
    sections.extend([
        people(switch),
        accounts(switch),
        devices(switch, zone),
        guards(switch, zone),
        holds(switch, zone),
        decisions(switch, zone),
        findings(switch),
    ]);
    Sheet { title, signature: heading(switch, zone), sections }
}

fn heading(switch: &Switch, zone: &Zone) -> Vec<String> {
    let kind = match switch.kind {
        Kind::Enter => "转入应急 enter",
        Kind::Return => "恢复平时 return",
        Kind::Amend => "更改 amend",
        Kind::Cancel => "撤销 cancel",
        Kind::StandDown => "解除应急 stand down",
        Kind::Stop => "停止 stop",
    };
    let signers: Vec<&str> = switch.signers.iter().map(|id| id.as_str()).collect();
    let class = if switch.is_drill() { "【演练 EXERCISE】" } else { "【实战 ACTUAL】" };
    let short = switch.head.root.get(..8).unwrap_or_default();
    let mut lines = vec![
        format!("{class} {kind} · 模式 mode {}", switch.mode),
        format!("签署 signed by {}，{}", signers.join("、"), zone.shown(switch.sent)),
        format!("接受 accepted {}", zone.shown(switch.accepted)),
        format!(
            "记录 record {} 行 lines，根 head {short}（完整根 full {}）",
            switch.head.count, switch.head.root
        ),
    ];
    if let Some(reference) = &switch.reference {
        lines.insert(1, format!("文号 reference {reference}"));
    }
    if switch.is_drill() {
        lines.push(NO_PROOF.to_owned());
    }
    lines
}

/// Time from signing to each stage, one row per room.
fn times(switch: &Switch) -> Section {
    let row = |room: &RoomReport| {
        let at = |stage: Stage| since(switch.sent, room.stages.get(&stage).copied());
        let goal = match room.direction {
            Direction::Enter => Stage::Ready,
            Direction::Return => Stage::Peace,
        };
        let reached = room.stages.get(&goal).copied();
        let within = room.planned.as_ref().map(|planned| minutes(planned.ready_within)).unwrap_or_default();
        vec![
            room.room.to_string(),
            room.plan.clone(),
            since(switch.sent, Some(switch.accepted)),
            at(Stage::Notice),
            at(Stage::Clearing),
            at(Stage::Acting),
            at(Stage::Checking),
            since(switch.sent, reached),
            within,
            labels::stage(room.last),
        ]
    };
    let headings = vec![
        "房间 room",
        "预案 plan",
        "接受 accepted",
        "告知 notice",
        "清场 clear",
        "转换 acting",
        "验收 checking",
        "到位 there",
        "要求 wanted",
        "现在 now",
    ];
    Section {
        title: "各阶段用时（自指令签署起，分:秒）Times since the order".to_owned(),
        headings,
        rows: switch.rooms.iter().map(row).collect(),
    }
}

/// Planned and real duration of each step; simulated steps have a column of their own.
fn steps(switch: &Switch, room: &RoomReport) -> Section {
    let began = room.committed.unwrap_or(room.ordered);
    let nothing = StepReport::default();
    let row = |planned: &PlannedStep| {
        let report = room.steps.get(&planned.id).unwrap_or(&nothing);
        let span = report.began.zip(report.ended).map(|(from, to)| passed(from, to));
        let spent = span.map(minutes).unwrap_or_default();
        let is_simulated = matches!(report.state.as_str(), "simulated" | "skipped");
        let (real, simulated) = match (report.ended.is_some(), is_simulated) {
            (false, _) => (String::new(), String::new()),
            (true, true) => (String::new(), labels::step(&report.state).to_owned()),
            (true, false) => (spent, String::new()),
        };
        let over = span.filter(|span| *span > planned.span && !is_simulated);
        let again = if report.walks > 1 {
            format!("（第 {} 次 walk {}）", report.walks, report.walks)
        } else {
            String::new()
        };
        let name =
            |id: &Id| if switch.is_unverified(id) { format!("{id}（未核实）") } else { id.to_string() };
        let doers: Vec<String> = report.done_by.iter().map(name).collect();
        vec![
            planned.id.clone(),
            planned.role.clone().or_else(|| planned.device.clone()).unwrap_or_default(),
            minutes(planned.span),
            real,
            simulated,
            over.map(|span| format!("+{}", minutes(span.saturating_sub(planned.span)))).unwrap_or_default(),
            minutes(planned.ends),
            report.ended.filter(|_| !is_simulated).map(|at| minutes(passed(began, at))).unwrap_or_default(),
            format!("{} {}{again}", labels::step(&report.state), report.channel.unwrap_or_default()),
            doers.join("、"),
        ]
    };
    let headings = vec![
        "步骤 step",
        "谁 who",
        "计划用时 planned",
        "实际用时 real",
        "模拟 simulated",
        "超时 over",
        "计划完成 planned end",
        "实际完成 real end",
        "结果 result",
        "由 by",
    ];
    let rows = room.planned.iter().flat_map(|planned| &planned.steps).map(row).collect();
    let title = format!("{} · {}", room.room, room.plan);
    Section { title: if switch.is_drill() { bracketed(&title) } else { title }, headings, rows }
}

/// Steps for which people were missing, and the roles they were escalated to.
fn people(switch: &Switch) -> Section {
    let mut rows = Vec::new();
    for room in &switch.rooms {
        for planned in room.planned.iter().flat_map(|planned| &planned.steps) {
            let Some(role) = &planned.role else { continue };
            let report = room.steps.get(&planned.id);
            let came = report.map_or(0, |report| report.done_by.len());
            let is_open = report.is_some_and(|report| report.began.is_some() && report.ended.is_none());
            let escalated: Vec<&str> = room
                .occurrences
                .iter()
                .filter_map(|occurrence| match occurrence {
                    Occurrence::Escalated { step, role, .. } if *step == planned.id => Some(role.as_str()),
                    _ => None,
                })
                .collect();
            if escalated.is_empty() && !(is_open && came < planned.count) {
                continue;
            }
            rows.push(vec![
                room.room.to_string(),
                planned.id.clone(),
                format!("{role}×{}", planned.count),
                came.to_string(),
                escalated.join("、"),
            ]);
        }
    }
    Section {
        title: "缺位与上报 People missing, and who heard of it".to_owned(),
        headings: vec!["房间 room", "步骤 step", "需要 needed", "到位 came", "已上报 escalated to"],
        rows,
    }
}

/// The people who acted, by which account, and whether a log-in proves it.
fn accounts(switch: &Switch) -> Section {
    let row = |(person, acting): &(Option<Id>, Option<Acting>)| {
        let name = person.as_ref().map_or_else(|| "（未具名 no name given）".to_owned(), Id::to_string);
        let Some(acting) = acting else {
            let unknown = "未记录 not recorded".to_owned();
            return vec![name, unknown, String::new(), String::new(), UNVERIFIED.to_owned()];
        };
        let proven = match person {
            None => "",
            Some(_) if acting.unverified => UNVERIFIED,
            Some(_) => "已核实 verified",
        };
        let login = acting.login.as_str().to_owned();
        vec![name, acting.account.clone(), login, acting.screen.to_string(), proven.to_owned()]
    };
    Section {
        title: "行动人员（未核实：姓名由操作者自报，未经登录证实）Who acted; unverified: a name that no log-in proves"
            .to_owned(),
        headings: vec!["人员 person", "账号 account", "登录 log-in", "终端 screen", "核实 verified"],
        rows: switch.people.iter().map(row).collect(),
    }
}

fn each<'s>(
    switch: &'s Switch,
    row: impl Fn(&'s RoomReport, &'s Occurrence) -> Option<Vec<String>>,
) -> Vec<Vec<String>> {
    switch
        .rooms
        .iter()
        .flat_map(|room| {
            room.occurrences.iter().filter_map(|occurrence| row(room, occurrence)).collect::<Vec<_>>()
        })
        .collect()
}

fn devices(switch: &Switch, zone: &Zone) -> Section {
    let rows = each(switch, |room, occurrence| match occurrence {
        Occurrence::Device { at, step, what } => {
            let planned =
                room.planned.iter().flat_map(|planned| &planned.steps).find(|planned| planned.id == *step);
            let device = planned.and_then(|planned| planned.device.clone()).unwrap_or_default();
            Some(vec![zone.shown(*at), room.room.to_string(), step.clone(), device, (*what).to_owned()])
        }
        _ => None,
    });
    Section {
        title: "无应答的设备 Devices that did not answer".to_owned(),
        headings: vec!["时间 at", "房间 room", "步骤 step", "设备 device", "情况 what"],
        rows,
    }
}

fn guards(switch: &Switch, zone: &Zone) -> Section {
    let rows = each(switch, |room, occurrence| match occurrence {
        Occurrence::Guard { at, step, why } => {
            Some(vec![zone.shown(*at), room.room.to_string(), step.clone(), why.clone()])
        }
        _ => None,
    });
    Section {
        title: "守卫拒绝（每一次都是安全措施生效）Refusals, each a success of safety".to_owned(),
        headings: vec!["时间 at", "房间 room", "步骤或请求 what", "原因 why"],
        rows,
    }
}

fn holds(switch: &Switch, zone: &Zone) -> Section {
    let rows = each(switch, |room, occurrence| match occurrence {
        Occurrence::Held { at, until, cause, resumed } => {
            let span = until.map_or_else(|| "未恢复 still".to_owned(), |until| minutes(passed(*at, until)));
            Some(vec![zone.shown(*at), room.room.to_string(), cause.clone(), span, resumed.clone()])
        }
        _ => None,
    });
    Section {
        title: "停止 Holds, by cause".to_owned(),
        headings: vec!["时间 at", "房间 room", "原因 cause", "历时 for", "由谁恢复 resumed by"],
        rows,
    }
}

fn decisions(switch: &Switch, zone: &Zone) -> Section {
    let rows = each(switch, |room, occurrence| match occurrence {
        Occurrence::Decided { at, what } => Some(vec![zone.shown(*at), room.room.to_string(), what.clone()]),
        _ => None,
    });
    Section {
        title: "决定与事件 Decisions".to_owned(),
        headings: vec!["时间 at", "房间 room", "内容 what"],
        rows,
    }
}

fn findings(switch: &Switch) -> Section {
    let rows = switch.findings.iter().map(|finding| finding.to_vec()).collect();
    Section {
        title: "问题清单 Findings".to_owned(),
        headings: vec!["发现人 found by", "问题 finding", "责任人 owner", "期限 by"],
        rows,
    }
}

fn passed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(to.0.saturating_sub(from.0)).unwrap_or_default())
}

fn since(from: Timestamp, to: Option<Timestamp>) -> String {
    to.map(|to| minutes(passed(from, to))).unwrap_or_default()
}

fn minutes(span: Duration) -> String {
    let seconds = span.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
