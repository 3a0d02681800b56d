//! Checks plans/*.toml, resolves their names in the building, and checks the plans against each other.

use std::collections::BTreeMap;
use std::time::Duration;

use linli_drivers::duration;
use linli_mode::facility::Facility;
use linli_mode::order::{KeyId, Signed, verify_plan};
use linli_mode::{
    Action, Channel, Compensate, Direction, Drill, Fault, HumanTask, Literal, OnFail, Plan, Pressure,
    ResolvedPlan, Retry, Step, Verify, VoidOn, Work, check_exits,
};
use ring::digest::{SHA256, digest};

use super::checked_plan::CheckedPlan;
use super::diagnostics::{Diagnostics, keys, nth};
use super::people::People;
use super::policy;
use super::raw::plan as raw;
use super::text::Step as Way;

/// Default deadline of a step, after which the leader is notified.
pub(super) const DEADLINE: Duration = Duration::from_secs(600);

/// Default time to cancel before the first action.
const GRACE: Duration = Duration::from_secs(30);

/// Checks one plan by itself.
pub fn check(
    file: &raw::PlanFile,
    text: &str,
    building: &Facility,
    data: &policy::Data<'_>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Option<CheckedPlan> {
    let plan = written(file, diagnostics)?;
    // Without its room, every device would be reported as belonging to another one.
    let raw = file.policy.as_ref().filter(|_| building.room(plan.room.as_str()).is_some());
    let policy = policy::check(raw, &plan, data, diagnostics);
    match ResolvedPlan::new(plan, building) {
        Ok(resolved) => {
            let mut hash = [0; 32];
            hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
            let building = resolved.identity();
            Some(CheckedPlan {
                file: diagnostics.file().to_owned(),
                text: text.into(),
                hash,
                resolved,
                signed: None,
                policy,
                building,
            })
        }
        Err(faults) => {
            faults.iter().for_each(|fault| note(fault, diagnostics));
            None
        }
    }
}

