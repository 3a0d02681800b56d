//! The desks that people and devices come to: each owns its part, and goes on where it was when
//! the process ended.

use std::sync::Arc;

use linli_domain::Batch;
use linli_domain::checkpoint::CheckpointSigner;
use linli_drivers::{Clock, VitalMeasurement};
use linli_store::Store;
use linli_uplink::{Birth, InboundOrder};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::commands::{Lanes, Routes, Submission};
use crate::config::Checked;
use crate::events::Events;
use crate::follow::Follow;
use crate::observed::Observed;
use crate::pipeline::Tap;
use crate::web::{AlarmDoor, CabinDoor, FoodDoor, KioskDoor, ModeDoor, NodeDoor};
use crate::{alarms, cabin, food, kiosks, mode, nodes};

/// What they need.
pub struct Needs<'n> {
    /// Where everything is kept.
    pub store: &'n Store,
    /// Where values go that desks find out.
    pub samples: mpsc::Sender<Batch>,
    /// Measurements of vital signs.
    pub told: mpsc::Receiver<VitalMeasurement>,
    /// Where commands go.
    pub commands: Lanes,
    /// Orders from the broker.
    pub orders: mpsc::Receiver<InboundOrder>,
    /// What the `status` topic says.
    pub birth: watch::Sender<Birth>,
    /// Where devices and lines are reached.
    pub routes: watch::Receiver<Arc<Routes>>,
    /// Where the mode switch tells which data policies hold.
    pub telling: mode::Telling,
    /// Screens.
    pub events: &'n Events,
    /// Labels.
    pub clock: Arc<dyn Clock>,
    /// What follows the configuration.
    pub follow: &'n Follow,
    /// Counters.
    pub observed: &'n Observed,
    /// The configuration.
    pub current: &'n Checked,
}

/// The running desks.
pub struct Desks {
    /// The health cabin's.
    pub cabin: JoinHandle<()>,
    /// The alarms'.
    pub alarms: JoinHandle<()>,
    /// The canteen's.
    pub food: JoinHandle<()>,
    /// The kiosks'.
    pub kiosks: JoinHandle<()>,
    /// The mode switch's.
    pub mode: JoinHandle<()>,
    /// The nodes'.
    pub nodes: JoinHandle<()>,
    /// What makes kiosks show what a mode asks for.
    pub notices: JoinHandle<()>,
    /// What switches sirens.
    pub sirens: JoinHandle<()>,
}

/// The ways to them.
pub struct Ways {
    /// For batches.
    pub taps: Vec<Tap>,
    /// For health workers.
    pub cabin: CabinDoor,
    /// For whoever answers alarms.
    pub alarms: AlarmDoor,
    /// For canteen staff.
    pub food: FoodDoor,
    /// For everybody.
    pub kiosks: KioskDoor,
    /// For whoever works the mode switch.
    pub mode: ModeDoor,
    /// For technicians.
    pub nodes: NodeDoor,
}

/// Starts every desk.
pub async fn start(needs: Needs<'_>) -> anyhow::Result<(Desks, Ways)> {
    let Needs {
        store,
        samples,
        told,
        commands,
        orders,
        birth,
        routes,
        telling,
        events,
        clock,
        follow,
        observed,
        current,
    } = needs;
    let (watching, watched) = mpsc::channel(alarms::BATCH_QUEUE);
    let (accounting, accounted) = mpsc::channel(food::BATCH_QUEUE);
    let (serving, served) = mpsc::channel(kiosks::BATCH_QUEUE);
    let (kiosk_requests, kiosks_asked) = mpsc::channel(kiosks::REQUEST_QUEUE);
    let (alarm_requests, alarms_asked) = mpsc::channel(alarms::REQUEST_QUEUE);
    let (food_requests, food_asked) = mpsc::channel(food::REQUEST_QUEUE);
    let (proving, proven) = mpsc::channel(mode::BATCH_QUEUE);
    let (mode_requests, mode_asked) = mpsc::channel(mode::REQUEST_QUEUE);
    let (node_requests, nodes_asked) = mpsc::channel(nodes::REQUEST_QUEUE);
    let node_desk = node_desk(store, routes, events, &clock, follow).await?;
    let (requests, cabin_asked) = mpsc::channel(cabin::REQUEST_QUEUE);
    let alarm_desk = alarm_desk(store, events, &clock, follow, observed, &telling).await?;
    let food_desk = food_desk(store, samples.downgrade(), events, &clock, follow, current).await?;
    let kiosk_desk = kiosk_desk(store, events, &clock, follow, current).await?;
    let cabin_desk = cabin_desk(store, samples, events, &clock, follow, observed).await?;
    let settings = follow.cabin.subscribe();
    let reception = cabin::Reception { store: store.cabin(), requests, settings, clock: Arc::clone(&clock) };
    let notices = notices(store, commands.usual.clone(), &clock, observed, &telling);
    let (told_to, seen_in) = ((birth, telling, keeper(current)?), (events, observed));
    let ways = (commands.clone(), mode_asked);
    let mode_desk = mode_desk(store, ways, told_to, seen_in, &clock, follow).await?;
    let (centre, timezone) = (current.centre.id.to_string(), current.centre.timezone.clone());
    let ways = Ways {
        taps: taps(follow, observed, [watching, proving, accounting, serving]),
        cabin: CabinDoor { reception, centre, timezone },
        alarms: AlarmDoor { requests: alarm_requests, store: store.alarms() },
        kiosks: KioskDoor { requests: kiosk_requests },
        mode: ModeDoor { requests: mode_requests, store: store.book() },
        nodes: NodeDoor { requests: node_requests, store: store.book() },
        food: FoodDoor { requests: food_requests, zone: current.centre.zone.clone() },
    };
    let desks = Desks {
        cabin: tokio::spawn(cabin_desk.run(told, cabin_asked)),
        sirens: tokio::spawn(alarms::run_sirens(alarm_desk.sounding(), commands.usual, clock)),
        alarms: tokio::spawn(alarm_desk.run(watched, alarms_asked)),
        food: tokio::spawn(food_desk.run(accounted, food_asked)),
        kiosks: tokio::spawn(kiosk_desk.run(served, kiosks_asked)),
        mode: tokio::spawn(mode_desk.run(proven, orders)),
        nodes: tokio::spawn(node_desk.run(nodes_asked)),
        notices: tokio::spawn(mode::show_notices(notices)),
    };
    Ok((desks, ways))
}

