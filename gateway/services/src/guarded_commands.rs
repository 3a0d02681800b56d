//! Tests of the command service at the example centre: who may command what, how often, and that everybody is
//! answered.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use linli_domain::command::{Inbound, State};
use linli_domain::{Lane, Timestamp, Value};
use linli_drivers::{CommandOutcome, LineCommand};
use linli_store::JournaledCommand;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::command_answer::Answer;
use crate::command_queue::{Lanes, Submission, lanes};
use crate::commands::{CommandHealth, CommandService};
use crate::golden::site::{NOW, Site, checked};
use crate::outputs::{ModeOutputs, OutputGuard, PlanOutputs, Source};
use crate::routes::{Route, Routes};

/// Door, lamps, ventilation and gas of the example's plans.
const HELD: [(&str, &str, i64); 4] = [
    ("reading-mode", "entry", 1),
    ("reading-mode", "lamps", 1),
    ("reading-mode", "outdoor_air", 5),
    ("kitchen-mode", "relay", 1),
];

/// The example centre's devices behind lines that carry out everything and remember it.
struct Centre {
    site: Site,
    lanes: Lanes,
    carried_out: Arc<Mutex<Vec<Value>>>,
    mode: watch::Sender<Arc<ModeOutputs>>,
    running: JoinHandle<()>,
}

impl Centre {
    async fn new() -> Self {
        Self::on(Site::open().await)
    }

    fn on(site: Site) -> Self {
        let config = checked();
        let outputs = PlanOutputs::of(&config.building, config.plans.iter().map(|plan| &plan.brief));
        let mode = watch::Sender::<Arc<ModeOutputs>>::default();
        let guard = OutputGuard {
            configured: watch::Sender::new(Arc::new(outputs)).subscribe(),
            mode: mode.subscribe(),
        };
        let carried_out = Arc::new(Mutex::new(Vec::new()));
        let (queue, commands) = mpsc::channel(64);
        tokio::spawn(carry_out(commands, Arc::clone(&carried_out)));
        let mut routes = Routes::default();
        for line in &config.lines {
            for (device, layout) in line.plan.layouts().iter().enumerate() {
                let route = Route { plan: Arc::clone(&line.plan), device, queue: queue.clone() };
                routes.devices.insert(layout.device.clone(), route);
            }
        }
        let (lanes, queues) = lanes();
        let routes = watch::Sender::new(Arc::new(routes)).subscribe();
        let health = Arc::new(CommandHealth::default());
        let service = CommandService::new(site.store.clone(), routes, guard, site.clock.clone(), health);
        Self { site, lanes, carried_out, mode, running: tokio::spawn(service.run(queues)) }
    }

    async fn ask(&self, source: Source, id: &str, (device, point): (&str, &str), value: i64) -> Answer {
        let (submission, answer) = Submission::asked(inbound(id, device, point, value), source);
        self.lanes.submit(submission).await.unwrap();
        answer.await.unwrap()
    }

    fn carried_out(&self) -> usize {
        self.carried_out.lock().unwrap().len()
    }

    async fn ends(self) -> Site {
        drop(self.lanes);
        self.running.await.unwrap();
        self.site
    }
}

async fn carry_out(mut commands: mpsc::Receiver<LineCommand>, all: Arc<Mutex<Vec<Value>>>) {
    while let Some(LineCommand { value, reply, .. }) = commands.recv().await {
        all.lock().unwrap().push(value.clone());
        let _ = reply.send(CommandOutcome::Done { read_back: value });
    }
}

fn inbound(id: &str, device: &str, point: &str, value: i64) -> Inbound {
    let value = if matches!(point, "lamps" | "relay") { json!(value != 0) } else { json!(value) };
    let body = json!({"id": id, "point": point, "value": value, "expires": NOW.0 + 60_000});
    Inbound {
        device: device.to_owned(),
        payload: body.to_string().into_bytes(),
        retained: false,
        response_topic: None,
        correlation: None,
    }
}

#[tokio::test]
async fn commands_to_outputs_of_plans_are_refused_and_reach_no_line() {
    let centre = Centre::new().await;
    for (nth, (device, point, value)) in HELD.into_iter().enumerate() {
        for (source, word) in [
            (Source::Broker, "broker-"),
            (Source::Socket, "socket-"),
            (Source::Siren, "siren-"),
            (Source::Notice, "notice-"),
        ] {
            let answer = centre.ask(source, &format!("{word}{nth}"), (device, point), value).await;
            let reason = answer.reason.unwrap_or_default();
            assert_eq!(answer.result, "refused", "{device}.{point}: {reason}");
            assert!(reason.contains("belongs to the mode switch"), "{reason}");
        }
        assert_eq!(centre.carried_out(), nth, "nothing but what the mode switch asked");
        let answer = centre.ask(Source::Mode, &format!("mode-{nth}"), (device, point), value).await;
        assert_eq!(answer.result, "done", "{answer:?}");
    }
    for id in ["mode-9", "siren-9", "notice-9"] {
        let answer = centre.ask(Source::Broker, id, ("reading-mode", "scene"), 1).await;
        assert!(answer.reason.unwrap_or_default().contains("the gateway's own"), "{id}");
    }
}

