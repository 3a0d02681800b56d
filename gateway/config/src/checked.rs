//! The checked configuration: the form that the services work with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use linli_domain::report::Report as Rule;
use linli_domain::role::Role;
use linli_domain::{Id, Layout, Timestamp};
use linli_drivers::CheckedLine;

use linli_mode::order::KnownTime;

use super::raw::Form;
use super::report::{Problem, Report};
use crate::settings::uplink_certificate;

/// A configuration without errors.
pub struct Checked {
    /// Settings of `[gateway]`.
    pub gateway: GatewayId,
    /// Settings of `[centre]`.
    pub centre: Centre,
    /// Rooms of all sites.
    pub rooms: Vec<Room>,
    /// Openings, zones and fixtures, as plans use them.
    pub building: linli_mode::facility::Facility,
    /// Plans by which rooms change their use.
    pub plans: Vec<super::CheckedPlan>,
    /// Lines with their devices.
    pub lines: Vec<ConfiguredLine>,
    /// Settings of the database.
    pub store: linli_store::Settings,
    /// For how long entries of the hash-chained records are kept.
    pub record_retention: std::time::Duration,
    /// Connection to the MQTT broker; `None` when nothing is forwarded.
    pub uplink: Option<linli_uplink::Settings>,
    /// Settings of the network listener.
    pub web: Web,
    /// Why the connection to the broker is not encrypted, where the configuration says so.
    pub uplink_insecure: Option<String>,
    /// Accounts with a token.
    pub workers: Vec<Worker>,
    /// Users of this machine with an account.
    pub local_accounts: Vec<LocalAccount>,
    /// Settings of the health cabin.
    pub cabin: crate::settings::cabin::CabinSettings,
    /// Settings of the result slip and its printer.
    pub slip: crate::settings::slip::SlipSettings,
    /// The FHIR server that visits are sent to; `None`: none is sent.
    pub fhir: Option<crate::settings::fhir::FhirSettings>,
    /// Alarm rules.
    pub alarms: Vec<linli_domain::alarm::Rule>,
    /// Ids of alarms that stay disabled until the policy of a plan enables them.
    pub asleep: std::collections::BTreeSet<Id>,
    /// Webhooks that are notified of alarms.
    pub webhooks: Vec<crate::settings::webhook::Webhook>,
    /// Sirens and lamps on the site.
    pub sirens: Vec<crate::settings::siren::Siren>,
    /// Devices that the canteen service watches.
    pub canteen: Vec<crate::settings::canteen::CanteenDevice>,
    /// Kiosks and the matters they offer.
    pub kiosks: crate::settings::kiosk::KioskSettings,
    /// Public keys that firmware images may be signed with.
    pub image_keys: crate::settings::image_key::ImageKeys,
}

impl Checked {
    /// Directory of the database, the control socket, the last good configuration and the key of
    /// the gateway.
    pub fn data_dir(&self) -> anyhow::Result<PathBuf> {
        let parent = self.store.path.parent().context("[store] path has no directory")?;
        Ok(parent.to_owned())
    }

    /// Layout of the computed device of the uplink's certificate, where it has one.
    #[must_use]
    pub fn certificate_layout(&self) -> Option<Layout> {
        self.uplink.as_ref()?.tls.as_ref()?.identity.as_ref()?;
        uplink_certificate::layout()
    }

    /// Every listener and connection that leaves the machine without encryption.
    #[must_use]
    pub fn insecure(&self) -> Vec<Insecure> {
        let printer = self.slip.printer.as_ref().and_then(|printer| printer.insecure.clone());
        let fhir = self.fhir.as_ref().and_then(|fhir| fhir.insecure.clone());
        let own = [
            ("[web]", &self.web.insecure),
            ("[mqtt]", &self.uplink_insecure),
            ("[slip]", &printer),
            ("[fhir]", &fhir),
        ];
        let own = own.into_iter().filter_map(|(place, why)| Some((place.to_owned(), why.clone()?)));
        let lines = self.lines.iter().filter_map(|line| {
            Some((format!("line {}", line.plan.line()), line.plan.insecure()?.to_owned()))
        });
        let hooks = self.webhooks.iter();
        let hooks = hooks.filter_map(|hook| Some((format!("webhook {}", hook.id), hook.insecure.clone()?)));
        own.chain(lines).chain(hooks).map(|(place, why)| Insecure { place, why }).collect()
    }

    /// Returns the plans that no key signed which is valid at that time. They do not keep a gateway from
    /// starting: orders that name them are refused.
    #[must_use]
    pub fn unsigned_plans(&self, at: Timestamp) -> Option<Report> {
        let time = KnownTime::trusted(at);
        let problem = |plan: &super::CheckedPlan| {
            let why = self.centre.people.is_signed_now(plan, &time).err()?;
            Some(Problem::file(&plan.file, why))
        };
        Report::of(self.plans.iter().filter_map(problem).collect())
    }
}

