//! Which rooms are in the service state, and whose outputs are made safe after it.

use std::collections::BTreeMap;
use std::sync::Arc;

use linli_domain::caller::Acting;
use linli_domain::{Id, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::evidence::Moment;
use super::setup::Setup;
use linli_config::CheckedPlan;

/// Rooms in the service state, and those whose outputs are made safe after it.
#[derive(Default)]
pub(super) struct RoomServices {
    pub(super) open: BTreeMap<Id, Open>,
    pub(super) ending: BTreeMap<Id, Ending>,
    /// Entries wait to be stored since then.
    pub(super) unstored: Option<Instant>,
}

/// The service state of a room, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredService {
    /// Person and account.
    pub(super) by: String,
    pub(super) why: String,
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
    /// Who began it; earlier versions stored none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) acting: Option<Acting>,
}

/// A room in the service state.
pub(super) struct Open {
    pub(super) stored: StoredService,
    /// When it ends by itself.
    pub(super) ends: Instant,
}

/// Outputs that are not proven safe yet.
pub(super) struct Ending {
    pub(super) setup: Arc<Setup>,
    pub(super) plan: Arc<CheckedPlan>,
    /// By position among the plan's safe states.
    pub(super) unproven: Vec<usize>,
    /// When they were first made safe: older readings prove nothing.
    pub(super) since: Moment,
    /// When they are looked at next.
    pub(super) next: Instant,
    /// When they are written next.
    pub(super) write_again: Instant,
}

/// Why a service state ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServiceEnd {
    /// A person ended it.
    Person,
    /// Its time was over.
    Time,
    /// An order for the room.
    Order,
    /// A stop.
    Stop,
    /// A fire.
    Fire,
    /// The fire panel fell silent.
    PanelSilent,
    /// The gateway started again.
    Restart,
    /// The building or its plans were changed.
    Configuration,
}

// === impl ServiceEnd ===

impl ServiceEnd {
    /// Its word in the record, and its text in Chinese.
    pub(super) const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Person => ("ended by a person", "人工结束"),
            Self::Time => ("its time was over", "到时自动结束"),
            Self::Order => ("an order for the room", "收到指令"),
            Self::Stop => ("stopped", "按下停止"),
            Self::Fire => ("fire", "火警"),
            Self::PanelSilent => ("the fire panel is silent", "消防主机无信号"),
            Self::Restart => ("the gateway started again", "网关重启"),
            Self::Configuration => ("the building or its plans were changed", "配置变更"),
        }
    }
}

// === impl RoomServices ===

impl RoomServices {
    /// When the next one ends, or has to be looked at.
    pub(super) fn due(&self) -> Option<Instant> {
        let ends = self.open.values().map(|open| open.ends);
        ends.chain(self.ending.values().map(|ending| ending.next)).chain(self.unstored).min()
    }

    /// Whether the room is in the service state.
    pub(super) fn is_open(&self, room: &Id) -> bool {
        self.open.contains_key(room)
    }

    /// Whether its outputs are still being made safe after it.
    pub(super) fn is_ending(&self, room: &Id) -> bool {
        self.ending.contains_key(room)
    }

    /// Ids of the rooms in the service state.
    pub(super) fn rooms(&self) -> Vec<String> {
        self.open.keys().map(Id::to_string).collect()
    }

    /// The service state as the JSON of the room's status; `None` without one.
    pub(super) fn view(&self, room: &Id) -> Option<Value> {
        if let Some(Open { stored, .. }) = self.open.get(room) {
            let StoredService { by, why, since, until, acting } = stored;
            let is_unverified = acting.as_ref().is_none_or(|acting| acting.unverified);
            return Some(json!({
                "state": "open", "by": by, "why": why, "since": since, "until": until, "acting": acting,
                "unverified": is_unverified,
            }));
        }
        let Ending { setup, plan, unproven, .. } = self.ending.get(room)?;
        let outputs: Vec<String> = unproven
            .iter()
            .filter_map(|output| {
                let setting = &plan.resolved.safe.get(*output)?.setting;
                let fixture = setup.facility.fixtures.get(setting.fixture)?;
                Some(format!("{}.{}", fixture.id, fixture.sets.get(setting.output)?.name))
            })
            .collect();
        Some(json!({"state": "ending", "unproven": outputs}))
    }
}
