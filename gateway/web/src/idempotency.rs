//! An act that is sent again is done once: a request with an `Idempotency-Key` (the IETF draft of that name) gets the
//! answer of the first one with the same key of the same account. Kept in memory, for an hour.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::response::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ring::digest::{Context, SHA256};
use tokio::time::Instant;

use super::{Problem, Who};

/// The header.
const KEY: &str = "idempotency-key";

/// Marks an answer that is given again.
const REPLAYED: &str = "idempotency-replayed";

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(3600);

/// Keys that are kept, then the oldest goes.
const MOST: usize = 512;

/// Longest key.
const LONGEST_KEY: usize = 128;

/// Longest answer that is kept, and longest body of a request with a key.
const LONGEST: usize = 64 << 10;

/// The keys of one listener.
#[derive(Clone, Default)]
pub struct Keys(Arc<Mutex<KnownKeys>>);

#[derive(Default)]
struct KnownKeys {
    acts: BTreeMap<Name, Act>,
    /// When each was begun, oldest first.
    order: VecDeque<(Instant, Name)>,
}

/// Account and key.
type Name = (String, String);

/// What the request was.
type Fingerprint = Vec<u8>;

struct Act {
    request: Fingerprint,
    /// `None` while it is under way.
    answer: Option<Kept>,
}

#[derive(Clone)]
struct Kept {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Bytes,
}

/// What is known of a request.
enum Begun {
    New,
    UnderWay,
    Other,
    Done(Kept),
}

// === impl Keys ===

impl Keys {
    fn begin(&self, name: &Name, request: &Fingerprint, now: Instant) -> Begun {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.forget(now);
        match known.acts.get(name) {
            Some(act) if act.request != *request => Begun::Other,
            Some(Act { answer: Some(kept), .. }) => Begun::Done(kept.clone()),
            Some(_) => Begun::UnderWay,
            None => {
                known.acts.insert(name.clone(), Act { request: request.clone(), answer: None });
                known.order.push_back((now, name.clone()));
                Begun::New
            }
        }
    }

    /// Keeps the answer; without one, the act may be sent again.
    fn end(&self, name: &Name, answer: Option<Kept>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (answer, known.acts.get_mut(name)) {
            (Some(kept), Some(act)) => act.answer = Some(kept),
            (None, _) => {
                known.acts.remove(name);
                known.order.retain(|(_, other)| other != name);
            }
            (Some(_), None) => {}
        }
    }
}

// === impl KnownKeys ===

impl KnownKeys {
    fn forget(&mut self, now: Instant) {
        while self.order.len() >= MOST
            || self.order.front().is_some_and(|(begun, _)| now.duration_since(*begun) >= KEPT)
        {
            let Some((_, name)) = self.order.pop_front() else { return };
            self.acts.remove(&name);
        }
    }
}

/// The middleware. It stands behind the gate, so that a key belongs to an account. Log-ins are left out: their answers
/// are secrets.
pub async fn once(State(keys): State<Keys>, request: Request, next: Next) -> Response {
    let is_act = matches!(*request.method(), Method::POST | Method::DELETE);
    let is_log_in = request.uri().path().starts_with("/api/v1/session");
    let (Some(key), Some(Who(caller)), true, false) =
        (request.headers().get(KEY), request.extensions().get::<Who>(), is_act, is_log_in)
    else {
        return next.run(request).await;
    };
    let key = key.to_str().unwrap_or_default().to_owned();
    if key.is_empty() || key.len() > LONGEST_KEY {
        let why =
            format!("Idempotency-Key: 1 to {LONGEST_KEY} visible characters of ASCII, a UUID for example");
        return Problem::new(StatusCode::BAD_REQUEST, why).into_response();
    }
    let name = (caller.account.clone(), key);
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else {
        let why = format!("a request with an Idempotency-Key has at most {LONGEST} bytes");
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, why).into_response();
    };
    let mut fingerprint = Context::new(&SHA256);
    for part in [parts.method.as_str(), "\n", &parts.uri.to_string(), "\n"] {
        fingerprint.update(part.as_bytes());
    }
    fingerprint.update(&body);
    let fingerprint = fingerprint.finish().as_ref().to_vec();
    match keys.begin(&name, &fingerprint, Instant::now()) {
        Begun::New => {}
        Begun::Done(kept) => return kept.again(),
        Begun::UnderWay => {
            let why = "the same request is being carried out; its answer comes with the next try";
            return Problem::new(StatusCode::CONFLICT, why).into_response();
        }
        Begun::Other => {
            let why = "this Idempotency-Key was used for another request; take a new one for each act";
            return Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why).into_response();
        }
    }
    // Whoever leaves meanwhile finds the answer at the next try.
    let acting = tokio::spawn(async move {
        let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
        let (answer, kept) = Kept::of(answer).await;
        keys.end(&name, kept);
        answer
    });
    acting.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

// === impl Kept ===

impl Kept {
    /// The answer, and what is kept of it: nothing of one that another try may change, or that is long.
    async fn of(answer: Response) -> (Response, Option<Self>) {
        let status = answer.status();
        let is_final = status.is_success()
            || matches!(
                status,
                StatusCode::NOT_FOUND | StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY
            );
        let is_short =
            axum::body::HttpBody::size_hint(answer.body()).upper().is_some_and(|most| most <= LONGEST as u64);
        if !is_final || !is_short {
            return (answer, None);
        }
        let (parts, body) = answer.into_parts();
        let Ok(body) = to_bytes(body, LONGEST).await else {
            return (StatusCode::INTERNAL_SERVER_ERROR.into_response(), None);
        };
        let Parts { headers, .. } = &parts;
        let content_type = headers.get(axum::http::header::CONTENT_TYPE).cloned();
        let kept = Self { status, content_type, body: body.clone() };
        (Response::from_parts(parts, Body::from(body)), Some(kept))
    }

