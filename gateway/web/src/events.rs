//! `/api/v1/events`: events for screens (Server-Sent Events, WHATWG HTML 9.2).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event as Told, KeepAlive, Sse};
use axum::routing::get;
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use tokio_util::sync::CancellationToken;

use super::Problem;
use crate::gate::Principal;
use linli_accounts::rules::permission::Permission;
use linli_accounts::{Access, LiveSession};
use linli_services::events::{Event, Events};

/// Largest number of subscribers.
const LISTENERS: usize = 64;

/// Interval at which a stream sees that its session has idled away; one that was ended ends it at once.
const LOOK: Duration = Duration::from_secs(5);

#[derive(Clone)]
struct Broadcast {
    events: Events,
    access: Access,
    places: Arc<Semaphore>,
    cancel: CancellationToken,
}

/// A subscriber.
struct Listener {
    events: broadcast::Receiver<Event>,
    sees_all: bool,
    /// The session that listens, which may end or be locked.
    session: Option<Arc<LiveSession>>,
    access: Access,
    look: tokio::time::Interval,
    cancel: CancellationToken,
    _place: OwnedSemaphorePermit,
}

/// Route of the event stream.
pub fn router(events: Events, access: Access, cancel: CancellationToken) -> Router {
    let state = Broadcast { events, access, places: Arc::new(Semaphore::new(LISTENERS)), cancel };
    Router::new().route("/api/v1/events", get(stream)).with_state(state)
}

async fn stream(
    principal: Principal,
    State(broadcast): State<Broadcast>,
) -> Result<Sse<impl Stream<Item = Result<Told, Infallible>>>, Problem> {
    let place = broadcast.places.try_acquire_owned();
    let full = |_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many screens are listening");
    let listener = Listener {
        events: broadcast.events.subscribe(),
        sees_all: principal.may(Permission::Visits),
        session: principal.session,
        access: broadcast.access,
        look: tokio::time::interval(LOOK),
        cancel: broadcast.cancel,
        _place: place.map_err(full)?,
    };
    Ok(Sse::new(unfold(listener, next)).keep_alive(KeepAlive::default()))
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

async fn next(mut listener: Listener) -> Option<(Result<Told, Infallible>, Listener)> {
    loop {
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
        };
        let message = match event {
            Ok(Event { kind, whole, .. }) if listener.sees_all && listener.is_unlocked() => {
                Told::default().event(kind).data(&*whole)
            }
            Ok(Event { kind, public: Some(public), .. }) => Told::default().event(kind).data(&*public),
            Ok(_) => continue,
            // Said, so that a screen can read everything again.
            Err(RecvError::Lagged(count)) => Told::default().event("missed").data(count.to_string()),
            Err(RecvError::Closed) => return None,
        };
        return Some((Ok(message), listener));
    }
}