/// Verifies the signature of a plan, `FILE.sig`, where any person has a key. A missing or invalid
/// signature is reported. Returns the keys that signed it; whether they are in date is judged when the
/// plan is ordered ([`People::is_signed_now`]), so that no date stops a gateway from starting.
pub fn signed(
    text: &str,
    signature: Option<&[u8]>,
    people: &People,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Option<Vec<KeyId>> {
    let policy = people.policy.as_ref()?;
    let how = format!("`linli order sign {} --key FILE`", diagnostics.file());
    let may = policy.district.join(", ");
    let Some(signature) = signature else {
        diagnostics.wrong(&[], format!("is not signed; somebody with the role {may} signs it: {how}"));
        return None;
    };
    match verify_plan(text.as_bytes(), signature, &people.keyring) {
        Err(why) => {
            let message =
                format!("{why}: was the file changed after it was signed? remove its .sig, then {how}");
            diagnostics.wrong(&[], message);
            None
        }
        Ok(signers) => {
            let counts = |signed: &&Signed| signed.roles.iter().any(|role| policy.district.contains(role));
            let keys: Vec<KeyId> = signers.iter().filter(counts).map(|signed| signed.key).collect();
            if keys.is_empty() {
                let message =
                    format!("is signed by nobody with the role {may} and a key of class Actual: {how}");
                diagnostics.wrong(&[], message);
            }
            Some(keys)
        }
    }
}

/// Checks plans against each other; each problem is reported in the file it concerns.
pub fn together(
    plans: &[CheckedPlan],
    written: &[String],
    building: &Facility,
    wrong: &mut impl FnMut(&str, &[Way], String),
) {
    for (index, known) in plans.iter().enumerate() {
        let plan = &known.resolved.plan;
        let own = plan.key();
        if plans[..index].iter().any(|other| other.resolved.plan.is_named(&own)) {
            let message = format!("{own} is there twice: a version never changes, a change is a new one");
            wrong(&known.file, &keys(&["plan", "version"]), message);
        }
        let others: Vec<&ResolvedPlan> = plans.iter().map(|other| &other.resolved).collect();
        for fault in check_exits(&known.resolved, &others, building) {
            wrong(&known.file, &place(&fault), fault.text());
        }
        let linked = [("return_plan", &plan.return_plan), ("alternate", &plan.alternate)];
        for (key, name) in linked.into_iter().filter_map(|(key, name)| Some((key, name.as_ref()?))) {
            let found = plans.iter().find(|other| other.resolved.plan.is_named(name));
            let message = match (key, found) {
                // A plan with errors of its own is reported at its own place.
                (_, None) if written.contains(name) => None,
                (_, None) => Some(format!("there is no plan {name:?} in plans/")),
                ("return_plan", Some(way)) => way_back(known, way),
                (_, Some(other)) if other.resolved.room == known.resolved.room => {
                    Some(format!("{name} is for the same room"))
                }
                _ => None,
            };
            if let Some(message) = message {
                wrong(&known.file, &keys(&["plan", key]), message);
            }
        }
    }
}

/// Returns what is wrong with a return plan; `None` when nothing is.
fn way_back(there: &CheckedPlan, back: &CheckedPlan) -> Option<String> {
    let name = back.resolved.plan.key();
    if back.resolved.plan.direction != Direction::Return {
        return Some(format!("{name} does not lead back: its direction is \"enter\""));
    }
    if back.resolved.room != there.resolved.room {
        return Some(format!("{name} is for another room"));
    }
    // An output without a safe state must be set back by the return plan.
    let sets = |resolved: &ResolvedPlan, is_drill: bool| -> Vec<(usize, usize, String)> {
        let jobs = resolved.steps.iter().filter(|job| !is_drill || job.drill == Drill::Live);
        let settings = jobs.flat_map(|job| match &job.action {
            Action::Actuate { sets, .. } => sets.clone(),
            // The settings at the end of a process.
            Action::Process { off, .. } => off.clone(),
            _ => Vec::new(),
        });
        settings.map(|set| (set.fixture, set.output, set.word.to_string())).collect()
    };
    let has_safe = |fixture: usize, output: usize| {
        let found = there.resolved.safe.iter().map(|safe| (safe.setting.fixture, safe.setting.output));
        found.into_iter().any(|safe| safe == (fixture, output))
    };
    let left = |is_drill: bool| {
        let returned = sets(&back.resolved, is_drill);
        let left = sets(&there.resolved, is_drill).into_iter().find(|(fixture, output, _)| {
            !has_safe(*fixture, *output) && !returned.iter().any(|(f, o, _)| (f, o) == (fixture, output))
        });
        left.map(|(.., word)| word)
    };
    if let Some(word) = left(false) {
        return Some(format!(
            "{name} does not set back what is set to {word} and has no safe state in facility.toml"
        ));
    }
    left(true).map(|word| {
        format!("a drill really sets {word}, and {name} only simulates setting it back: give that step drill = \"live\"")
    })
}

fn note(fault: &Fault, diagnostics: &mut Diagnostics<'_, '_>) {
    diagnostics.wrong(&place(fault), fault.text());
}

fn place(fault: &Fault) -> Vec<Way> {
    match fault.step {
        Some(step) => nth("step", step, fault.key),
        None if fault.key == "step" => keys(&["step"]),
        None => keys(&["plan", fault.key]),
    }
}

fn written(file: &raw::PlanFile, diagnostics: &mut Diagnostics<'_, '_>) -> Option<Plan> {
    let plan = &file.plan;
    let id = diagnostics.id(&keys(&["plan", "id"]), &plan.id);
    let room = diagnostics.id(&keys(&["plan", "room"]), &plan.room);
    let mut params = BTreeMap::new();
    for (name, value) in &file.params {
        match literal(value) {
            Some(value) => drop(params.insert(name.clone(), value)),
            None => diagnostics.wrong(&keys(&["params", name]), "is neither a number nor a word"),
        }
    }
    let steps: Vec<Option<Step>> =
        file.step.iter().enumerate().map(|(index, raw)| step(raw, index, diagnostics)).collect();
    Some(Plan {
        id: id?,
        version: plan.version,
        direction: match plan.direction {
            raw::Direction::Enter => Direction::Enter,
            raw::Direction::Return => Direction::Return,
        },
        room: room?,
        role: plan.role.clone(),
        ready_within: plan.ready_within.0,
        lead: plan.lead.clone().unwrap_or_else(|| "site_lead".to_owned()),
        pressure: match plan.pressure {
            Some(raw::Pressure::Negative) => Pressure::Negative,
            Some(raw::Pressure::Positive) => Pressure::Positive,
            Some(raw::Pressure::Neutral) | None => Pressure::Neutral,
        },
        basis: plan.basis.clone(),
        return_plan: plan.return_plan.clone(),
        alternate: plan.alternate.clone(),
        grace: plan.grace.map_or(GRACE, |grace| grace.0),
        params,
        steps: steps.into_iter().collect::<Option<_>>()?,
    })
}

fn step(raw: &raw::Step, index: usize, diagnostics: &mut Diagnostics<'_, '_>) -> Option<Step> {
    let at = |key: &str| nth("step", index, key);
    let id = diagnostics.id(&at("id"), &raw.id);
    foreign(raw, index, diagnostics);
    let escalate = raw.escalate.iter().filter_map(|text| {
        let rung = text
            .split_once('@')
            .and_then(|(role, after)| Some((role.to_owned(), duration::parse(after).ok()?)));
        if rung.is_none() {
            diagnostics.wrong(
                &at("escalate"),
                format!("{text:?} is not a role and a time such as \"site_lead@5m\""),
            );
        }
        rung
    });
    let escalate = escalate.collect();
    let work = work(raw, index, diagnostics);
    let usual = if raw.kind == raw::Kind::Human { Drill::Live } else { Drill::Simulate };
    Some(Step {
        id: id?,
        after: raw.after.clone(),
        work: work?,
        pre: raw.pre.clone(),
        deadline: raw.deadline.map_or(DEADLINE, |deadline| deadline.0),
        escalate,
        on_fail: match raw.on_fail {
            Some(raw::OnFail::Hold) => OnFail::Hold,
            Some(raw::OnFail::Degrade) => OnFail::Degrade,
            Some(raw::OnFail::Human) | None => OnFail::Human,
        },
        drill: match raw.drill {
            Some(raw::Drill::Live) => Drill::Live,
            Some(raw::Drill::Simulate) => Drill::Simulate,
            Some(raw::Drill::Skip) => Drill::Skip,
            None => usual,
        },
    })
}

/// Reports keys that belong to another kind of step.
fn foreign(raw: &raw::Step, index: usize, diagnostics: &mut Diagnostics<'_, '_>) {
    use raw::Kind::{Actuate, Human, Process, Verify};
    let given: [(&str, bool, &[raw::Kind]); 15] = [
        ("role", raw.role.is_some(), &[Human]),
        ("count", raw.count.is_some(), &[Human]),
        ("prompt", raw.prompt.is_some(), &[Human]),
        ("evidence", !raw.evidence.is_empty(), &[Human]),
        ("void_on", !raw.void_on.is_empty(), &[Human]),
        ("not_same_as", !raw.not_same_as.is_empty(), &[Human]),
        ("sweep", raw.sweep.is_some(), &[Human]),
        ("clears", !raw.clears.is_empty(), &[Human]),
        ("device", raw.device.is_some(), &[Actuate, Process]),
        ("set", !raw.set.is_empty(), &[Actuate, Process]),
        ("verify", raw.verify.is_some(), &[Actuate, Process, Verify]),
        ("retry", raw.retry.is_some(), &[Actuate]),
        ("compensate", raw.compensate.is_some(), &[Actuate]),
        ("reassert", raw.reassert.is_some(), &[Actuate]),
        ("run", raw.run.is_some(), &[Process]),
    ];
    for (key, _, kinds) in
        given.into_iter().filter(|(_, is_given, kinds)| *is_given && !kinds.contains(&raw.kind))
    {
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind_word(*kind)).collect();
        diagnostics
            .wrong(&nth("step", index, key), format!("belongs to steps of kind {}", kinds.join(" or ")));
    }
}

