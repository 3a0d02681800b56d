//! The node service: executes requests, one at a time per line, and keeps the record of nodes.

use std::collections::BTreeMap;
use std::sync::Arc;

use linli_domain::{DeviceClass, Id, Message, Record as Stored, Topic};
use linli_drivers::Clock;
use linli_drivers::modbus::data::Span;
use linli_drivers::modbus::maintenance;
use linli_drivers::modbus::plan::ModbusPlan;
use linli_drivers::node;
use linli_store::Documents;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::image::Image;
use super::job::{self, Target};
use super::record::{NodeEvent, Record};
use super::request::{Action, Do, Request};
use super::scan::{Scan, registers};
use linli_config::settings::image_key::ImageKeys;
use linli_services::ServiceError;
use linli_services::events::Events;
use linli_services::outputs::OutputGuard;
use linli_services::routes::Routes;

/// Bound of the queue of entries that wait to be written.
const ENTRY_QUEUE: usize = 64;

/// What the service needs when it starts.
pub struct Deps {
    /// The documents of the database, which hold the record.
    pub store: Documents,
    /// Current routes to devices and lines.
    pub routes: watch::Receiver<Arc<Routes>>,
    /// Which outputs belong to the mode switch.
    pub guard: OutputGuard,
    /// Public keys that images may be signed with.
    pub keys: watch::Receiver<Arc<ImageKeys>>,
    /// Events for screens.
    pub events: Events,
    /// Clock of the record's time stamps.
    pub clock: Arc<dyn Clock>,
}

/// The service.
pub struct NodeService {
    deps: Deps,
    record: Record,
    /// Lines in use, each with the task that uses it.
    busy: BTreeMap<Id, tokio::task::Id>,
    jobs: JoinSet<()>,
}

/// An entry of the record. `written` is sent once the entry is durable.
struct PendingEntry {
    event: NodeEvent,
    written: oneshot::Sender<()>,
}

type Entries = mpsc::Sender<PendingEntry>;

// === impl NodeService ===

impl NodeService {
    /// Resumes with the stored record.
    pub async fn resume(deps: Deps) -> anyhow::Result<Self> {
        let record = Record::resume(&deps.store).await?;
        Ok(Self { deps, record, busy: BTreeMap::new(), jobs: JoinSet::new() })
    }

