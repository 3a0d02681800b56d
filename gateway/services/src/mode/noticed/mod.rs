//! Small tests of single decisions of the engine, each of which a mutant of `cargo xtask mutants` once
//! survived or could survive.

mod commands;
mod left_out;
mod readings;
mod rooms;
mod stops;
mod stored;
mod storing;

use std::sync::Arc;

use linli_domain::{
    Batch, ClockQuality, DeviceClass, Id, Layout, PointSpec, Quality, Sample, Value, ValueType,
};
use linli_mode::{ActionPhase, Event, Phase, ResolvedPlan, State, StepState, Truth};
use linli_store::Documents;
use serde_json::Value as Json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::actuator::{Done, Task};
use super::deferred_queue::DeferredQueue;
use super::engine::Engine;
use super::golden::{PLAN, engine, enter, switch};
use super::request::{Operation, RequestedAction};
use super::room::Room;
use crate::command_queue::Submission;
use crate::golden::site::{NOW, Site};

const ROOM: &str = "reading-room";
const LAMPS: &str = "lamps";

/// What the room's controller reads while the lamps are on.
const LIT: [(&str, Value); 12] = [
    ("lamps", Value::Bool(true)),
    ("irradiance", Value::Bool(true)),
    ("lamp_interlock", Value::Bool(true)),
    ("temperature", Value::Float(25.0)),
    ("humidity", Value::Float(50.0)),
    ("lamp_hours", Value::Float(100.0)),
    ("entry", Value::Integer(1)),
    ("door_open", Value::Bool(false)),
    ("egress_free", Value::Bool(true)),
    ("air_flow", Value::Float(100.0)),
    ("occupied", Value::Bool(false)),
    ("fire_alarm", Value::Bool(false)),
];
const ON: Value = Value::Bool(true);
const OFF: Value = Value::Bool(false);

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

/// An engine with one room, whose commands are looked at.
struct Bench {
    site: Site,
    engine: Engine,
    room: usize,
    usual: mpsc::Receiver<Submission>,
    first: mpsc::Receiver<Submission>,
}

/// A command on its way to the command service.
struct Sent {
    is_first: bool,
    id: String,
    point: String,
    value: Json,
    taken_back: CancellationToken,
}

impl Bench {
    async fn open() -> Self {
        let site = Site::open().await;
        let (engine, [usual, first], _) = engine(&site).await;
        let room = engine.setup.facility.room(ROOM).unwrap();
        Self { site, engine, room, usual, first }
    }

    /// The room was ordered, searched and secured; the lamps are being switched on.
    async fn switched() -> Self {
        let mut bench = Self::open().await;
        let order = enter(&bench.engine);
        switch(&mut bench.engine, &order).await;
        bench
    }

    /// The lamps are on.
    async fn lit() -> Self {
        let mut bench = Self::switched().await;
        let own = bench.ended("uv-dose", true);
        bench.finish(own, Vec::new()).await;
        bench.reads(&[&[]]).await;
        assert_eq!(*bench.of("uv-dose"), StepState::Running);
        bench.commands();
        bench
    }

    /// The commands of a step ended.
    fn ended(&self, step: &str, is_done: bool) -> Done {
        let step = self.step(step);
        let touches = self.plan().steps[step].touches.clone();
        let act = Some((step, ActionPhase::On));
        let task = Task { room: self.room, serial: self.room().serial, act, safe: None, touches };
        Done { task, is_done, why: (!is_done).then(|| "no answer".to_owned()) }
    }

    /// Results of commands, which arrived together.
    async fn finish(&mut self, first: Done, rest: Vec<Done>) {
        let (sender, queue) = mpsc::channel(16);
        rest.into_iter().for_each(|done| sender.try_send(done).unwrap());
        self.engine.done = DeferredQueue::new(queue);
        self.engine.finish_commands(first).await;
    }

    /// Batches of the room's controller, which arrived together: what differs from [`LIT`].
    async fn reads(&mut self, batches: &[&[(&str, Value)]]) {
        let mut batches = batches.iter().map(|differs| {
            let value =
                |name: &str| differs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
            let all: Vec<_> =
                LIT.iter().map(|(name, usual)| (*name, value(name).unwrap_or(usual.clone()))).collect();
            batch_of("reading-mode", &all)
        });
        let first = batches.next().unwrap();
        let (sender, queue) = mpsc::channel(64);
        batches.for_each(|batch| sender.try_send(batch).unwrap());
        self.engine.batches = DeferredQueue::new(queue);
        self.engine.read_batches(first).await;
    }