const fn kind_word(kind: raw::Kind) -> &'static str {
    match kind {
        raw::Kind::Human => "human",
        raw::Kind::Actuate => "actuate",
        raw::Kind::Process => "process",
        raw::Kind::Verify => "verify",
    }
}

fn work(raw: &raw::Step, index: usize, diagnostics: &mut Diagnostics<'_, '_>) -> Option<Work> {
    let mut needed = |key: &str, is_given: bool| {
        if !is_given {
            diagnostics.wrong(&nth("step", index, key), "is missing");
        }
    };
    match raw.kind {
        raw::Kind::Human => {
            needed("role", raw.role.is_some());
            needed("prompt", raw.prompt.is_some());
            Some(Work::Human(HumanTask {
                role: raw.role.clone()?,
                count: raw.count.unwrap_or(1),
                prompt: raw.prompt.clone()?,
                evidence: raw.evidence.clone(),
                void_on: void_on(&raw.void_on, index, diagnostics),
                not_same_as: raw.not_same_as.clone(),
                is_sweep: raw.sweep.unwrap_or_default(),
                clears: raw.clears.clone(),
            }))
        }
        raw::Kind::Actuate => {
            needed("device", raw.device.is_some());
            let compensate = raw.compensate.as_ref().map(|remedy| Compensate {
                set: settings(&remedy.set, index, "compensate", diagnostics),
                pre: remedy.pre.clone(),
            });
            Some(Work::Actuate {
                device: raw.device.clone()?,
                set: settings(&raw.set, index, "set", diagnostics),
                verify: raw.verify.as_ref().map(verify),
                retry: raw.retry.as_ref().map_or(Retry { times: 0, gap: Duration::ZERO }, |retry| Retry {
                    times: retry.n,
                    gap: retry.gap.0,
                }),
                compensate,
                is_reasserted: raw.reassert.unwrap_or_default(),
            })
        }
        raw::Kind::Process => {
            needed("device", raw.device.is_some());
            needed("run", raw.run.is_some());
            let (device, run) = (raw.device.clone()?, raw.run.as_ref()?);
            Some(Work::Process {
                device,
                set: settings(&raw.set, index, "set", diagnostics),
                then: settings(&run.then, index, "run", diagnostics),
                verify: raw.verify.as_ref().map(verify),
                span: run.span.0,
                lease: run.lease.map(|lease| lease.0),
                abort_on: run.abort_on.clone(),
            })
        }
        raw::Kind::Verify => {
            needed("verify", raw.verify.is_some());
            raw.verify.as_ref().map(verify).map(Work::Verify)
        }
    }
}

