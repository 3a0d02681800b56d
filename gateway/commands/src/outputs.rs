//! The outputs that belong to plans of the mode switch. While a plan is loaded, its outputs obey the mode
//! switch alone; a room's service state opens them to the technician at the control socket.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use linli_domain::Id;
use linli_domain::command::CommandError;
use linli_mode::ResolvedPlan;
use linli_mode::facility::Facility;
use tokio::sync::watch;
use tokio::time::Instant;

/// Who asks for a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A program of the district, over the broker.
    Broker,
    /// A person on the gateway's machine, over the control socket.
    Socket,
    /// An alarm, for its siren.
    Siren,
    /// A data policy, for the text of a kiosk.
    Notice,
    /// The mode switch.
    Mode,
}

/// The outputs that plans set, each with the room and the plans that it belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanOutputs(BTreeMap<Id, BTreeMap<Id, Holder>>);

/// Whom an output belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Holder {
    room: Id,
    plans: BTreeSet<String>,
}

/// What the mode service says of outputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModeOutputs {
    /// Outputs of the plans in use. A plan that the configuration no longer has is in use until its run ends.
    pub in_use: PlanOutputs,
    /// Rooms in the service state, and when it ends at the latest.
    pub service: BTreeMap<Id, Instant>,
}

/// Decides which commands may reach an output.
#[derive(Debug, Clone)]
pub struct OutputGuard {
    /// Outputs of the plans in the configuration.
    pub configured: watch::Receiver<Arc<PlanOutputs>>,
    /// Outputs of the plans in use, and rooms in the service state.
    pub mode: watch::Receiver<Arc<ModeOutputs>>,
}

// === impl Source ===

impl Source {
    /// Who asked for a journaled command. The beginnings of ids are reserved
    /// ([`linli_domain::command::RESERVED_IDS`]).
    #[must_use]
    pub fn of_id(id: &str) -> Self {
        let own = [("mode-", Self::Mode), ("siren-", Self::Siren), ("notice-", Self::Notice)];
        own.into_iter().find(|(prefix, _)| id.starts_with(prefix)).map_or(Self::Broker, |(_, source)| source)
    }

    /// Whether people or programs outside the gateway's own logic ask.
    #[must_use]
    pub const fn is_from_elsewhere(self) -> bool {
        matches!(self, Self::Broker | Self::Socket)
    }
}

// === impl PlanOutputs ===

impl PlanOutputs {
    /// Every output that a step of the plans sets, at its beginning, its end, or as compensation, and every
    /// safe state that they may write.
    #[must_use]
    pub fn of<'p>(facility: &Facility, plans: impl IntoIterator<Item = &'p ResolvedPlan>) -> Self {
        let mut all: BTreeMap<Id, BTreeMap<Id, Holder>> = BTreeMap::new();
        for resolved in plans {
            for (fixture, output) in resolved.outputs() {
                let output = facility.fixtures.get(fixture).and_then(|found| found.sets.get(output));
                let Some(point) = output.map(|output| &output.point) else { continue };
                let holder = all.entry(point.device.clone()).or_default().entry(point.point.clone());
                let room = resolved.plan.room.clone();
                let holder = holder.or_insert_with(|| Holder { room, plans: BTreeSet::new() });
                holder.plans.insert(resolved.plan.key());
            }
        }
        Self(all)
    }

    fn holder(&self, device: &str, point: &str) -> Option<&Holder> {
        self.0.get(device)?.get(point)
    }

    /// The rooms whose plans set an output of the device.
    fn rooms_of(&self, device: &str) -> impl Iterator<Item = (&Id, &Holder)> {
        self.0.get(device).into_iter().flatten()
    }
}

// === impl OutputGuard ===

impl OutputGuard {
    /// A guard that holds nothing, for tests.
    #[must_use]
    pub fn open() -> Self {
        Self { configured: watch::Sender::default().subscribe(), mode: watch::Sender::default().subscribe() }
    }

    /// Whether a command from there may move the output now.
    ///
    /// # Errors
    /// [`CommandError::Held`] when the output belongs to a plan.
    pub fn check(&self, source: Source, device: &str, point: &str) -> Result<(), CommandError> {
        if source == Source::Mode {
            return Ok(());
        }
        let (configured, mode) = (self.configured.borrow(), self.mode.borrow());
        // A plan that is still in use may belong to another room than the one in the configuration.
        let mut holders =
            [&*configured, &mode.in_use].into_iter().filter_map(|all| all.holder(device, point));
        let closed = holders.find(|holder| !mode.serves(source, &holder.room));
        closed.map_or(Ok(()), |holder| Err(held(device, point, holder)))
    }

