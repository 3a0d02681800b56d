//! `/api/v1/events`: events for screens (Server-Sent Events, WHATWG HTML 9.2).
//!
//! An event is written once, where it happens, and its bytes are shared by every stream that may have it: of each event there
//! are at most two texts, one for everybody and one for health workers.

mod feed;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream::unfold;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Problem;
use crate::gate::Principal;
pub use feed::Feed;
use feed::{Change, VALUES};
use linli_accounts::rules::permission::Permission;
use linli_accounts::{Access, LiveSession};
use linli_services::events::{Event, EventText, Events};

/// Largest number of subscribers.
const LISTENERS: usize = 64;

/// Interval of the event `hb`, by which a screen notices that the stream is dead.
const HEARTBEAT: Duration = Duration::from_secs(3);

/// Interval of a comment to those that asked for no topics, so that what is between keeps the connection.
const COMMENT: Duration = Duration::from_secs(15);

/// Interval at which a stream sees that its session has idled away; one that was ended ends it at once.
const LOOK: Duration = Duration::from_secs(5);

#[derive(Clone)]
struct Broadcast {
    events: Events,
    feed: Arc<Feed>,
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

/// Values of a subscriber.
struct Values {
    feed: Arc<Feed>,
    changes: broadcast::Receiver<Change>,
    /// What was sent so far; `None` before the first time, when everything is sent.
    revision: Option<u64>,
    /// Whether vital signs were in it.
    saw_all: bool,
}

/// A subscriber.
struct Listener {
    events: broadcast::Receiver<Event>,
    /// Kinds it wants; `None`: all.
    topics: Option<Vec<String>>,
    values: Option<Values>,
    sees_all: bool,
    /// The session that listens, which may end or be locked.
    session: Option<Arc<LiveSession>>,
    access: Access,
    beat: Interval,
    look: Interval,
    cancel: CancellationToken,
    _place: OwnedSemaphorePermit,
}

/// Route of the event stream.
pub fn router(events: Events, feed: Arc<Feed>, access: Access, cancel: CancellationToken) -> Router {
    let places = Arc::new(Semaphore::new(LISTENERS));
    let state = Broadcast { events, feed, access, places, cancel };
    Router::new().route("/api/v1/events", get(stream)).with_state(state)
}

async fn stream(
    principal: Principal,
    State(broadcast): State<Broadcast>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let place = broadcast.places.try_acquire_owned();
    let full = |_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many screens are listening");
    let topics: Option<Vec<String>> =
        which.topics.map(|topics| topics.split(',').map(|topic| topic.trim().to_owned()).collect());
    let wants_values = topics.as_ref().is_some_and(|topics| topics.iter().any(|topic| topic == VALUES));
    let listener = Listener {
        events: broadcast.events.subscribe(),
        values: wants_values.then(|| Values::of(broadcast.feed)),
        sees_all: principal.may(Permission::Visits),
        session: principal.session,
        access: broadcast.access,
        beat: every(if topics.is_some() { HEARTBEAT } else { COMMENT }),
        look: every(LOOK),
        topics,
        cancel: broadcast.cancel,
        _place: place.map_err(full)?,
    };
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-cache")];
    Ok((headers, Body::from_stream(unfold(listener, next))).into_response())
}

fn every(span: Duration) -> Interval {
    let mut every = interval(span);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    every
}

// === impl Values ===

impl Values {
    fn of(feed: Arc<Feed>) -> Self {
        // First the changes, then the table: nothing is between.
        let changes = feed.subscribe();
        Self { feed, changes, revision: None, saw_all: true }
    }

    /// What the stream gets next; waits until there is something. What it lacks beside the changes is read from the table.
    async fn next(&mut self, sees_all: impl Fn() -> bool) -> Option<Bytes> {
        loop {
            let change = match self.revision {
                None => self.feed.since(0),
                Some(sent) => match self.changes.recv().await {
                    Ok(change) if change.to <= sent => continue,
                    // Somebody has unlocked the screen: also what changed while it was locked.
                    Ok(_) if sees_all() && !self.saw_all => self.feed.since(0),
                    Ok(change) if change.from <= sent => change,
                    Ok(_) | Err(RecvError::Lagged(_)) => self.feed.since(sent),
                    Err(RecvError::Closed) => return None,
                },
            };
            self.revision = Some(change.to);
            self.saw_all = sees_all();
            if let Some(text) = if self.saw_all { change.whole } else { change.public } {
                return Some(Bytes::from_owner(text));
            }
        }
    }
}

// === impl Listener ===

impl Listener {
    /// Whether the stream goes on. A session at an enrolled screen is locked instead.
    fn is_open(&self) -> bool {
        let is_of_a_screen = |session: &Arc<LiveSession>| session.session.screen.is_some();
        is_unlocked(self.session.as_ref(), &self.access) || self.session.as_ref().is_some_and(is_of_a_screen)
    }