    /// Serves until the queue closes. Operations in progress are then aborted: a node keeps what it has
    /// received, and firmware that is not confirmed reverts by itself.
    pub async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let (entries, mut pending) = mpsc::channel(ENTRY_QUEUE);
        for device in self.record.interrupted() {
            self.append(NodeEvent {
                who: "linli".to_owned(),
                action: "flash".to_owned(),
                result: "stopped".to_owned(),
                device,
                detail: Some("the gateway ended meanwhile; the same command goes on".to_owned()),
                ..NodeEvent::default()
            })
            .await;
        }
        loop {
            tokio::select! {
                request = requests.recv() => match request {
                    Some(request) => self.serve(request, &entries).await,
                    None => break,
                },
                Some(entry) = pending.recv() => {
                    self.append(entry.event).await;
                    let _ = entry.written.send(());
                }
                Some(ended) = self.jobs.join_next_with_id() => {
                    let job = ended.map_or_else(|error| error.id(), |(job, ())| job);
                    self.busy.retain(|_, busy| *busy != job);
                }
            }
        }
        self.jobs.shutdown().await;
    }

    async fn serve(&mut self, request: Request, entries: &Entries) {
        let Request { caller, what, reply } = request;
        let who = caller.account;
        let refused = match what {
            Action::Do(what) => {
                let Err(why) = self.begin(&who, &what, reply, entries) else { return };
                what.word().map(|action| (action, what.device().unwrap_or_default().to_owned(), why))
            }
            Action::Scan { line, units, progress } => {
                let _ = reply.send(self.scan(line, units, progress).map(|()| Value::Null));
                None
            }
            Action::Read { line, unit, span } => {
                self.read(&line, unit, span, reply);
                None
            }
            Action::Retry { device } => {
                let Err(why) = self.retry(&who, &device, reply, entries) else { return };
                Some(("retry", device, why))
            }
            Action::Flash { devices, image, keep_going, progress } => {
                let named = devices.join(", ");
                let begun = self.flash(&who, devices, image, keep_going, &progress, entries);
                let _ = reply.send(Ok(Value::Null));
                match begun {
                    Ok(()) => None,
                    Err(why) => {
                        let _ = progress.send(json!({"result": "refused", "why": why.to_string()})).await;
                        Some(("flash", named, why))
                    }
                }
            }
        };
        if let Some((action, device, why)) = refused {
            let what = NodeEvent {
                who,
                action: action.to_owned(),
                result: "refused".to_owned(),
                device,
                detail: Some(why.to_string()),
                ..NodeEvent::default()
            };
            self.append(what).await;
        }
    }

    /// Starts a short operation if the line is free. The reply is sent in either case.
    fn begin(
        &mut self,
        who: &str,
        what: &Do,
        reply: oneshot::Sender<Result<Value, ServiceError>>,
        entries: &Entries,
    ) -> Result<(), ServiceError> {
        let found = match what {
            Do::Provision { line, from: unit, .. } | Do::Look { line, unit } => self.on_line(line, *unit),
            _ => self.find(what.device().unwrap_or_default()),
        };
        let free = found.and_then(|(line, target)| {
            self.is_free(&line)?;
            if what.moves_outputs() {
                self.is_open(&line, &target)?;
            }
            Ok((line, target))
        });
        let (line, target) = match free {
            Ok(free) => free,
            Err(why) => {
                let _ = reply.send(Err(why.clone()));
                return Err(why);
            }
        };
        let (who, what, entries) = (who.to_owned(), what.clone(), entries.clone());
        let job = self.jobs.spawn(async move {
            let outcome = job::run(&target, &what, &who).await;
            if let Some(event) = outcome.entry {
                append(&entries, event).await;
            }
            let _ = reply.send(outcome.answer);
        });
        self.busy.insert(line, job.id());
        Ok(())
    }

    /// Starts a scan of a line; it changes nothing, so the record has no entry.
    fn scan(
        &mut self,
        line: String,
        units: (u8, u8),
        progress: mpsc::Sender<Value>,
    ) -> Result<(), ServiceError> {
        let (id, target) = self.on_modbus_line(&line, units.0)?;
        self.is_free(&id)?;
        let known = self.units_of(&id);
        let scan = Scan { line, units, known, progress };
        let job = self.jobs.spawn(scan.run(target.maintenance));
        self.busy.insert(id, job.id());
        Ok(())
    }

    fn read(
        &mut self,
        line: &str,
        unit: u8,
        span: Span,
        reply: oneshot::Sender<Result<Value, ServiceError>>,
    ) {
        let found =
            self.on_modbus_line(line, unit).and_then(|(id, target)| self.is_free(&id).map(|()| (id, target)));
        match found {
            Ok((id, target)) => {
                let job = self.jobs.spawn(async move {
                    let _ = reply.send(registers(&target.maintenance, unit, span).await);
                });
                self.busy.insert(id, job.id());
            }
            Err(why) => drop(reply.send(Err(why))),
        }
    }

    /// Asks a paused device at once, and puts on record who wanted it. The reply is sent in either case.
    fn retry(
        &mut self,
        who: &str,
        device: &str,
        reply: oneshot::Sender<Result<Value, ServiceError>>,
        entries: &Entries,
    ) -> Result<(), ServiceError> {
        let found = self.unit_of(device).and_then(|(line, unit)| {
            let (id, target) = self.on_line(line.as_str(), unit)?;
            self.is_free(&id)?;
            Ok((id, target))
        });
        let (line, target) = match found {
            Ok(found) => found,
            Err(why) => {
                let _ = reply.send(Err(why.clone()));
                return Err(why);
            }
        };
        let (who, device, entries) = (who.to_owned(), device.to_owned(), entries.clone());
        let job = self.jobs.spawn(async move {
            let asked = maintenance::probe(&target.maintenance, target.unit).await;
            let (result, detail) = match &asked {
                Ok(true) => ("done", None),
                Ok(false) => ("failed", Some("it does not answer".to_owned())),
                Err(why) => ("failed", Some(why.to_string())),
            };
            let (action, result) = ("retry".to_owned(), result.to_owned());
            let event = NodeEvent { who, action, result, device, detail, ..NodeEvent::default() };
            append(&entries, event).await;
            let answer = asked.map(|is_online| json!({"online": is_online}));
            let _ = reply.send(answer.map_err(|why| ServiceError::Conflict(why.to_string())));
        });
        self.busy.insert(line, job.id());
        Ok(())
    }

    /// The line and unit of a device, which speaks Modbus.
    fn unit_of(&self, device: &str) -> Result<(Id, u8), ServiceError> {
        let routes = self.deps.routes.borrow();
        let route = routes.devices.get(device);
        let route = route.ok_or_else(|| ServiceError::Unknown(format!("没有设备 no device {device:?}")))?;
        match route.plan.as_any().downcast_ref::<ModbusPlan>() {
            Some(plan) => Ok((route.plan.line().clone(), plan.devices[route.device].unit)),
            None => Err(ServiceError::Conflict(format!(
                "{device} 不在 Modbus 线路上，没有暂停可言 {device} is on no Modbus line: nothing is paused"
            ))),
        }
    }

    /// The same, of a line whose devices speak Modbus.
    fn on_modbus_line(&self, line: &str, unit: u8) -> Result<(Id, Target), ServiceError> {
        let (id, target) = self.on_line(line, unit)?;
        let routes = self.deps.routes.borrow();
        let mut here = routes.devices.values().filter(|route| *route.plan.line() == id);
        if here.all(|route| route.plan.as_any().is::<ModbusPlan>()) {
            return Ok((id, target));
        }
        let why = format!(
            "线路 {line} 不是 Modbus the line {line} is no Modbus line: it has no units and registers"
        );
        Err(ServiceError::Conflict(why))
    }

    /// The devices of a line, by unit.
    fn units_of(&self, line: &Id) -> Vec<(u8, String)> {
        let routes = self.deps.routes.borrow();
        let here = routes.devices.iter().filter(|(_, route)| route.plan.line() == line);
        here.filter_map(|(device, route)| {
            let plan = route.plan.as_any().downcast_ref::<ModbusPlan>()?;
            Some((plan.devices[route.device].unit, device.to_string()))
        })
        .collect()
    }

    /// Starts an update of one or more nodes of one line.
    fn flash(
        &mut self,
        who: &str,
        devices: Vec<String>,
        image: Box<Image>,
        keep_going: bool,
        progress: &mpsc::Sender<Value>,
        entries: &Entries,
    ) -> Result<(), ServiceError> {
        image.is_signed(&self.deps.keys.borrow()).map_err(ServiceError::Conflict)?;
        let found: Vec<(Id, Target)> =
            devices.iter().map(|device| self.find(device)).collect::<Result<_, _>>()?;
        let Some((line, _)) = found.first().cloned() else {
            return Err(ServiceError::Wrong("no device is named".to_owned()));
        };
        if let Some((other, target)) = found.iter().find(|(other, _)| *other != line) {
            let why = format!("{} is on the line {other}, not on {line}: one line at a time", target.device);
            return Err(ServiceError::Wrong(why));
        }
        self.is_free(&line)?;
        found.iter().try_for_each(|(line, target)| self.is_open(line, target))?;
        let (who, progress, entries) = (who.to_owned(), progress.clone(), entries.clone());
        let job = self.jobs.spawn(async move {
            for (_, target) in found {
                let succeeded = flash_one(&target, &image, &who, &progress, &entries).await;
                if progress.is_closed() || !(succeeded || keep_going) {
                    break;
                }
            }
        });
        self.busy.insert(line, job.id());
        Ok(())
    }

    /// Finds a configured node, with its line.
    fn find(&self, device: &str) -> Result<(Id, Target), ServiceError> {
        let routes = self.deps.routes.borrow();
        let Some(route) = routes.devices.get(device) else {
            let is_node = |layout: &Arc<linli_domain::Layout>| node::kind_of(&layout.profile).is_some();
            let nodes: Vec<&str> = routes
                .devices
                .iter()
                .filter(|(_, route)| is_node(&route.plan.layouts()[route.device]))
                .map(|(id, _)| id.as_str())
                .collect();
            let nodes = if nodes.is_empty() { "none".to_owned() } else { nodes.join(", ") };
            return Err(ServiceError::Unknown(format!("no device {device:?}; nodes are: {nodes}")));
        };
        let profile = &route.plan.layouts()[route.device].profile;
        let (Some(kind), Some(plan)) =
            (node::kind_of(profile), route.plan.as_any().downcast_ref::<ModbusPlan>())
        else {
            return Err(ServiceError::Wrong(format!("{device} is a {profile}, not one of our nodes")));
        };
        let line = route.plan.line().clone();
        let planned = &plan.devices[route.device];
        let maintenance = routes.maintenance.get(&line).cloned();
        let maintenance =
            maintenance.ok_or_else(|| ServiceError::NotNow(format!("the line {line} is starting")))?;
        let target = Target {
            device: device.to_owned(),
            unit: planned.unit,
            maintenance,
            serial: planned.serial,
            kind: Some(kind.id),
            afterwards: None,
            now: self.deps.clock.now().at,
        };
        Ok((line, target))
    }

    /// The unit at an address of a line; it need not be configured.
    fn on_line(&self, line: &str, unit: u8) -> Result<(Id, Target), ServiceError> {
        let routes = self.deps.routes.borrow();
        let Some((id, maintenance)) = routes.maintenance.get_key_value(line) else {
            let known: Vec<&str> = routes.maintenance.keys().map(Id::as_str).collect();
            return Err(ServiceError::Unknown(format!("no line {line:?}; there are: {}", known.join(", "))));
        };
        let (device, maintenance) = (format!("{line} unit {unit}"), maintenance.clone());
        Ok((
            id.clone(),
            Target {
                device,
                unit,
                maintenance,
                serial: None,
                kind: None,
                afterwards: None,
                now: self.deps.clock.now().at,
            },
        ))
    }

    /// Whether outputs of the node may fall back or move: not while they belong to a plan, unless the room is
    /// in its service state.
    fn is_open(&self, line: &Id, target: &Target) -> Result<(), ServiceError> {
        let routes = self.deps.routes.borrow();
        let unit_of = |route: &linli_services::routes::Route| {
            let plan = route.plan.as_any().downcast_ref::<ModbusPlan>()?;
            Some(plan.devices[route.device].unit)
        };
        let here = routes.devices.iter().filter(|(_, route)| route.plan.line() == line);
        let mut at_unit = here.filter(|(_, route)| unit_of(route) == Some(target.unit));
        at_unit
            .try_for_each(|(device, _)| self.deps.guard.check_device(device.as_str()))
            .map_err(|held| ServiceError::Conflict(held.to_string()))
    }

    fn is_free(&self, line: &Id) -> Result<(), ServiceError> {
        if !self.busy.contains_key(line) {
            return Ok(());
        }
        let why = format!("somebody else works on a node of the line {line}: one at a time; try again later");
        Err(ServiceError::Conflict(why))
    }

    /// Appends an entry to the record, and publishes it as an event of the device.
    async fn append(&mut self, event: NodeEvent) {
        let now = self.deps.clock.now().at;
        tracing::info!(device = event.device, action = event.action, result = event.result, "node");
        let body = json!({
            "device": event.device, "state": "maintained", "action": event.action, "result": event.result,
            "about": event.about, "detail": event.detail, "at": now.0,
        });
        let mut records = Vec::new();
        if let Value::Object(mut body) = body {
            body.retain(|_, member| !member.is_null());
            self.deps.events.publish("device", &Value::Object(body.clone()));
            if Id::new(&event.device).is_ok() {
                let topic = Topic::DeviceEvent;
                records.push(Stored::Message(Message {
                    topic,
                    class: DeviceClass::Telemetry,
                    at: now,
                    body,
                }));
            }
        }
        if let Err(error) = self.record.append(&self.deps.store, now, event, records).await {
            tracing::error!(error = format!("{error:#}"), "the record of nodes cannot be written");
        }
    }
}

