//! The service: takes requests, lets one at a time onto each line, keeps the record, tells the district.

use std::collections::BTreeMap;
use std::sync::Arc;

use linli_domain::{DeviceClass, Id, Message, Record as Stored, Topic};
use linli_drivers::Clock;
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
use crate::error::ServiceError;
use crate::events::Events;
use crate::outputs::OutputGuard;
use crate::routes::Routes;
use linli_config::settings::image_key::ImageKeys;

/// Lines of the record waiting to be written.
const NOTE_QUEUE: usize = 64;

/// The service's deps.
pub struct Deps {
    /// The record.
    pub store: Documents,
    /// Where nodes are reached.
    pub routes: watch::Receiver<Arc<Routes>>,
    /// Which outputs belong to the mode switch.
    pub guard: OutputGuard,
    /// ImageKeys of images.
    pub keys: watch::Receiver<Arc<ImageKeys>>,
    /// Screens.
    pub events: Events,
    /// Labels.
    pub clock: Arc<dyn Clock>,
}

/// The service.
pub struct NodeService {
    deps: Deps,
    record: Record,
    /// Lines on which somebody works, by the job.
    busy: BTreeMap<Id, tokio::task::Id>,
    jobs: JoinSet<()>,
}

/// A line for the record; whoever writes it may wait until it is durable.
struct Note {
    what: NodeEvent,
    kept: oneshot::Sender<()>,
}

type Notes = mpsc::Sender<Note>;

// === impl NodeService ===

impl NodeService {
    /// Goes on with the record as it was kept.
    pub async fn resume(deps: Deps) -> anyhow::Result<Self> {
        let record = Record::resume(&deps.store).await?;
        Ok(Self { deps, record, busy: BTreeMap::new(), jobs: JoinSet::new() })
    }