/// Who looks at the batches of which devices.
fn taps(follow: &Follow, observed: &Observed, to: [mpsc::Sender<Batch>; 4]) -> Vec<Tap> {
    let [watching, proving, accounting, serving] = to;
    let dropped = &observed.flow.unaccounted;
    [
        (&follow.watched, watching, &observed.alarms.dropped),
        (&follow.evidence, proving, &observed.mode.dropped),
        (&follow.cabinets, accounting, dropped),
        (&follow.terminals, serving, dropped),
    ]
    .into_iter()
    .map(|(devices, to, dropped)| Tap { devices: devices.subscribe(), to, dropped: Arc::clone(dropped) })
    .collect()
}

async fn cabin_desk(
    store: &Store,
    samples: mpsc::Sender<Batch>,
    events: &Events,
    clock: &Arc<dyn Clock>,
    follow: &Follow,
    observed: &Observed,
) -> anyhow::Result<cabin::Desk> {
    let parts = cabin::Parts {
        store: store.clone(),
        samples,
        events: events.clone(),
        clock: Arc::clone(clock),
        health: Arc::clone(&observed.cabin),
    };
    cabin::Desk::resume(parts, follow.cabin.subscribe()).await
}

async fn node_desk(
    store: &Store,
    routes: watch::Receiver<Arc<Routes>>,
    events: &Events,
    clock: &Arc<dyn Clock>,
    follow: &Follow,
) -> anyhow::Result<nodes::Desk> {
    let parts = nodes::Parts {
        store: store.book(),
        routes,
        keys: follow.image_keys.subscribe(),
        events: events.clone(),
        clock: Arc::clone(clock),
    };
    nodes::Desk::resume(parts).await
}

fn notices(
    store: &Store,
    commands: mpsc::Sender<Submission>,
    clock: &Arc<dyn Clock>,
    observed: &Observed,
    telling: &mode::Telling,
) -> mode::NoticeParts {
    mode::NoticeParts {
        in_force: telling.in_force(),
        commands,
        store: store.book(),
        live: Arc::clone(&observed.live),
        clock: Arc::clone(clock),
    }
}

async fn food_desk(
    store: &Store,
    samples: mpsc::WeakSender<Batch>,
    events: &Events,
    clock: &Arc<dyn Clock>,
    follow: &Follow,
    current: &Checked,
) -> anyhow::Result<food::Desk> {
    let parts = food::Parts {
        store: store.book(),
        samples,
        events: events.clone(),
        clock: Arc::clone(clock),
        watched: follow.canteen.subscribe(),
        zone: current.centre.zone.clone(),
        centre: current.centre.id.clone(),
    };
    food::Desk::resume(parts).await
}

async fn alarm_desk(
    store: &Store,
    events: &Events,
    clock: &Arc<dyn Clock>,
    follow: &Follow,
    observed: &Observed,
    telling: &mode::Telling,
) -> anyhow::Result<alarms::Desk> {
    let parts = alarms::Parts {
        store: store.alarms(),
        events: events.clone(),
        clock: Arc::clone(clock),
        health: Arc::clone(&observed.alarms),
        rules: follow.alarms.subscribe(),
        asleep: follow.asleep.subscribe(),
        in_force: telling.in_force(),
        hooks: follow.webhooks.subscribe(),
        sirens: follow.sirens.subscribe(),
    };
    alarms::Desk::resume(parts).await
}

/// Who signs for the record of the mode switch.
fn keeper(current: &Checked) -> anyhow::Result<Option<CheckpointSigner>> {
    let name = format!("linli/{}/{}", current.centre.id, current.gateway.id);
    Ok(mode::keeper(&current.data_dir()?, name))
}

async fn mode_desk(
    store: &Store,
    (commands, asked): (Lanes, mpsc::Receiver<mode::Asked>),
    (birth, telling, keeper): (watch::Sender<Birth>, mode::Telling, Option<CheckpointSigner>),
    (events, observed): (&Events, &Observed),
    clock: &Arc<dyn Clock>,
    follow: &Follow,
) -> anyhow::Result<mode::Desk> {
    let parts = mode::Parts {
        store: store.book(),
        commands,
        asked,
        events: events.clone(),
        clock: Arc::clone(clock),
        health: Arc::clone(&observed.mode),
        setup: follow.mode.subscribe(),
        birth,
        telling,
        keeper: keeper.map(Arc::new),
    };
    mode::Desk::resume(parts).await
}

async fn kiosk_desk(
    store: &Store,
    events: &Events,
    clock: &Arc<dyn Clock>,
    follow: &Follow,
    current: &Checked,
) -> anyhow::Result<kiosks::Desk> {
    let parts = kiosks::Parts {
        store: store.book(),
        events: events.clone(),
        clock: Arc::clone(clock),
        setup: follow.kiosks.subscribe(),
        zone: current.centre.zone.clone(),
    };
    kiosks::Desk::resume(parts).await
}