/// Updates one node and records begin and end. Returns whether it succeeded.
async fn flash_one(
    target: &Target,
    image: &Image,
    who: &str,
    progress: &mpsc::Sender<Value>,
    entries: &Entries,
) -> bool {
    let version = image.header.firmware;
    let entry = |result: &str| NodeEvent {
        who: who.to_owned(),
        action: "flash".to_owned(),
        result: result.to_owned(),
        device: target.device.clone(),
        about: Some(format!("{version} {:08x}", image.header.id())),
        ..NodeEvent::default()
    };
    append(entries, entry("begun")).await;
    let (answer, serial) = job::update(target, image, progress).await;
    let result = answer["result"].as_str().unwrap_or_default();
    let ended = NodeEvent {
        serial: serial.map(|serial| format!("{serial:016x}")),
        detail: answer["why"].as_str().map(str::to_owned),
        ..entry(result)
    };
    let succeeded = matches!(result, "done" | "already");
    append(entries, ended).await;
    let _ = progress.send(answer).await;
    succeeded
}

/// Hands an entry to the service and waits until it is durable.
async fn append(entries: &Entries, event: NodeEvent) {
    let (written, is_written) = oneshot::channel();
    if entries.send(PendingEntry { event, written }).await.is_ok() {
        let _ = is_written.await;
    }
}
