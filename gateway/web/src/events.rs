//! `/api/v1/events`: events for screens (Server-Sent Events, WHATWG HTML 9.2).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::routing::get;
use futures_util::Stream;
use futures_util::stream::unfold;
use linli_domain::{DeviceClass, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Problem;
use crate::gate::Principal;
use linli_accounts::rules::permission::Permission;
use linli_accounts::{Access, LiveSession};
use linli_services::events::{Event, Events};
use linli_services::live::Live;

/// Largest number of subscribers.
const LISTENERS: usize = 64;

/// Interval at which changed values are sent: half the time within which a screen should show them.
const VALUES_EVERY: Duration = Duration::from_millis(100);

/// Interval of the event `hb`, by which a screen notices that the stream is dead.
const HEARTBEAT: Duration = Duration::from_secs(3);

/// Interval at which a stream sees that its session has idled away; one that was ended ends it at once.
const LOOK: Duration = Duration::from_secs(5);

/// Name of the topic of values.
const VALUES: &str = "values";

#[derive(Clone)]
struct Broadcast {
    events: Events,
    live: Arc<Live>,
    access: Access,
    places: Arc<Semaphore>,
    cancel: CancellationToken,
}

/// Query of the stream.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Kinds of events, separated by commas; without it, every kind, and no values.
    topics: Option<String>,
}

/// Values and the heartbeat of a subscriber.
struct Values {
    live: Arc<Live>,
    /// What was sent so far; 0 before the first time, when everything is sent.
    revision: u64,
    is_wanted: bool,
    tick: Interval,
    beat: Interval,
}

/// A subscriber.
struct Listener {
    events: broadcast::Receiver<Event>,
    /// Kinds it wants; `None`: all.
    topics: Option<Vec<String>>,
    values: Values,
    sees_all: bool,
    /// The session that listens, which may end or be locked.
    session: Option<Arc<LiveSession>>,
    access: Access,
    look: tokio::time::Interval,
    cancel: CancellationToken,
    _place: OwnedSemaphorePermit,
}

/// Route of the event stream.
pub fn router(events: Events, live: Arc<Live>, access: Access, cancel: CancellationToken) -> Router {
    let places = Arc::new(Semaphore::new(LISTENERS));
    let state = Broadcast { events, live, access, places, cancel };
    Router::new().route("/api/v1/events", get(stream)).with_state(state)
}

