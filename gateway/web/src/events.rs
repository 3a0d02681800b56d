//! `/api/v1/events`: events for screens (Server-Sent Events, WHATWG HTML 9.2).

use std::convert::Infallible;
use std::sync::Arc;

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

use super::{Problem, Who};
use linli_services::events::{Event, Events};

/// Largest number of subscribers.
const LISTENERS: usize = 64;

#[derive(Clone)]
struct Broadcast {
    events: Events,
    places: Arc<Semaphore>,
    cancel: CancellationToken,
}

/// A subscriber.
struct Listener {
    events: broadcast::Receiver<Event>,
    sees_all: bool,
    cancel: CancellationToken,
    _place: OwnedSemaphorePermit,
}

/// Route of the event stream.
pub fn router(events: Events, cancel: CancellationToken) -> Router {
    let state = Broadcast { events, places: Arc::new(Semaphore::new(LISTENERS)), cancel };
    Router::new().route("/api/v1/events", get(stream)).with_state(state)
}

async fn stream(
    who: Result<Who, Problem>,
    State(broadcast): State<Broadcast>,
) -> Result<Sse<impl Stream<Item = Result<Told, Infallible>>>, Problem> {
    let place = broadcast.places.try_acquire_owned();
    let full = |_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many screens are listening");
    let listener = Listener {
        events: broadcast.events.subscribe(),
        sees_all: who.is_ok(),
        cancel: broadcast.cancel,
        _place: place.map_err(full)?,
    };
    Ok(Sse::new(unfold(listener, next)).keep_alive(KeepAlive::default()))
}

async fn next(mut listener: Listener) -> Option<(Result<Told, Infallible>, Listener)> {
    loop {
        let event = tokio::select! {
            () = listener.cancel.cancelled() => return None,
            event = listener.events.recv() => event,
        };
        let message = match event {
            Ok(Event { kind, whole, .. }) if listener.sees_all => Told::default().event(kind).data(&*whole),
            Ok(Event { kind, public: Some(public), .. }) => Told::default().event(kind).data(&*public),
            Ok(_) => continue,
            // Said, so that a screen can read everything again.
            Err(RecvError::Lagged(count)) => Told::default().event("missed").data(count.to_string()),
            Err(RecvError::Closed) => return None,
        };
        return Some((Ok(message), listener));
    }
}
