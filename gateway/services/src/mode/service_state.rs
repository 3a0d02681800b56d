//! Tests of the service state: when it begins, what opens, and that every end makes safe.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::command::CommandError;
use linli_domain::{Batch, ClockQuality, Id, Quality, Sample, Value};
use linli_mode::record::{ModeEntry, ModeEvent};
use linli_mode::{Event, Stage, Truth};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::engine::Engine;
use super::golden::{PLAN, engine, enter};
use super::request::{Operation, RequestedAction};
use crate::command_queue::Submission;
use crate::golden::site::{NOW, Site, checked};
use crate::outputs::{OutputGuard, PlanOutputs, Source};

const ROOM: &str = "reading-room";
const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);

/// An engine in peace with a normal fire panel, and what guards its outputs.
struct Started {
    site: Site,
    engine: Engine,
    usual: mpsc::Receiver<Submission>,
    first: mpsc::Receiver<Submission>,
    guard: OutputGuard,
}

impl Started {
    async fn new() -> Self {
        Self::on(Site::open().await).await
    }

    async fn on(site: Site) -> Self {
        let (mut engine, [usual, first], _) = engine(&site).await;
        let room = engine.setup.facility.room(ROOM).unwrap();
        engine.apply(room, Event::Fire(Truth::False)).await;
        let plans = engine.setup.plans.iter().map(|plan| &plan.resolved);
        let configured = Arc::new(PlanOutputs::of(&engine.setup.facility, plans));
        let guard = OutputGuard {
            configured: watch::Sender::new(configured).subscribe(),
            mode: engine.deps.outputs.subscribe(),
        };
        Self { site, engine, usual, first, guard }
    }

    async fn act(&mut self, person: &str, operation: Operation) -> Result<serde_json::Value, String> {
        let room = ROOM.to_owned();
        let action = RequestedAction::Do { room, person: Some(person.to_owned()), operation };
        self.engine
            .answer(&linli_domain::caller::Caller::local("lin"), action)
            .await
            .map_err(|why| why.to_string())
    }

    async fn begin(&mut self) {
        let shown = self.act("zhao", begin("更换灯管")).await.unwrap();
        assert_eq!(shown["rooms"][0]["service"]["state"], "open");
    }

    fn is_open(&self) -> bool {
        let open = self.guard.check(Source::Socket, "reading-mode", "lamps");
        assert!(self.guard.check(Source::Broker, "reading-mode", "lamps").is_err());
        open.is_ok()
    }

    /// What was sent ahead of all other commands, as point and value.
    fn made_safe(&mut self) -> Vec<(String, serde_json::Value)> {
        let mut all = Vec::new();
        while let Ok(submission) = self.first.try_recv() {
            assert_eq!(submission.source, Source::Mode);
            let body: serde_json::Value = serde_json::from_slice(&submission.inbound.payload).unwrap();
            all.push((body["point"].as_str().unwrap().to_owned(), body["value"].clone()));
        }
        all
    }

    /// What the record says of service states, the latest last.
    async fn recorded(&self) -> Vec<(String, String)> {
        let lines =
            crate::audit_log::entries_after::<ModeEvent>(&self.site.store.documents(), None, 1000).await;
        let events =
            lines.unwrap().into_iter().map(|line| serde_json::from_str::<ModeEntry>(&line).unwrap().what);
        let services = events.filter_map(|event| match event {
            ModeEvent::Service { state, why, .. } => Some((state, why)),
            _ => None,
        });
        services.collect()
    }

    async fn ended_by(&mut self, why: &str) {
        assert!(!self.is_open());
        let safe = self.made_safe();
        assert!(safe.contains(&("lamps".to_owned(), false.into())), "{safe:?}");
        assert!(safe.contains(&("entry".to_owned(), 0.into())), "{safe:?}");
        let last = self.recorded().await.pop().unwrap();
        assert_eq!(last, ("ended".to_owned(), why.to_owned()));
    }

    /// The fire panel reports.
    fn panel(&mut self, is_alarm: bool) {
        let config = checked();
        let layouts = config.lines.iter().flat_map(|line| line.plan.layouts());
        let layout = layouts.into_iter().find(|layout| layout.device.as_str() == "reading-mode").unwrap();
        let point = layout.points.iter().position(|point| point.name.as_str() == "fire_alarm").unwrap();
        let sample = Sample {
            point: u16::try_from(point).unwrap(),
            at: NOW,
            clock: ClockQuality::Synchronised,
            quality: Quality::Good,
            value: Some(Value::Bool(is_alarm)),
        };
        let batch = Batch { layout: Arc::clone(layout), samples: vec![sample] };
        self.engine.readings.note(&batch, Instant::now());
    }
}

fn begin(why: &str) -> Operation {
    Operation::BeginService(why.to_owned(), HALF_AN_HOUR)
}

