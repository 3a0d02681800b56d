//! The checked configuration.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use linli_domain::Id;
use linli_domain::report::Report as Rule;
use linli_drivers::CheckedLine;

use super::raw::Form;

/// A configuration that cannot be wrong.
pub struct Checked {
    /// `[gateway]`.
    pub gateway: GatewayId,
    /// `[centre]`.
    pub centre: Centre,
    /// Rooms.
    pub rooms: Vec<Room>,
    /// The building, as plans see it.
    pub building: linli_mode::facility::Facility,
    /// By which ways rooms change their use.
    pub plans: Vec<super::CheckedPlan>,
    /// Lines with their devices.
    pub lines: Vec<ConfiguredLine>,
    /// The store.
    pub store: linli_store::Settings,
    /// The broker, if there is one.
    pub uplink: Option<linli_uplink::Settings>,
    /// The listener.
    pub web: Web,
    /// Who may work in the health cabin.
    pub workers: Vec<Worker>,
    /// The health cabin.
    pub cabin: crate::settings::cabin::CabinSettings,
    /// What is wrong, and how soon somebody must know.
    pub alarms: Vec<linli_domain::alarm::Rule>,
    /// Alarms that only a plan's policy wakes.
    pub asleep: std::collections::BTreeSet<Id>,
    /// Who outside is told.
    pub webhooks: Vec<crate::settings::webhook::Webhook>,
    /// What sounds on the site.
    pub sirens: Vec<crate::settings::siren::Siren>,
    /// What the canteen's service looks at.
    pub canteen: Vec<crate::settings::canteen::CanteenDevice>,
    /// Kiosks, and what residents come to them for.
    pub kiosks: crate::settings::kiosk::KioskSettings,
    /// Keys that images of nodes may be signed with.
    pub image_keys: crate::settings::image_key::ImageKeys,
}

impl Checked {
    /// The directory of the database also holds the control socket, the last good configuration and
    /// the gateway's key.
    pub fn data_dir(&self) -> anyhow::Result<PathBuf> {
        let parent = self.store.path.parent().context("[store] path has no directory")?;
        Ok(parent.to_owned())
    }
}
/// `[gateway]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayId {
    /// Unique in the centre.
    pub id: Id,
}

/// `[centre]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Centre {
    /// Unique in the district.
    pub id: Id,
    /// What people call it.
    pub name: String,
    /// compact, strung or cluster.
    pub form: Form,
    /// Time zone.
    pub timezone: String,
    /// The same, to reckon with.
    pub zone: linli_domain::timezone::Zone,
    /// When it is open; always, when there is none.
    pub opening: Vec<linli_domain::hours::Opening>,
    /// Who works there, or gives orders.
    pub people: super::People,
    /// Where its rooms are.
    pub sites: Vec<linli_mode::facility::Site>,
}

/// A room.
#[derive(Debug, Clone, PartialEq)]
pub struct Room {
    /// Unique in the centre.
    pub id: Id,
    /// What people call it.
    pub name: String,
    /// Its site.
    pub site: Option<Id>,
    /// What it is in peace.
    pub peace_role: Option<String>,
    /// What it can become.
    pub emergency_roles: Vec<String>,
    /// Cubic metres.
    pub volume: Option<f64>,
}

/// A line with its devices.
pub struct ConfiguredLine {
    /// What it does.
    pub plan: Arc<dyn CheckedLine>,
    /// Per device of the plan, one rule per point of its layout.
    pub reports: Vec<Vec<Rule>>,
    /// Per device of the plan, the age at which a value is stale.
    pub stale_after: Vec<Duration>,
}

/// `[web]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    /// Where to listen.
    pub listen: SocketAddr,
}

/// A health worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// What the audit calls them.
    pub name: Id,
    /// SHA-256 of the token they show.
    pub token: Vec<u8>,
}