    /// What it sends of an event, if anything.
    fn chosen(&self, event: Result<Event, RecvError>) -> Option<Bytes> {
        let is_wanted =
            |kind: &str| self.topics.as_ref().is_none_or(|topics| topics.iter().any(|topic| topic == kind));
        let sees_all = self.sees_all && is_unlocked(self.session.as_ref(), &self.access);
        let text = match event {
            Ok(event) if !is_wanted(event.kind) => None,
            Ok(event) if sees_all => Some(event.whole),
            Ok(event) => event.public,
            // Said, so that a screen can read everything again.
            Err(RecvError::Lagged(count)) => Some(EventText::new("missed", &count.to_string())),
            Err(RecvError::Closed) => None,
        };
        text.map(Bytes::from_owner)
    }

    /// What keeps the connection: an event for screens, a comment for others.
    fn kept_alive(&self) -> Bytes {
        let at = jiff::Timestamp::now().as_millisecond();
        match self.topics {
            Some(_) => Bytes::from_owner(EventText::new("hb", &format!("{{\"at\":{at}}}"))),
            None => Bytes::from_static(b":\n\n"),
        }
    }
}

/// Whether a session may see names now; a locked screen does not.
fn is_unlocked(session: Option<&Arc<LiveSession>>, access: &Access) -> bool {
    session.is_none_or(|session| access.is_open(session))
}

/// Waits until a session ends; for ever without one.
async fn ended(session: Option<&LiveSession>) {
    match session {
        Some(session) => session.ended.cancelled().await,
        None => std::future::pending().await,
    }
}

async fn next(mut listener: Listener) -> Option<(Result<Bytes, Infallible>, Listener)> {
    loop {
        let Listener { ref mut values, ref session, ref access, sees_all, .. } = listener;
        let sees_all = || sees_all && is_unlocked(session.as_ref(), access);
        let values = async {
            match values {
                Some(values) => values.next(sees_all).await,
                None => std::future::pending().await,
            }
        };
        let sent = tokio::select! {
            () = listener.cancel.cancelled() => return None,
            () = ended(session.as_deref()) => return None,
            _ = listener.look.tick() => {
                if !listener.is_open() {
                    return None;
                }
                continue;
            }
            event = listener.events.recv() => {
                if matches!(event, Err(RecvError::Closed)) {
                    return None;
                }
                listener.chosen(event)
            }
            _ = listener.beat.tick() => Some(listener.kept_alive()),
            values = values => Some(values?),
        };
        if let Some(sent) = sent {
            return Some((Ok(sent), listener));
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use futures_util::StreamExt;
    use linli_accounts::rules::role::Role;
    use linli_domain::caller::Caller;
    use linli_domain::{
        Batch, ClockQuality, DeviceClass, Id, Layout, PointSpec, Quality, Sample, Timestamp, Value, ValueType,
    };
    use linli_services::live::{ConfiguredDevice, Live};
    use serde_json::json;
    use tokio::time::Instant;
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

    fn sample(value: f64) -> Sample {
        let (clock, quality) = (ClockQuality::Synchronised, Quality::Good);
        Sample { point: 0, at: Timestamp(5), clock, quality, value: Value::float(value) }
    }

    type Opened = axum::body::BodyDataStream;

    /// A stream of somebody with one role.
    async fn opened(events: &Events, feed: &Arc<Feed>, role: Role, topics: &str) -> Opened {
        let cancel = CancellationToken::new();
        let router = router(events.clone(), Arc::clone(feed), Access::default(), cancel);
        let roles = vec![role];
        let who =
            Principal { caller: Caller::anybody(), roles, session: None, is_locked: false, screen: None };
        let request = Request::get(format!("/api/v1/events?topics={topics}")).body(Body::empty()).unwrap();
        let answer = router.layer(axum::Extension(who)).oneshot(request).await.unwrap();
        assert_eq!(answer.headers()[CONTENT_TYPE], "text/event-stream");
        answer.into_body().into_data_stream()
    }

    /// The next event of that kind, as its bytes are.
    async fn next_of(body: &mut Opened, kind: &str) -> Bytes {
        loop {
            let bytes = body.next().await.expect("the stream goes on").unwrap();
            if bytes.starts_with(format!("event: {kind}\n").as_bytes()) {
                return bytes;
            }
        }
    }

    /// Reads the stream until it has said all of these.
    async fn heard(body: &mut Opened, wanted: &[&str]) -> String {
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
        let feed = Feed::of(Arc::clone(&live));
        let mut body = opened(&events, &feed, Role::Screen, "values,alarm").await;
        let first = heard(&mut body, &["event: hb", "event: values"]).await;
        assert!(first.contains("fridge-1") && first.contains("oven-1"), "{first}");
        assert!(!first.contains("oximeter"), "vital signs are for workers: {first}");

        events.publish("mode", &json!({"room": "hall"}));
        events.publish("alarm", &json!({"alarm": "fridge-1.warm"}));
        live.update(&Batch { layout: fridge.layout, samples: vec![sample(4.5)] }, Instant::now());
        let then = heard(&mut body, &["event: alarm", "event: values"]).await;
        assert!(then.contains("4.5") && !then.contains("oven-1"), "only what changed: {then}");
        assert!(!then.contains("event: mode"), "not asked for: {then}");
    }

    #[tokio::test]
    async fn streams_of_equal_rights_share_the_bytes_and_no_right_gets_no_event() {
        let (live, events) = (Arc::new(Live::default()), Events::default());
        let (fridge, oximeter) =
            (device("fridge-1", DeviceClass::FoodSafety), device("oximeter", DeviceClass::Vital));
        live.configure(vec![fridge.clone(), oximeter.clone()]);
        let feed = Feed::of(Arc::clone(&live));
        let mut workers = [
            opened(&events, &feed, Role::HealthWorker, "values,measurement,alarm").await,
            opened(&events, &feed, Role::HealthWorker, "values,measurement,alarm").await,
        ];
        let mut screen = opened(&events, &feed, Role::Screen, "values,measurement,alarm").await;
        for worker in &mut workers {
            heard(worker, &["event: values", "oximeter", "fridge-1"]).await;
        }
        let first = next_of(&mut screen, VALUES).await;
        assert!(!String::from_utf8_lossy(&first).contains("oximeter"));

        let update = |device: &ConfiguredDevice, value: f64| {
            let batch = Batch { layout: Arc::clone(&device.layout), samples: vec![sample(value)] };
            live.update(&batch, Instant::now());
        };
        update(&oximeter, 97.25);
        let [one, other] = &mut workers;
        let (a, b) = (next_of(one, VALUES).await, next_of(other, VALUES).await);
        assert!(String::from_utf8_lossy(&a).contains("97.25"));
        assert_eq!(a.as_ptr(), b.as_ptr(), "written once");
        // Of what only workers may see, a screen gets nothing at all: its next event is of the fridge.
        update(&fridge, 4.5);
        let seen = next_of(&mut screen, VALUES).await;
        let text = String::from_utf8_lossy(&seen).into_owned();
        assert!(text.contains("4.5") && !text.contains("97.25") && !text.contains("oximeter"), "{text}");
        assert_eq!(seen.as_ptr(), next_of(one, VALUES).await.as_ptr(), "the same for everybody");

        events.publish_workers("measurement", &json!({"value": 120}));
        events.publish_partly("measurement", &json!({"id": 1}), &json!({"id": 1, "value": 121}));
        events.publish("alarm", &json!({"alarm": "fridge-1.warm"}));
        let (a, b) = (next_of(one, "measurement").await, next_of(other, "measurement").await);
        assert_eq!((&a[..], a.as_ptr()), (&b"event: measurement\ndata: {\"value\":120}\n\n"[..], b.as_ptr()));
        let text = heard(&mut screen, &["event: alarm"]).await;
        assert!(
            text.contains("data: {\"id\":1}\n") && !text.contains("120") && !text.contains("121"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_stream_that_was_too_slow_gets_what_it_lacks_and_the_feed_ends_with_its_last() {
        let (live, events) = (Arc::new(Live::default()), Events::default());
        let all: Vec<_> =
            (0..9).map(|number| device(&format!("oven-{number}"), DeviceClass::Telemetry)).collect();
        live.configure(all.clone());
        let feed = Feed::of(Arc::clone(&live));
        let mut slow = opened(&events, &feed, Role::Screen, VALUES).await;
        let mut quick = opened(&events, &feed, Role::Screen, VALUES).await;
        heard(&mut slow, &["oven-8"]).await;
        heard(&mut quick, &["oven-8"]).await;
        for (number, oven) in (100_i32..).zip(&all) {
            let batch = Batch { layout: Arc::clone(&oven.layout), samples: vec![sample(f64::from(number))] };
            live.update(&batch, Instant::now());
            heard(&mut quick, &[&format!("{number}.0")]).await;
        }
        // More changes than are kept: the first are gone, their values are not.
        let wanted: Vec<String> = (100..109).map(|number| format!("{number}.0")).collect();
        heard(&mut slow, &wanted.iter().map(String::as_str).collect::<Vec<_>>()).await;
        drop((slow, quick));
        feed.ended().await;
    }
}