    /// Whether work on the device itself, which moves its outputs or makes them fall back, may be done now
    /// from the control socket.
    ///
    /// # Errors
    /// [`CommandError::Held`] when one of its outputs belongs to a plan.
    pub fn check_device(&self, device: &str) -> Result<(), CommandError> {
        let (configured, mode) = (self.configured.borrow(), self.mode.borrow());
        let mut all = configured.rooms_of(device).chain(mode.in_use.rooms_of(device));
        let closed = all.find(|(_, holder)| !mode.serves(Source::Socket, &holder.room));
        closed.map_or(Ok(()), |(point, holder)| Err(held(device, point.as_str(), holder)))
    }
}

// === impl ModeOutputs ===

impl ModeOutputs {
    /// Whether the service state of the room opens its outputs to that source. Only to the control socket:
    /// nobody far away moves what a technician works on.
    fn serves(&self, source: Source, room: &Id) -> bool {
        source == Source::Socket && self.service.get(room).is_some_and(|until| Instant::now() < *until)
    }
}

fn held(device: &str, point: &str, holder: &Holder) -> CommandError {
    CommandError::Held {
        device: device.to_owned(),
        point: point.to_owned(),
        room: holder.room.clone(),
        plans: holder.plans.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn guard(service: &[(&str, Instant)]) -> OutputGuard {
        let id = |text: &str| Id::new(text).unwrap();
        let holder = Holder { room: id("hall"), plans: ["hall.command@1".to_owned()].into() };
        let outputs = PlanOutputs([(id("door"), [(id("entry"), holder)].into())].into());
        let service = service.iter().map(|(room, until)| (id(room), *until)).collect();
        let mode = ModeOutputs { in_use: PlanOutputs::default(), service };
        OutputGuard {
            configured: watch::Sender::new(Arc::new(outputs)).subscribe(),
            mode: watch::Sender::new(Arc::new(mode)).subscribe(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_output_of_a_plan_obeys_the_mode_switch_alone() {
        let closed = guard(&[]);
        for source in [Source::Broker, Source::Socket, Source::Siren, Source::Notice] {
            let why = closed.check(source, "door", "entry").unwrap_err().to_string();
            assert!(why.contains("hall.command@1") && why.contains("linli mode service hall"), "{why}");
            assert_eq!(closed.check(source, "door", "bell"), Ok(()), "no plan sets it");
        }
        assert_eq!(closed.check(Source::Mode, "door", "entry"), Ok(()));
        assert!(closed.check_device("door").is_err() && closed.check_device("lamp").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_output_that_another_room_still_uses_stays_closed() {
        let until = Instant::now() + Duration::from_secs(60);
        let mut open = guard(&[("hall", until)]);
        assert_eq!(open.check(Source::Socket, "door", "entry"), Ok(()));
        let id = |text: &str| Id::new(text).unwrap();
        let holder = Holder { room: id("kitchen"), plans: ["kitchen.warehouse@1".to_owned()].into() };
        let in_use = PlanOutputs([(id("door"), [(id("entry"), holder)].into())].into());
        let service = [(id("hall"), until)].into();
        open.mode = watch::Sender::new(Arc::new(ModeOutputs { in_use, service })).subscribe();
        let why = open.check(Source::Socket, "door", "entry").unwrap_err().to_string();
        assert!(why.contains("kitchen.warehouse@1"), "{why}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_service_state_opens_it_to_the_control_socket_until_it_ends() {
        let open = guard(&[("hall", Instant::now() + Duration::from_secs(60))]);
        assert_eq!(open.check(Source::Socket, "door", "entry"), Ok(()));
        assert_eq!(open.check_device("door"), Ok(()));
        for source in [Source::Broker, Source::Siren, Source::Notice] {
            assert!(open.check(source, "door", "entry").is_err());
        }
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(open.check(Source::Socket, "door", "entry").is_err(), "even if nobody ends it");
        let other = guard(&[("kitchen", Instant::now() + Duration::from_secs(60))]);
        assert!(other.check(Source::Socket, "door", "entry").is_err(), "another room's");
    }
}