    fn again(self) -> Response {
        let mut answer = (self.status, self.body).into_response();
        let headers = answer.headers_mut();
        headers.remove(axum::http::header::CONTENT_TYPE);
        if let Some(kind) = self.content_type {
            headers.insert(axum::http::header::CONTENT_TYPE, kind);
        }
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::middleware::{from_fn, from_fn_with_state};
    use axum::routing::post;
    use axum::{Json, Router};
    use linli_domain::caller::Caller;
    use tower::ServiceExt;

    use super::*;

    /// A router whose act counts itself; `/refuse` says that the store is away.
    fn router(keys: &Keys, account: &'static str) -> (Router, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        let (act, refuse) = (Arc::clone(&count), Arc::clone(&count));
        let who = move |mut request: Request, next: Next| async move {
            request.extensions_mut().insert(Who(Caller::with_token(account.to_owned())));
            next.run(request).await
        };
        let router = Router::new()
            .route("/act", post(move || async move { Json(act.fetch_add(1, Ordering::Relaxed)) }))
            .route(
                "/refuse",
                post(move || async move {
                    refuse.fetch_add(1, Ordering::Relaxed);
                    StatusCode::SERVICE_UNAVAILABLE
                }),
            )
            .layer(from_fn_with_state(keys.clone(), once))
            .layer(from_fn(who));
        (router, count)
    }

    async fn send(router: &Router, path: &str, key: Option<&str>, body: &str) -> (u16, bool, String) {
        let mut request = Request::post(path);
        if let Some(key) = key {
            request = request.header(KEY, key);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        let (status, is_again) = (answer.status().as_u16(), answer.headers().contains_key(REPLAYED));
        let body = to_bytes(answer.into_body(), LONGEST).await.unwrap();
        (status, is_again, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn an_act_that_is_sent_again_is_done_once() {
        let keys = Keys::default();
        let (router, count) = router(&keys, "zhao");
        assert_eq!(send(&router, "/act", Some("a"), "x").await, (200, false, "0".to_owned()));
        assert_eq!(
            send(&router, "/act", Some("a"), "x").await,
            (200, true, "0".to_owned()),
            "the same answer"
        );
        assert_eq!(send(&router, "/act", Some("b"), "x").await.2, "1", "another act");
        assert_eq!(send(&router, "/act", None, "x").await.2, "2");
        assert_eq!(send(&router, "/act", None, "x").await.2, "3", "without a key each counts");
        let (status, _, why) = send(&router, "/act", Some("a"), "y").await;
        assert!(status == 422 && why.contains("another request"), "{why}");
        assert_eq!(send(&router, "/act", Some(""), "x").await.0, 400);
        assert_eq!(send(&router, "/act", Some(&"k".repeat(129)), "x").await.0, 400);
        assert_eq!(count.load(Ordering::Relaxed), 4);
        let (of_another, count) = self::router(&keys, "qian");
        assert_eq!(
            send(&of_another, "/act", Some("a"), "x").await,
            (200, false, "0".to_owned()),
            "a key is an account's"
        );
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_may_succeed_later_is_tried_again() {
        let (router, count) = router(&Keys::default(), "zhao");
        for _ in 0..2 {
            assert_eq!(send(&router, "/refuse", Some("a"), "").await.0, 503);
        }
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_have_an_age_and_a_number() {
        let keys = Keys::default();
        let (router, _) = router(&keys, "zhao");
        assert_eq!(send(&router, "/act", Some("old"), "").await.2, "0");
        tokio::time::advance(KEPT).await;
        assert_eq!(send(&router, "/act", Some("old"), "").await.2, "1");
        for number in 0..2 * MOST {
            send(&router, "/act", Some(&number.to_string()), "").await;
        }
        let known = keys.0.lock().unwrap();
        assert!(known.acts.len() <= MOST && known.order.len() == known.acts.len());
    }

    #[tokio::test]
    async fn a_caller_that_leaves_does_not_undo_it() {
        let keys = Keys::default();
        let (begun, mut is_begun) = tokio::sync::mpsc::channel::<()>(1);
        let (release, wait) = tokio::sync::watch::channel(false);
        let who = |mut request: Request, next: Next| async move {
            request.extensions_mut().insert(Who(Caller::with_token("zhao".to_owned())));
            next.run(request).await
        };
        let act = move || {
            let (begun, mut wait) = (begun.clone(), wait.clone());
            async move {
                begun.send(()).await.unwrap();
                wait.wait_for(|is_released| *is_released).await.unwrap();
                "done"
            }
        };
        let router =
            Router::new().route("/act", post(act)).layer(from_fn_with_state(keys, once)).layer(from_fn(who));
        let first = router.clone();
        let leaving = tokio::spawn(async move { send(&first, "/act", Some("a"), "").await });
        is_begun.recv().await.unwrap();
        leaving.abort();
        assert_eq!(send(&router, "/act", Some("a"), "").await.0, 409, "it is under way");
        release.send_replace(true);
        loop {
            let (status, is_again, body) = send(&router, "/act", Some("a"), "").await;
            if status == 200 {
                assert!(is_again && body == "done");
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}
