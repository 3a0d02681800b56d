//! Publishes the parts of the configuration that services take over on a reload without a restart.

use std::collections::BTreeSet;
use std::sync::Arc;

use linli_domain::Id;
use linli_domain::alarm::Rule;
use tokio::sync::watch;

use crate::runtime::pipeline::Rules;
use linli_config::settings::canteen::CanteenDevice;
use linli_config::settings::image_key::ImageKeys;
use linli_config::settings::kiosk::KioskSettings;
use linli_config::settings::siren::Siren;
use linli_config::settings::webhook::Webhook;
use linli_config::{Checked, Insecure, LocalAccount, Worker};
use linli_services::mode;
use linli_services::outputs::PlanOutputs;
use linli_tls::Names;
use linli_web::{ConfiguredNames, OrderKeys};

/// One sender per part of the configuration.
pub struct ConfigWatch {
    /// Report rules.
    pub reports: watch::Sender<Rules>,
    /// Settings of the health cabin.
    pub cabin: watch::Sender<Arc<linli_config::settings::cabin::CabinSettings>>,
    /// Fonts and printer of result slips.
    pub slip: watch::Sender<Arc<linli_config::settings::slip::SlipSettings>>,
    /// The FHIR server.
    pub fhir: watch::Sender<Arc<Option<linli_config::settings::fhir::FhirSettings>>>,
    /// Accounts with a token.
    pub workers: watch::Sender<Arc<Vec<Worker>>>,
    /// Accounts of users of this machine.
    pub locals: watch::Sender<Arc<Vec<LocalAccount>>>,
    /// Names of the gateway, and people and rooms, by which accounts and screens are named.
    pub known: watch::Sender<Arc<ConfiguredNames>>,
    /// Keys and plans that orders at the screens are written with.
    pub orders: watch::Sender<Arc<OrderKeys>>,
    /// Alarm rules.
    pub alarms: watch::Sender<Arc<Vec<Rule>>>,
    /// Ids of alarms that stay disabled until the policy of a plan enables them.
    pub asleep: watch::Sender<Arc<BTreeSet<Id>>>,
    /// Webhooks.
    pub webhooks: watch::Sender<Arc<Vec<Webhook>>>,
    /// Sirens.
    pub sirens: watch::Sender<Arc<Vec<Siren>>>,
    /// Settings of the canteen service.
    pub canteen: watch::Sender<Arc<Vec<CanteenDevice>>>,
    /// Ids of the devices that the canteen service watches.
    pub cabinets: watch::Sender<Arc<BTreeSet<Id>>>,
    /// Settings of the kiosk service.
    pub kiosks: watch::Sender<Arc<KioskSettings>>,
    /// Ids of the kiosks.
    pub terminals: watch::Sender<Arc<BTreeSet<Id>>>,
    /// Building, plans and people.
    pub mode: watch::Sender<Arc<mode::Setup>>,
    /// Outputs of the plans.
    pub outputs: watch::Sender<Arc<PlanOutputs>>,
    /// The plans that rooms follow; the mode service publishes them.
    pub needed: watch::Sender<Vec<mode::Needed>>,
    /// Ids of the devices that the mode service reads.
    pub evidence: watch::Sender<Arc<BTreeSet<Id>>>,
    /// Public keys that firmware images may be signed with.
    pub image_keys: watch::Sender<Arc<ImageKeys>>,
    /// Listeners and connections that leave the machine without encryption.
    pub insecure: watch::Sender<Arc<Vec<Insecure>>>,
    /// Names of the certificate.
    pub names: watch::Sender<Names>,
    /// Plan of the centre, as screens draw it.
    pub centre: watch::Sender<linli_web::Plan>,
    /// Ids of the devices that alarm rules refer to.
    pub watched: watch::Sender<Arc<BTreeSet<Id>>>,
}

// === impl ConfigWatch ===

impl ConfigWatch {
    /// Starts with the values of a configuration.
    #[must_use]
    pub fn new(current: &Checked) -> Self {
        Self {
            reports: watch::Sender::new(reports(current)),
            cabin: watch::Sender::new(Arc::new(current.cabin.clone())),
            slip: watch::Sender::new(Arc::new(current.slip.clone())),
            fhir: watch::Sender::new(Arc::new(current.fhir.clone())),
            workers: watch::Sender::new(Arc::new(current.workers.clone())),
            locals: watch::Sender::new(Arc::new(current.local_accounts.clone())),
            known: watch::Sender::new(known(current)),
            orders: watch::Sender::new(Arc::new(OrderKeys::of(current))),
            alarms: watch::Sender::new(Arc::new(current.alarms.clone())),
            asleep: watch::Sender::new(Arc::new(current.asleep.clone())),
            webhooks: watch::Sender::new(Arc::new(current.webhooks.clone())),
            sirens: watch::Sender::new(Arc::new(current.sirens.clone())),
            canteen: watch::Sender::new(Arc::new(current.canteen.clone())),
            cabinets: watch::Sender::new(cabinets(current)),
            kiosks: watch::Sender::new(Arc::new(current.kiosks.clone())),
            terminals: watch::Sender::new(terminals(current)),
            mode: watch::Sender::new(Arc::new(mode::Setup::of(current))),
            outputs: watch::Sender::new(outputs(current)),
            needed: watch::Sender::default(),
            evidence: watch::Sender::new(Arc::new(mode::Setup::of(current).devices())),
            image_keys: watch::Sender::new(Arc::new(current.image_keys.clone())),
            insecure: watch::Sender::new(Arc::new(current.insecure())),
            names: watch::Sender::new(Names::of(current, &[])),
            centre: watch::Sender::new(linli_web::plan(current)),
            watched: watch::Sender::new(watched(current)),
        }
    }