    /// Something that no step is concerned with becomes known.
    async fn learns_something(&mut self) {
        self.read("reading-air.ach >= 6", Truth::True).await;
    }

    fn plan(&self) -> &ResolvedPlan {
        &self.engine.setup.plan(PLAN).unwrap().resolved
    }

    fn step(&self, id: &str) -> usize {
        self.plan().step(id).unwrap()
    }

    fn of(&self, id: &str) -> &StepState {
        &self.state().run.as_ref().unwrap().steps[self.step(id)]
    }

    fn state(&self) -> &State {
        &self.engine.rooms[&self.room].state
    }

    fn room(&self) -> &Room {
        &self.engine.rooms[&self.room]
    }

    fn predicate(&self, text: &str) -> usize {
        let facility = &self.engine.setup.facility;
        self.plan().predicates.iter().position(|predicate| predicate.text(facility) == text).unwrap()
    }

    fn truth(&self, text: &str) -> Truth {
        self.room().recorded_truth(self.predicate(text))
    }

    async fn tell(&mut self, event: Event) {
        self.engine.apply(self.room, event).await;
    }

    async fn read(&mut self, text: &str, truth: Truth) {
        self.tell(Event::Truth(self.predicate(text), truth)).await;
    }

    async fn act(&mut self, person: &str, operation: Operation) -> Result<(), String> {
        let action = does(person, operation);
        self.engine
            .answer(&linli_domain::caller::Caller::local("lin"), action)
            .await
            .map(drop)
            .map_err(|why| why.to_string())
    }

    /// Whatever was submitted since the last call: first what is sent usually, then what makes safe.
    fn commands(&mut self) -> Vec<Sent> {
        let mut all = Vec::new();
        for (is_first, lane) in [(false, &mut self.usual), (true, &mut self.first)] {
            while let Ok(Submission { inbound, taken_back, .. }) = lane.try_recv() {
                let body: Json = serde_json::from_slice(&inbound.payload).unwrap();
                let text = |key: &str| body[key].as_str().unwrap().to_owned();
                let (id, point, value) = (text("id"), text("point"), body["value"].clone());
                all.push(Sent { is_first, id, point, value, taken_back });
            }
        }
        all
    }

    /// From now on nothing can be stored.
    async fn break_store(&mut self) {
        self.engine.deps.store = closed().await;
    }

    fn mend_store(&mut self) {
        self.engine.deps.store = self.site.store.documents();
    }

    /// The audit entries of the room's steps: the kind of their event, and the stage they led to.
    async fn entries(&self) -> Vec<(String, String)> {
        let dump = self.site.dump().await;
        let lines = dump.lines().filter_map(|line| line.strip_prefix("document mode-line "));
        let bodies = lines.filter_map(|line| serde_json::from_str::<Json>(&line[line.find('{')?..]).ok());
        bodies
            .filter(|body| body["kind"] == "step" && body["room"] == ROOM)
            .map(|body| {
                let event = match &body["event"] {
                    Json::Object(event) => event.keys().next().unwrap().clone(),
                    event => event.as_str().unwrap().to_owned(),
                };
                (event, body["to"].as_str().unwrap().to_owned())
            })
            .collect()
    }

    fn expect(&self, phase: Phase) {
        assert_eq!(self.state().phase, phase, "{:?}", self.state().run);
    }
}

fn does(person: &str, operation: Operation) -> RequestedAction {
    RequestedAction::Do { room: ROOM.to_owned(), person: Some(person.to_owned()), operation }
}

/// A store that takes nothing.
pub(super) async fn closed() -> Documents {
    let site = linli_golden_site::Site::open().await;
    let documents = site.store.documents();
    site.store.close().await;
    documents
}

/// Readings of a device.
fn batch_of(device: &str, values: &[(&str, Value)]) -> Batch {
    let point = |(name, _): &(&str, Value)| PointSpec {
        name: id(name),
        unit: "1".to_owned(),
        kind: ValueType::Bool,
        writable: false,
    };
    let sample = |(index, (_, value)): (usize, &(&str, Value))| Sample {
        point: u16::try_from(index).unwrap(),
        at: NOW,
        clock: ClockQuality::Synchronised,
        quality: Quality::Good,
        value: Some(value.clone()),
    };
    let layout = Layout {
        device: id(device),
        name: String::new(),
        room: None,
        class: DeviceClass::Actuator,
        profile: String::new(),
        points: values.iter().map(point).collect(),
    };
    Batch { layout: Arc::new(layout), samples: values.iter().enumerate().map(sample).collect() }
}