/// `[gateway]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayId {
    /// Id, unique in the centre.
    pub id: Id,
}

/// `[centre]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Centre {
    /// Id, unique in the district.
    pub id: Id,
    /// Name for people.
    pub name: String,
    /// compact, strung or cluster.
    pub form: Form,
    /// Time zone.
    pub timezone: String,
    /// The time zone, parsed.
    pub zone: linli_domain::timezone::Zone,
    /// The time zone is that of the machine, because the configuration names none.
    pub is_zone_of_machine: bool,
    /// Opening hours; empty: always open.
    pub opening: Vec<linli_domain::hours::Opening>,
    /// Staff, and people who give orders.
    pub people: super::People,
    /// Sites and the distances between them.
    pub sites: Vec<linli_mode::facility::Site>,
    /// Areas that the map draws between the rooms.
    pub areas: Vec<Area>,
    /// Drawings below the outlines.
    pub backgrounds: Vec<Background>,
}

/// A corner of an outline, in metres from the north-west corner of the site: east, then south.
pub type Corner = [f64; 2];

/// A room.
#[derive(Debug, Clone, PartialEq)]
pub struct Room {
    /// Id, unique in the centre.
    pub id: Id,
    /// Name for people.
    pub name: String,
    /// Id of its site.
    pub site: Option<Id>,
    /// Its role in normal operation.
    pub peace_role: Option<String>,
    /// Roles it can take in an emergency.
    pub emergency_roles: Vec<String>,
    /// Volume in m³.
    pub volume: Option<f64>,
    /// Its floor; 1 is the ground floor.
    pub floor: i8,
    /// Corners of its outline; empty if the map draws it in a grid.
    pub outline: Vec<Corner>,
}

/// An area of a site that is no room: a corridor, stairs, a yard.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// Name for people.
    pub name: String,
    /// Id of its site.
    pub site: Option<Id>,
    /// Its floor; 1 is the ground floor.
    pub floor: i8,
    /// Corners of its outline.
    pub outline: Vec<Corner>,
}

/// A drawing below the outlines of a floor.
#[derive(Debug, Clone, PartialEq)]
pub struct Background {
    /// Id of its site.
    pub site: Option<Id>,
    /// Its floor; 1 is the ground floor.
    pub floor: i8,
    /// Its north-west corner.
    pub corner: Corner,
    /// Its width and depth, in metres.
    pub size: Corner,
    /// What names its contents: the beginning of their SHA-256.
    pub id: String,
    /// The drawing, written anew from what is harmless; empty where no file was read.
    pub svg: Arc<str>,
}

/// A line with its devices.
pub struct ConfiguredLine {
    /// Protocol settings and devices.
    pub plan: Arc<dyn CheckedLine>,
    /// Report rules: per device of the plan, one per point of its layout.
    pub reports: Vec<Vec<Rule>>,
    /// Age at which a value is stale, per device of the plan.
    pub stale_after: Vec<Duration>,
}

/// `[web]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    /// Address and port.
    pub listen: SocketAddr,
    /// What its peers may take; without a value, the default.
    pub limits: WebLimits,
    /// Further names of the gateway's certificate.
    pub names: Vec<String>,
    /// Why it is not encrypted off this machine, where the configuration says so.
    pub insecure: Option<String>,
}

/// Limits of the network listener that the configuration sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WebLimits {
    /// Most connections.
    pub connections: Option<u16>,
    /// Most connections of one address off this machine.
    pub per_address: Option<u16>,
    /// Longest time for headers.
    pub headers: Option<Duration>,
    /// Longest time for a body.
    pub body: Option<Duration>,
}

/// A listener or connection that leaves the machine without encryption, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Insecure {
    /// Its table in the configuration: `[web]`, `[mqtt]`, `[slip]`, `[fhir]`, `line ID`, or `webhook ID`.
    pub place: String,
    /// The reason, as the configuration says it.
    pub why: String,
}

impl Web {
    /// Whether the listener speaks TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        !self.listen.ip().is_loopback() && self.insecure.is_none()
    }
}

/// An account with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Name in the audit log.
    pub name: Id,
    /// SHA-256 of the bearer token.
    pub token: Vec<u8>,
    /// What it may do.
    pub roles: Vec<Role>,
}

/// A user of this machine with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalAccount {
    /// Name in records.
    pub name: Id,
    /// User id on this machine.
    pub uid: u32,
    /// What it may do.
    pub roles: Vec<Role>,
    /// The person whose user it is.
    pub person: Option<Id>,
}