fn verify(raw: &raw::Verify) -> Verify {
    let channel = match raw.channel {
        raw::Channel::Itself => Channel::Itself,
        raw::Channel::Independent => Channel::Independent,
    };
    Verify { read: raw.read.clone(), within: raw.within.0, channel }
}

fn void_on(raw: &[String], index: usize, diagnostics: &mut Diagnostics<'_, '_>) -> VoidOn {
    let mut void_on = VoidOn::default();
    for text in raw {
        match (text.as_str(), duration::parse(text)) {
            ("door_opened", _) => void_on.door_opened = true,
            ("presence", _) => void_on.presence = true,
            // It always does.
            ("restart", _) => {}
            (_, Ok(after)) => void_on.after = Some(after),
            (_, Err(_)) => {
                let message = format!(
                    "{text:?} is none of \"door_opened\", \"presence\", \"restart\", a time such as \"15m\""
                );
                diagnostics.wrong(&nth("step", index, "void_on"), message);
            }
        }
    }
    void_on
}

fn settings(
    raw: &BTreeMap<String, serde_json::Value>,
    index: usize,
    key: &str,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Vec<(String, Literal)> {
    let mut all = Vec::new();
    for (name, value) in raw {
        match literal(value) {
            Some(value) => all.push((name.clone(), value)),
            None => {
                diagnostics.wrong(&nth("step", index, key), format!("{name} is neither a number nor a word"))
            }
        }
    }
    all
}

fn literal(value: &serde_json::Value) -> Option<Literal> {
    match value {
        serde_json::Value::Number(number) => number.as_f64().map(Literal::Number),
        serde_json::Value::String(text) => Some(Literal::Word(text.clone())),
        serde_json::Value::Bool(is_on) => Some(Literal::Word(is_on.to_string())),
        _ => None,
    }
}