    /// Serves until the queue closes. What is under way then is broken off: every node keeps what
    /// it has, and a new firmware that was not confirmed reverts by itself.
    pub async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let (notes, mut noted) = mpsc::channel(NOTE_QUEUE);
        for device in self.record.broken_off() {
            self.note(NodeEvent {
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
                    Some(request) => self.serve(request, &notes).await,
                    None => break,
                },
                Some(note) = noted.recv() => {
                    self.note(note.what).await;
                    let _ = note.kept.send(());
                }
                Some(ended) = self.jobs.join_next_with_id() => {
                    let job = ended.map_or_else(|error| error.id(), |(job, ())| job);
                    self.busy.retain(|_, busy| *busy != job);
                }
            }
        }
        self.jobs.shutdown().await;
    }

    async fn serve(&mut self, request: Request, notes: &Notes) {
        let Request { account: who, what, reply } = request;
        let refused = match what {
            Action::Do(what) => {
                let Err(why) = self.begin(&who, &what, reply, notes) else { return };
                what.word().map(|action| (action, what.device().unwrap_or_default().to_owned(), why))
            }
            Action::Flash { devices, image, keep_going, progress } => {
                let named = devices.join(", ");
                let begun = self.flash(&who, devices, image, keep_going, &progress, notes);
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
            self.note(what).await;
        }
    }

    /// Begins something short, if the line is free. The answer is given either way.
    fn begin(
        &mut self,
        who: &str,
        what: &Do,
        reply: oneshot::Sender<Result<Value, ServiceError>>,
        notes: &Notes,
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
        let (who, what, notes) = (who.to_owned(), what.clone(), notes.clone());
        let job = self.jobs.spawn(async move {
            let finished = job::run(&target, &what, &who).await;
            if let Some(what) = finished.noted {
                keep(&notes, what).await;
            }
            let _ = reply.send(finished.answer);
        });
        self.busy.insert(line, job.id());
        Ok(())
    }

    /// Begins an update of one or more nodes of one line.
    fn flash(
        &mut self,
        who: &str,
        devices: Vec<String>,
        image: Box<Image>,
        keep_going: bool,
        tell: &mpsc::Sender<Value>,
        notes: &Notes,
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
        let (who, tell, notes) = (who.to_owned(), tell.clone(), notes.clone());
        let job = self.jobs.spawn(async move {
            for (_, target) in found {
                let went_well = one(&target, &image, &who, &tell, &notes).await;
                if tell.is_closed() || !(went_well || keep_going) {
                    break;
                }
            }
        });
        self.busy.insert(line, job.id());
        Ok(())
    }

    /// A node of the configuration, with its line.
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
        let attendant = routes.attendants.get(&line).cloned();
        let attendant =
            attendant.ok_or_else(|| ServiceError::NotNow(format!("the line {line} is starting")))?;
        let target = Target {
            device: device.to_owned(),
            unit: planned.unit,
            attendant,
            serial: planned.serial,
            kind: Some(kind.id),
            afterwards: None,
            now: self.deps.clock.now().at,
        };
        Ok((line, target))
    }

    /// Whoever answers at a unit id of a line.
    fn on_line(&self, line: &str, unit: u8) -> Result<(Id, Target), ServiceError> {
        let routes = self.deps.routes.borrow();
        let Some((id, attendant)) = routes.attendants.get_key_value(line) else {
            let known: Vec<&str> = routes.attendants.keys().map(Id::as_str).collect();
            return Err(ServiceError::Unknown(format!("no line {line:?}; there are: {}", known.join(", "))));
        };
        let (device, attendant) = (format!("{line} unit {unit}"), attendant.clone());
        Ok((
            id.clone(),
            Target {
                device,
                unit,
                attendant,
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
        let unit_of = |route: &crate::routes::Route| {
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

    /// Writes a line of the record, and tells the district where it changed a node.
    async fn note(&mut self, what: NodeEvent) {
        let now = self.deps.clock.now().at;
        tracing::info!(device = what.device, action = what.action, result = what.result, "node");
        let told = json!({
            "device": what.device, "state": "maintained", "action": what.action, "result": what.result,
            "about": what.about, "detail": what.detail, "at": now.0,
        });
        let mut records = Vec::new();
        if let Value::Object(mut body) = told {
            body.retain(|_, member| !member.is_null());
            self.deps.events.tell("device", &Value::Object(body.clone()));
            if Id::new(&what.device).is_ok() {
                let topic = Topic::DeviceEvent;
                records.push(Stored::Message(Message {
                    topic,
                    class: DeviceClass::Telemetry,
                    at: now,
                    body,
                }));
            }
        }
        if let Err(error) = self.record.keep(&self.deps.store, now, what, records).await {
            tracing::error!(error = format!("{error:#}"), "the record of nodes cannot be written");
        }
    }
}

/// Updates one node, with its lines of the record; whether it went well.
async fn one(target: &Target, image: &Image, who: &str, tell: &mpsc::Sender<Value>, notes: &Notes) -> bool {
    let version = image.header.firmware;
    let line = |result: &str| NodeEvent {
        who: who.to_owned(),
        action: "flash".to_owned(),
        result: result.to_owned(),
        device: target.device.clone(),
        about: Some(format!("{version} {:08x}", image.header.id())),
        ..NodeEvent::default()
    };
    keep(notes, line("begun")).await;
    let (answer, serial) = job::update(target, image, tell).await;
    let result = answer["result"].as_str().unwrap_or_default();
    let what = NodeEvent {
        serial: serial.map(|serial| format!("{serial:016x}")),
        detail: answer["why"].as_str().map(str::to_owned),
        ..line(result)
    };
    let went_well = matches!(result, "done" | "already");
    keep(notes, what).await;
    let _ = tell.send(answer).await;
    went_well
}

async fn keep(notes: &Notes, what: NodeEvent) {
    let (kept, is_kept) = oneshot::channel();
    if notes.send(Note { what, kept }).await.is_ok() {
        let _ = is_kept.await;
    }
}
