//! The plans and the part of the building that are kept with a room while it is not in peace: a
//! configuration that lacks them cannot take away the means to stop the room and to bring it back.

use std::sync::Arc;

use linli_domain::Timestamp;
use linli_domain::audit::{hex, unhex};
use linli_mode::{Cause, Direction, KeptPlan, KeptRoom, Phase, ResolvedPlan, Run};
use linli_store::{Document, Documents};

use super::room::{KeptPlans, Room, StoredRoom};
use super::setup::Setup;
use linli_config::CheckedPlan;

/// Kind of the documents.
const KEPT: &str = "mode-kept";

/// Where the plan of a room that is not in peace comes from.
pub(super) struct Found {
    /// Position of the room in the facility.
    pub index: usize,
    /// The plan of its run; `None` in peace.
    pub plan: Option<Arc<CheckedPlan>>,
    /// What people must know, if the plan is not that of the configuration.
    pub notice: Option<Notice>,
}

/// What people must know of a room whose plan is not that of the configuration.
pub(super) struct Notice {
    /// What is so, and how to mend it.
    pub why: String,
    /// Whether the room is held until a person resumes it.
    pub is_held: bool,
}

/// The plan of a run, then those that it may be followed by, each once.
pub(super) fn plans<'p>(
    setup: &'p Setup,
    plan: &'p Arc<CheckedPlan>,
    entered: Option<&'p Arc<CheckedPlan>>,
) -> Vec<&'p Arc<CheckedPlan>> {
    let mut plans: Vec<&Arc<CheckedPlan>> = Vec::new();
    for plan in [Some(plan), setup.way_back(&plan.resolved), entered].into_iter().flatten() {
        let name = |plan: &Arc<CheckedPlan>| (plan.resolved.plan.id.clone(), plan.resolved.plan.version);
        if plans.iter().all(|known| name(known) != name(plan)) {
            plans.push(plan);
        }
    }
    plans
}

/// What a document of these plans holds.
pub(super) fn held(plans: &[&Arc<CheckedPlan>]) -> KeptPlans {
    plans.iter().map(|plan| (plan.hash, plan.building.clone())).collect()
}

/// Returns the document that keeps plans with a room; `None` when the building has no such room.
pub(super) fn document(
    setup: &Setup,
    room: &Room,
    plans: &[&Arc<CheckedPlan>],
    at: Timestamp,
) -> Option<Document> {
    let kept = plans.iter().map(|plan| keep(plan)).collect();
    let body = KeptRoom::of(&setup.facility, room.index, kept)?;
    let body = serde_json::to_string(&body).expect("a plan is made of JSON values");
    Some(Document { id: format!("{KEPT}/{}", room.id), kind: KEPT.to_owned(), at, body })
}

fn keep(plan: &Arc<CheckedPlan>) -> KeptPlan {
    KeptPlan {
        file: plan.file.clone(),
        text: plan.text.to_string(),
        hash: hex(&plan.hash),
        building: plan.building.clone(),
        resolved: plan.resolved.clone(),
        policy: plan.policy.clone(),
    }
}

fn checked(kept: KeptPlan) -> Option<Arc<CheckedPlan>> {
    let KeptPlan { file, text, hash, building, resolved, policy } = kept;
    let hash = unhex(&hash)?.try_into().ok()?;
    // Its signature was checked when it was loaded, and an order names it by its hash.
    let signed = None;
    Some(Arc::new(CheckedPlan { file, text: text.into(), hash, signed, resolved, policy, building }))
}