#[tokio::test]
async fn it_begins_for_a_technician_in_peace_and_opens_outputs_to_the_control_socket() {
    let mut started = Started::new().await;
    assert!(!started.is_open());
    let long = Operation::BeginService("巡检".to_owned(), Duration::from_secs(9 * 3600));
    for (person, operation, why) in [
        ("qian", begin("更换灯管"), "role"),
        ("nobody", begin("更换灯管"), "no person"),
        ("zhao", begin("  "), "why"),
        ("zhao", long, "8h"),
        ("zhao", Operation::EndService, "not in its service state"),
    ] {
        let refused = started.act(person, operation).await.unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
    started.begin().await;
    assert!(started.is_open());
    assert_eq!(started.recorded().await, [("begun".to_owned(), "更换灯管".to_owned())]);
    assert_eq!(started.engine.deps.birth.borrow().service, [ROOM]);
    let again = started.act("zhao", begin("巡检")).await.unwrap_err();
    assert!(again.contains("begun by zhao"), "{again}");
    assert_eq!(started.made_safe(), [], "beginning moves nothing");
    let held = started.guard.check(Source::Socket, "kitchen-mode", "relay").unwrap_err();
    assert!(matches!(held, CommandError::Held { .. }), "another room stays closed");
}

#[tokio::test]
async fn it_is_refused_unless_the_room_is_in_peace_and_the_fire_panel_normal() {
    let mut started = Started::new().await;
    let room = started.engine.setup.facility.room(ROOM).unwrap();
    for fire in [Truth::Unknown, Truth::True] {
        started.engine.apply(room, Event::Fire(fire)).await;
        let refused = started.act("zhao", begin("更换灯管")).await.unwrap_err();
        assert!(refused.contains("fire panel"), "{refused}");
    }
    started.engine.apply(room, Event::Fire(Truth::False)).await;
    let order = enter(&started.engine);
    started.engine.order(&order, None, None).await.unwrap();
    let refused = started.act("zhao", begin("更换灯管")).await.unwrap_err();
    assert!(refused.contains("only in peace"), "{refused}");
}

#[tokio::test]
async fn a_person_ends_it_and_a_stop_ends_it() {
    let mut started = Started::new().await;
    started.begin().await;
    started.act("qian", Operation::EndService).await.unwrap();
    started.ended_by("ended by a person").await;
    let early = started.act("zhao", begin("巡检")).await.unwrap_err();
    assert!(early.contains("not proven safe"), "{early}");
    started.engine.services = super::service_rooms::RoomServices::default();
    started.begin().await;
    started.act("qian", Operation::Stop).await.unwrap();
    started.ended_by("stopped").await;
    started.act("qian", Operation::Stop).await.unwrap();
}

#[tokio::test]
async fn it_ends_by_itself_when_its_time_is_over() {
    let mut started = Started::new().await;
    started.begin().await;
    let began = Instant::now();
    assert!(started.engine.services.due().is_some_and(|due| due <= began + HALF_AN_HOUR));
    started.engine.tend_services(began + Duration::from_secs(29 * 60)).await;
    assert!(started.is_open());
    started.engine.tend_services(began + HALF_AN_HOUR).await;
    started.ended_by("its time was over").await;
}

#[tokio::test]
async fn it_ends_in_a_fire_and_when_the_panel_falls_silent() {
    let mut started = Started::new().await;
    started.begin().await;
    started.panel(false);
    started.engine.evaluate(None).await;
    assert!(started.is_open());
    started.panel(true);
    started.engine.evaluate(None).await;
    started.ended_by("fire").await;
    let mut started = Started::new().await;
    started.begin().await;
    started.engine.evaluate(None).await;
    started.ended_by("the fire panel is silent").await;
}

#[tokio::test]
async fn an_order_ends_it_first() {
    let mut started = Started::new().await;
    started.begin().await;
    let order = enter(&started.engine);
    started.engine.order(&order, None, None).await.unwrap();
    started.ended_by("an order for the room").await;
    assert!(started.usual.try_recv().is_err(), "the order itself moves nothing yet");
    let room = started.engine.setup.facility.room(ROOM).unwrap();
    assert_eq!(started.engine.rooms[&room].stage(&started.engine.setup), Stage::Preview);
    assert_eq!(started.engine.rooms[&room].plan.as_ref().unwrap().resolved.plan.key(), PLAN);
}

#[tokio::test]
async fn a_restart_ends_it() {
    let mut started = Started::new().await;
    started.begin().await;
    let mut started = Started::on(started.site).await;
    assert!(!started.is_open(), "closed from the start");
    started.engine.begin().await;
    started.ended_by("the gateway started again").await;
    let mut started = Started::on(started.site).await;
    started.engine.begin().await;
    assert_eq!(started.made_safe(), [], "once");
}

#[tokio::test]
async fn outputs_are_made_safe_until_they_are_read_back() {
    let mut started = Started::new().await;
    started.begin().await;
    started.act("zhao", Operation::EndService).await.unwrap();
    assert_eq!(started.made_safe().len(), 2);
    let room = Id::new(ROOM).unwrap();
    let shown = started.engine.services.view(&room).unwrap();
    assert_eq!(shown["unproven"].as_array().unwrap().len(), 2, "{shown}");
    let later = Instant::now() + Duration::from_secs(6);
    started.engine.tend_services(later).await;
    assert_eq!(started.made_safe().len(), 2, "written again");
    assert!(started.engine.services.due().is_some_and(|due| due > later));
}