    /// Publishes the values of a new configuration.
    pub fn apply(&self, current: &Checked) {
        self.reports.send_replace(reports(current));
        self.cabin.send_replace(Arc::new(current.cabin.clone()));
        self.slip.send_replace(Arc::new(current.slip.clone()));
        self.fhir.send_replace(Arc::new(current.fhir.clone()));
        self.workers.send_replace(Arc::new(current.workers.clone()));
        self.locals.send_replace(Arc::new(current.local_accounts.clone()));
        self.known.send_replace(known(current));
        self.orders.send_replace(Arc::new(OrderKeys::of(current)));
        // Sent before the rules: otherwise a disabled rule would be active for a moment.
        self.asleep.send_replace(Arc::new(current.asleep.clone()));
        // Unchanged rules are not sent: their delays keep running.
        self.alarms.send_if_modified(|rules| {
            let changed = **rules != current.alarms;
            if changed {
                *rules = Arc::new(current.alarms.clone());
            }
            changed
        });
        self.webhooks.send_if_modified(|hooks| {
            let changed = **hooks != current.webhooks;
            if changed {
                *hooks = Arc::new(current.webhooks.clone());
            }
            changed
        });
        self.sirens.send_replace(Arc::new(current.sirens.clone()));
        self.centre.send_replace(linli_web::plan(current));
        self.canteen.send_replace(Arc::new(current.canteen.clone()));
        self.cabinets.send_replace(cabinets(current));
        self.kiosks.send_replace(Arc::new(current.kiosks.clone()));
        self.terminals.send_replace(terminals(current));
        // Sent before the plans: no output of a new plan is open for a moment.
        self.outputs.send_replace(outputs(current));
        let setup = Arc::new(mode::Setup::of(current));
        self.evidence.send_replace(Arc::new(setup.devices()));
        self.mode.send_replace(setup);
        self.image_keys.send_replace(Arc::new(current.image_keys.clone()));
        self.insecure.send_replace(Arc::new(current.insecure()));
        self.names.send_if_modified(|names| {
            let wanted = Names::of(current, &[]);
            std::mem::replace(names, wanted.clone()) != wanted
        });
        self.watched.send_replace(watched(current));
    }
}

fn known(current: &Checked) -> Arc<ConfiguredNames> {
    let people = current.centre.people.people.iter().map(|person| person.id.clone()).collect();
    let rooms = current.rooms.iter().map(|room| room.id.clone()).collect();
    Arc::new(ConfiguredNames { names: current.web.names.clone(), people, rooms })
}

fn reports(current: &Checked) -> Rules {
    let of_line = |line: &linli_config::ConfiguredLine| {
        let ids = line.plan.layouts().iter().map(|layout| layout.device.clone());
        ids.zip(line.reports.iter().cloned()).collect::<Vec<_>>()
    };
    Arc::new(current.lines.iter().flat_map(of_line).collect())
}

fn outputs(current: &Checked) -> Arc<PlanOutputs> {
    Arc::new(PlanOutputs::of(&current.building, current.plans.iter().map(|plan| &plan.resolved)))
}

fn cabinets(current: &Checked) -> Arc<BTreeSet<Id>> {
    Arc::new(current.canteen.iter().map(|watched| watched.device.clone()).collect())
}

fn terminals(current: &Checked) -> Arc<BTreeSet<Id>> {
    Arc::new(current.kiosks.kiosks.iter().map(|kiosk| kiosk.device.clone()).collect())
}

fn watched(current: &Checked) -> Arc<BTreeSet<Id>> {
    let sources = |rule: &Rule| {
        let other = match &rule.condition {
            linli_domain::alarm::Condition::Deviation { from, .. } => Some(from.device.clone()),
            _ => None,
        };
        std::iter::once(rule.source.device.clone()).chain(other)
    };
    Arc::new(current.alarms.iter().flat_map(sources).collect())
}
