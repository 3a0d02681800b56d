//! The plans that a configuration must have as they are, because rooms that are not in peace follow them.

use data_encoding::HEXLOWER;
use linli_domain::Id;
use linli_domain::audit::hex;
use linli_mode::Stage;
use serde::{Deserialize, Serialize};

use super::room::Room;
use super::setup::Setup;
use linli_config::CheckedPlan;

/// A plan that a room follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needed {
    /// The room.
    pub room: Id,
    /// Its stage.
    pub stage: Stage,
    /// The plan, `id@version`.
    pub plan: String,
    /// SHA-256 of its file, hexadecimal.
    pub hash: String,
    /// The name of the building as the plan sees it.
    pub building: String,
    /// The name of what it is wired to; empty where an earlier version began the run.
    #[serde(default)]
    pub wiring: String,
}

/// Returns why a configuration cannot be taken over while rooms follow these plans: one text for each room
/// whose plan it lacks or changes.
#[must_use]
pub fn missing(needed: &[Needed], fresh: &Setup) -> Vec<String> {
    let has = |needed: &Needed| {
        let is_wired =
            |plan: &CheckedPlan| needed.wiring.is_empty() || fresh.wiring_of(&plan.resolved) == needed.wiring;
        fresh.plan(&needed.plan).is_some_and(|plan| {
            hex(&plan.hash) == needed.hash && plan.resolved.has_identity(&needed.building) && is_wired(plan)
        })
    };
    let tell = |needed: &Needed| {
        let Needed { room, stage, plan, .. } = needed;
        format!(
            "room {room} is {} by the plan {plan}, which this configuration removes or changes (or its building, or the \
             line, unit or register of one of its devices): put it back, or bring the room back to peace first \
             （房间 {room} 正按预案 {plan} 运行，请先恢复该文件及其设备的接线配置，或先把房间恢复平时）",
            stage.as_str()
        )
    };
    needed.iter().filter(|needed| !has(needed)).map(tell).collect()
}

/// Returns the plan that a room follows; `None` in peace.
fn followed(room: &Room) -> Option<&CheckedPlan> {
    room.plan.as_deref().filter(|_| room.state.run.is_some())
}

/// Whether `known` is what the rooms need now. It is asked after every decision, so it copies nothing.
pub(super) fn is_current<'r>(known: &[Needed], setup: &Setup, rooms: impl Iterator<Item = &'r Room>) -> bool {
    let mut rooms = rooms.filter_map(|room| Some((room, followed(room)?)));
    let is_same = |needed: &Needed, (room, plan): (&Room, &CheckedPlan)| {
        let mut hash = [0; 64];
        HEXLOWER.encode_mut(&plan.hash, &mut hash);
        needed.room == room.id
            && needed.stage == room.stage(setup)
            && plan.resolved.plan.is_named(&needed.plan)
            && needed.hash.as_bytes() == hash
            && needed.building == plan.building
            && needed.wiring == room.wiring.as_deref().unwrap_or_default()
    };
    known.iter().all(|needed| rooms.next().is_some_and(|of| is_same(needed, of))) && rooms.next().is_none()
}

/// Returns the plan that a room needs; `None` in peace.
pub(super) fn of_room(setup: &Setup, room: &Room) -> Option<Needed> {
    let plan = followed(room)?;
    Some(Needed {
        room: room.id.clone(),
        stage: room.stage(setup),
        plan: plan.resolved.plan.key(),
        hash: hex(&plan.hash),
        building: plan.building.clone(),
        wiring: room.wiring.clone().unwrap_or_default(),
    })
}