/// Finds the plan of a stored room: in the configuration, or else as it was kept with the room. A kept plan,
/// and what the building lacks of it, are added to `setup`. The state of a room of which nothing was kept
/// is changed so that all its outputs are made safe. `None` when the building has no such room, and nothing
/// was kept of it.
pub(super) async fn find(
    documents: &Documents,
    setup: &mut Setup,
    name: &str,
    stored: &mut StoredRoom,
) -> anyhow::Result<Option<Found>> {
    let configured = setup.facility.room(name);
    let Some((key, hash)) = stored.plan.clone().filter(|_| stored.state.run.is_some()) else {
        return Ok(configured.map(|index| Found { index, plan: None, notice: None }));
    };
    let plan =
        setup.plan(&key).filter(|plan| hex(&plan.hash) == hash && configured == Some(plan.resolved.room));
    let building = stored.building.as_deref();
    let is_same = |plan: &CheckedPlan| building.is_some_and(|building| plan.resolved.has_identity(building));
    if let (Some(index), Some(plan)) = (configured, plan.filter(|plan| is_same(plan))) {
        let wired = stored.wiring.as_ref().filter(|wired| **wired != setup.wiring_of(&plan.resolved));
        let notice = wired.map(|_| rewired(&key, name));
        return Ok(Some(Found { index, plan: Some(Arc::clone(plan)), notice }));
    }
    let document = documents.get(&format!("{KEPT}/{name}")).await?;
    let kept = document.and_then(|document| serde_json::from_str::<KeptRoom>(&document.body).ok());
    let is_its_own = |kept: &KeptRoom| {
        kept.plans.first().is_some_and(|plan| plan.resolved.plan.is_named(&key) && plan.hash == hash)
    };
    if let Some(kept) = kept.filter(is_its_own) {
        let mut with = setup.clone();
        let grafted = kept.graft(&mut with.facility);
        let plans: Vec<Arc<CheckedPlan>> = grafted.plans.into_iter().filter_map(checked).collect();
        if let Some(plan) = plans.first().cloned() {
            with.plans = with.plans.replaced(grafted.room, plans);
            *setup = with;
            let is_held = !grafted.is_same_building || building != Some(plan.building.as_str());
            let why = format!(
                "the configuration no longer has the plan {key} of the room {name}, or the building of it, as it was when the \
                 room was switched: the room keeps that plan until it is in peace. Put the files back, or bring the room \
                 back to peace first"
            );
            let notice = Some(Notice { why, is_held });
            return Ok(Some(Found { index: grafted.room, plan: Some(plan), notice }));
        }
    }
    let Some(index) = configured else { return Ok(None) };
    let plan = plan.cloned();
    Ok(Some(without(setup, index, (&key, name), plan, stored)))
}

/// What people must know of a room whose plan moves or reads other devices than when it was switched.
fn rewired(key: &str, name: &str) -> Notice {
    let why = format!(
        "the configuration has another line, unit or register for a device of the plan {key} than when the room {name} was \
         switched: the room is held, and what the devices of that time do is not known. Put devices.toml back, or go and \
         look （房间 {name} 转换后设备接线配置被改，原设备状态未知，请恢复 devices.toml 或到场查看）"
    );
    Notice { why, is_held: true }
}

/// Finds what can be done for a room of which version 0.1 kept nothing: every output of the room is made
/// safe, and the room is held.
fn without(
    setup: &Setup,
    index: usize,
    (key, name): (&str, &str),
    plan: Option<Arc<CheckedPlan>>,
    stored: &mut StoredRoom,
) -> Found {
    let (is_held, plan, why) = match plan {
        Some(plan) => (true, Some(plan), "the building was changed while the room was switched".to_owned()),
        None => {
            let why = format!(
                "the plan {key} of the room {name} is no longer in plans/ as it was: every output of the room is made safe, \
                 and the room is held until an order returns it"
            );
            (false, stand_in(setup, index, key), why)
        }
    };
    if let (Some(plan), Some(run)) = (&plan, &mut stored.state.run) {
        // The positions of the outputs may have changed, so every output is made safe.
        run.moved = (0..plan.resolved.safe.len()).collect();
        run.unproven.clear();
        run.watched.clear();
        run.awaited.clear();
        if plan.resolved.steps.is_empty() {
            forget_steps(run, &mut stored.state.phase);
        }
    }
    Found { index, plan, notice: Some(Notice { why, is_held }) }
}

/// A run whose steps are not known waits for an order to return.
fn forget_steps(run: &mut Run, phase: &mut Phase) {
    let order = linli_mode::OrderRef { direction: Direction::Enter, ..run.order.clone() };
    let causes = [Cause::Cancel].into();
    let steps = vec![linli_mode::StepState::Pending];
    *run = Run { moved: run.moved.clone(), causes, steps, ..Run::new(order, 0, 0) };
    *phase = Phase::Held;
}

fn stand_in(setup: &Setup, index: usize, key: &str) -> Option<Arc<CheckedPlan>> {
    let (id, version) = key.split_once('@')?;
    let name = (linli_domain::Id::new(id).ok()?, version.parse().ok()?);
    let lead = setup.any(index).map(|plan| plan.resolved.plan.lead.clone()).unwrap_or_default();
    let resolved = ResolvedPlan::stand_in(&setup.facility, index, name, lead)?;
    let building = resolved.identity();
    Some(Arc::new(CheckedPlan {
        file: String::new(),
        text: "".into(),
        hash: [0; 32],
        signed: None,
        resolved,
        policy: linli_mode::Policy::default(),
        building,
    }))
}