async fn stream(
    principal: Principal,
    State(broadcast): State<Broadcast>,
    Query(which): Query<Which>,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>, Problem> {
    let place = broadcast.places.try_acquire_owned();
    let full = |_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many screens are listening");
    let topics: Option<Vec<String>> =
        which.topics.map(|topics| topics.split(',').map(|topic| topic.trim().to_owned()).collect());
    let listener = Listener {
        events: broadcast.events.subscribe(),
        values: Values::new(broadcast.live, topics.as_ref()),
        topics,
        sees_all: principal.may(Permission::Visits),
        session: principal.session,
        access: broadcast.access,
        look: tokio::time::interval(LOOK),
        cancel: broadcast.cancel,
        _place: place.map_err(full)?,
    };
    Ok(Sse::new(unfold(listener, next)).keep_alive(KeepAlive::default()))
}

// === impl Values ===

impl Values {
    fn new(live: Arc<Live>, topics: Option<&Vec<String>>) -> Self {
        let every = |span| {
            let mut every = interval(span);
            every.set_missed_tick_behavior(MissedTickBehavior::Delay);
            every
        };
        let is_wanted = topics.is_some_and(|topics| topics.iter().any(|topic| topic == VALUES));
        Self { live, revision: 0, is_wanted, tick: every(VALUES_EVERY), beat: every(HEARTBEAT) }
    }

    /// The devices that changed since the last call; `None` when none did. Vital signs only for workers.
    fn changed(&mut self, sees_all: bool) -> Option<SseEvent> {
        if self.live.revision() == self.revision {
            return None;
        }
        let (revision, mut devices) = self.live.changed_since(self.revision, Instant::now());
        self.revision = revision;
        devices.retain(|device| sees_all || device.class != DeviceClass::Vital.as_str());
        if devices.is_empty() {
            return None;
        }
        let body = json!({ "at": now().0, "devices": devices });
        Some(SseEvent::default().event(VALUES).data(body.to_string()))
    }
}

fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

// === impl Listener ===

impl Listener {
    /// Whether it may see names now; a locked screen does not.
    fn is_unlocked(&self) -> bool {
        self.session.as_ref().is_none_or(|session| self.access.is_open(session))
    }

    /// Whether the stream goes on. A session at an enrolled screen is locked instead.
    fn is_open(&self) -> bool {
        let is_of_a_screen = |session: &Arc<LiveSession>| session.session.screen.is_some();
        self.is_unlocked() || self.session.as_ref().is_some_and(is_of_a_screen)
    }
}

/// Waits until a session ends; for ever without one.
async fn ended(session: Option<&LiveSession>) {
    match session {
        Some(session) => session.ended.cancelled().await,
        None => std::future::pending().await,
    }
}

async fn next(mut listener: Listener) -> Option<(Result<SseEvent, Infallible>, Listener)> {
    loop {
        let is_values = listener.values.is_wanted;
        let event = tokio::select! {
            () = listener.cancel.cancelled() => return None,
            () = ended(listener.session.as_deref()) => return None,
            _ = listener.look.tick() => {
                if !listener.is_open() {
                    return None;
                }
                continue;
            }
            event = listener.events.recv() => event,
            _ = listener.values.beat.tick(), if listener.topics.is_some() => {
                let message = SseEvent::default().event("hb").data(json!({ "at": now().0 }).to_string());
                return Some((Ok(message), listener));
            }
            _ = listener.values.tick.tick(), if is_values => {
                match listener.values.changed(listener.sees_all && listener.is_unlocked()) {
                    Some(message) => return Some((Ok(message), listener)),
                    None => continue,
                }
            }
        };
        let is_wanted = |kind: &str| {
            listener.topics.as_ref().is_none_or(|topics| topics.iter().any(|topic| topic == kind))
        };
        if event.as_ref().is_ok_and(|event| !is_wanted(event.kind)) {
            continue;
        }
        let message = match event {
            Ok(Event { kind, whole, .. }) if listener.sees_all && listener.is_unlocked() => {
                SseEvent::default().event(kind).data(&*whole)
            }
            Ok(Event { kind, public: Some(public), .. }) => SseEvent::default().event(kind).data(&*public),
            Ok(_) => continue,
            // Said, so that a screen can read everything again.
            Err(RecvError::Lagged(count)) => SseEvent::default().event("missed").data(count.to_string()),
            Err(RecvError::Closed) => return None,
        };
        return Some((Ok(message), listener));
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use futures_util::StreamExt;
    use linli_accounts::rules::role::Role;
    use linli_domain::caller::Caller;
    use linli_domain::{Batch, ClockQuality, Id, Layout, PointSpec, Quality, Sample, Value, ValueType};
    use linli_services::live::ConfiguredDevice;
    use tower::ServiceExt;

    use super::*;

    fn device(id: &str, class: DeviceClass) -> ConfiguredDevice {
        let name = Id::new("temperature").unwrap();
        let point = PointSpec { name, unit: "Cel".to_owned(), kind: ValueType::Float, writable: false };
        let layout = Layout {
            device: Id::new(id).unwrap(),
            name: id.to_owned(),
            room: None,
            class,
            profile: "x/y".to_owned(),
            points: vec![point],
        };
        let line = Id::new("l").unwrap();
        ConfiguredDevice { layout: Arc::new(layout), line, stale_after: Duration::from_secs(9) }
    }

    /// Reads the stream until it has said all of these.
    async fn heard(
        body: &mut (impl Stream<Item = Result<axum::body::Bytes, axum::Error>> + Unpin),
        wanted: &[&str],
    ) -> String {
        let mut text = String::new();
        while !wanted.iter().all(|part| text.contains(part)) {
            let bytes = body.next().await.expect("the stream goes on").unwrap();
            text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
        text
    }

    #[tokio::test]
    async fn a_screen_gets_everything_once_then_changes_and_only_its_topics() {
        let (live, events) = (Arc::new(Live::default()), Events::default());
        let fridge = device("fridge-1", DeviceClass::FoodSafety);
        live.configure(vec![
            fridge.clone(),
            device("oven-1", DeviceClass::Telemetry),
            device("oximeter", DeviceClass::Vital),
        ]);
        let router = router(events.clone(), Arc::clone(&live), Access::default(), CancellationToken::new());
        let screen = Principal {
            caller: Caller::anybody(),
            roles: vec![Role::Screen],
            session: None,
            is_locked: false,
            screen: None,
        };
        let router = router.layer(axum::Extension(screen));
        let request = Request::get("/api/v1/events?topics=values,alarm").body(Body::empty()).unwrap();
        let mut body = router.oneshot(request).await.unwrap().into_body().into_data_stream();
        let first = heard(&mut body, &["event: hb", "event: values"]).await;
        assert!(first.contains("fridge-1") && first.contains("oven-1"), "{first}");
        assert!(!first.contains("oximeter"), "vital signs are for workers: {first}");

        events.publish("mode", &json!({"room": "hall"}));
        events.publish("alarm", &json!({"alarm": "fridge-1.warm"}));
        let sample = Sample {
            point: 0,
            at: Timestamp(5),
            clock: ClockQuality::Synchronised,
            quality: Quality::Good,
            value: Value::float(4.5),
        };
        live.update(&Batch { layout: fridge.layout, samples: vec![sample] }, Instant::now());
        let then = heard(&mut body, &["event: alarm", "event: values"]).await;
        assert!(then.contains("4.5") && !then.contains("oven-1"), "only what changed: {then}");
        assert!(!then.contains("event: mode"), "not asked for: {then}");
    }
}