#[tokio::test]
async fn the_service_state_opens_them_to_the_control_socket_alone() {
    let centre = Centre::new().await;
    let until = tokio::time::Instant::now() + Duration::from_secs(60);
    let service = [(linli_domain::Id::new("reading-room").unwrap(), until)].into();
    centre.mode.send_replace(Arc::new(ModeOutputs { in_use: PlanOutputs::default(), service }));
    let door = ("reading-mode", "entry");
    assert_eq!(centre.ask(Source::Broker, "a", door, 1).await.result, "refused");
    assert_eq!(centre.ask(Source::Socket, "b", door, 1).await.result, "done");
    assert_eq!(centre.ask(Source::Socket, "c", ("kitchen-mode", "relay"), 1).await.result, "refused");
    centre.mode.send_replace(Arc::default());
    assert_eq!(centre.ask(Source::Socket, "d", door, 0).await.result, "refused");
    assert_eq!(centre.carried_out(), 1);
}

#[tokio::test]
async fn a_command_from_before_the_plan_was_loaded_is_not_sent_after_it() {
    let site = Site::open().await;
    let command = JournaledCommand {
        id: "a".to_owned(),
        device: "reading-mode".to_owned(),
        point: "lamps".to_owned(),
        value: Value::Bool(true),
        expires: Timestamp(NOW.0 + 60_000),
        at: NOW,
        response_topic: None,
        correlation: None,
    };
    site.store.journal().begin(command.clone()).await.unwrap();
    let centre = Centre::on(site);
    let again = centre.ask(Source::Mode, "mode-0", ("reading-mode", "scene"), 1).await;
    assert_eq!(again.result, "done");
    assert_eq!(centre.carried_out(), 1, "the mode switch's only");
    let site = centre.ends().await;
    let begun = site.store.journal().begin(command).await.unwrap();
    assert!(matches!(begun, linli_store::Begun::Known(State::Failed { .. })), "{begun:?}");
}

#[tokio::test]
async fn a_flood_of_commands_is_answered_each_and_moves_the_output_twice_a_second() {
    let centre = Centre::new().await;
    let mut answers = Vec::new();
    for nth in 0..600 {
        let inbound = inbound(&format!("f{nth}"), "reading-mode", "scene", nth % 3);
        let (submission, answer) = Submission::asked(inbound, Source::Broker);
        centre.lanes.submit(submission).await.unwrap();
        answers.push(answer);
    }
    let began = tokio::time::Instant::now();
    let mut done = 0;
    for answer in answers {
        let answer = answer.await.expect("every command is answered");
        done += usize::from(answer.result == "done");
        assert!(matches!(answer.result, "done" | "refused"), "{answer:?}");
    }
    let most = 2 + 2 * usize::try_from(began.elapsed().as_secs() + 1).unwrap();
    assert!((1..=most).contains(&done), "{done}");
    assert_eq!(centre.carried_out(), done);
    let again = centre.ask(Source::Broker, "f0", ("reading-mode", "scene"), 0).await;
    assert!(matches!(again.result, "done" | "refused"), "{again:?}");
    let site = centre.ends().await;
    // All answers wait for the broker; none was left out. The writer works in order.
    site.store_document("note", "note/last", "{}").await;
    let rows = site.store.outbox().read(Lane::Urgent, 0, u64::MAX >> 1, 2000, 1 << 24).await.unwrap();
    assert_eq!(rows.len(), 601);
}

#[tokio::test]
async fn the_same_id_again_is_not_too_soon() {
    let centre = Centre::new().await;
    let scene = ("reading-mode", "scene");
    assert_eq!(centre.ask(Source::Broker, "a", scene, 1).await.result, "done");
    assert_eq!(centre.ask(Source::Broker, "a", scene, 1).await.result, "done", "repeated");
    assert_eq!(centre.carried_out(), 1);
    assert_eq!(centre.ask(Source::Siren, "siren-a", scene, 2).await.result, "done", "an alarm does not wait");
}
