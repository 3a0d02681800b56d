//! The listener that kiosks report to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use linli_domain::{Reason, Value};
use linli_listen::{Limits, Tls};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::time::{Instant, MissedTickBehavior};

use super::super::order::ReportOrder;
use super::super::report::{MESSAGE, POINTS, Report};
use super::Settings;
use super::guard::Guard;
use super::tokens::Shown;
use crate::backoff::Backoff;
use crate::line::LineContext;
use crate::pending::Pending;
use crate::plan::Plan;
use crate::publisher::Publisher;

/// Longest report, in bytes.
const LONGEST: usize = 16 << 10;

/// Interval between two checks for silent kiosks.
const SILENCE_CHECK: Duration = Duration::from_secs(1);

/// Missed reports until a kiosk counts as silent.
const MISSES: u32 = 3;

/// State shared by all requests.
struct Shared {
    settings: Settings,
    inner: Mutex<Inner>,
}

struct Inner {
    publisher: Publisher,
    guard: Guard,
    pending: Pending,
    heard: Vec<Instant>,
    orders: Vec<ReportOrder>,
    /// Which token each kiosk showed last.
    shown: Vec<Option<Shown>>,
    /// Whether the log says that a kiosk's reports are wrong in part.
    is_wrong: Vec<bool>,
}

/// Listens until cancelled.
pub(super) async fn run(plan: &Plan<Settings>, mut context: LineContext) {
    let (cancel, commands) = (context.cancel.clone(), tokio::sync::mpsc::channel(1).1);
    let mut commands = std::mem::replace(&mut context.commands, commands);
    let settings = plan.work.clone();
    let tls = context.tls.clone().filter(|_| settings.is_secure());
    let heard = vec![Instant::now(); settings.kiosks.len()];
    let publisher = Publisher::new(plan.line.clone(), plan.layouts.clone(), context);
    let shown = vec![None; settings.kiosks.len()];
    let is_wrong = vec![false; settings.kiosks.len()];
    let orders = settings.kiosks.iter().map(|_| ReportOrder::default()).collect();
    let inner = Inner {
        publisher,
        guard: Guard::default(),
        pending: Pending::default(),
        heard,
        orders,
        shown,
        is_wrong,
    };
    let shared = Arc::new(Shared { settings, inner: Mutex::new(inner) });
    let serving = tokio::spawn(serve(Arc::clone(&shared), tls, cancel.clone()));
    let mut look = tokio::time::interval(SILENCE_CHECK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            _ = look.tick() => shared.look().await,
            // It is sent with the answer to the kiosk's next report.
            Some(command) = commands.recv() => shared.inner.lock().await.pending.passed_on(command),
        }
    }
    let _ = serving.await;
}

async fn serve(shared: Arc<Shared>, tls: Option<Tls>, cancel: tokio_util::sync::CancellationToken) {
    let mut backoff = Backoff::default();
    if tls.is_none() && shared.settings.is_secure() {
        let detail = "this process has no certificate, so it cannot listen off this machine".to_owned();
        return shared.inner.lock().await.publisher.set_line(false, detail).await;
    }
    while !cancel.is_cancelled() {
        match TcpListener::bind(shared.settings.listen).await {
            Ok(listener) => {
                backoff.opened();
                shared.inner.lock().await.publisher.set_line(true, String::new()).await;
                let router = Router::new()
                    .route("/kiosk/v1/{device}/report", post(report))
                    .layer(DefaultBodyLimit::max(LONGEST))
                    .with_state(Arc::clone(&shared));
                let counts = Arc::default();
                linli_listen::serve(listener, tls.as_ref(), router, Limits::kiosks(), counts, cancel.clone())
                    .await;
            }
            Err(error) => {
                let detail = format!("{} cannot be listened on: {error}", shared.settings.listen);
                shared.inner.lock().await.publisher.set_line(false, detail).await;
            }
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(backoff.next()) => {}
        }
    }
}

fn refused(status: StatusCode, detail: impl Into<String>) -> Response {
    (status, Json(json!({"error": detail.into()}))).into_response()
}

async fn report(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(device): Path<String>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let now = Instant::now();
    let mut inner = shared.inner.lock().await;
    inner.publisher.context.health.requests.fetch_add(1, Ordering::Relaxed);
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(bearer).unwrap_or_default();
    let kiosk =
        (0..shared.settings.kiosks.len()).find(|at| inner.publisher.layout(*at).device.as_str() == device);
    // The answer does not reveal whether the kiosk exists. The right token is never locked out: kiosks behind one
    // address would fall silent for one of them whose token is wrong.
    let wall = inner.publisher.context.clock.now().at;
    let shown = kiosk.and_then(|at| Some((at, shared.settings.kiosks[at].tokens.get().find(token, wall)?)));
    let Some((index, shown)) = shown else {
        if let Some(wait) = inner.guard.waits(peer.ip(), now) {
            let seconds = (wait.as_secs() + 1).to_string();
            let answer = refused(StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens; wait");
            return ([(header::RETRY_AFTER, seconds)], answer).into_response();
        }
        inner.guard.wrong(peer.ip(), now);
        tracing::warn!(%peer, "report with a wrong token");
        let answer = refused(StatusCode::UNAUTHORIZED, "this token is not that kiosk's");
        return ([(header::WWW_AUTHENTICATE, "Bearer")], answer).into_response();
    };
    inner.tell_of_earlier(index, shown);
    let report = match Report::parse(&body) {
        Ok(report) => report,
        Err(why) => {
            inner.publisher.count_failure(index, Reason::Garbled);
            return refused(StatusCode::UNPROCESSABLE_ENTITY, why);
        }
    };
    let silence = shared.settings.kiosks[index].poll * MISSES;
    // An older report is taken, so that the kiosk does not send it again, and not shown.
    if inner.orders[index].is_newest(&report.boot, report.seq, silence, now) {
        let values = report.values();
        inner.heard[index] = now;
        inner.pending.heard(index, &values);
        inner.publisher.publish(index, values).await;
    }
    // What is right is shown all the same.
    if !report.wrong.is_empty() {
        inner.publisher.count_failure(index, Reason::Garbled);
        inner.tell_of_wrong(index, &report);
        return refused(StatusCode::UNPROCESSABLE_ENTITY, report.wrong.join("; "));
    }
    inner.is_wrong[index] = false;
    let message = POINTS.iter().position(|point| point.name == MESSAGE);
    let wanted = message.and_then(|at| inner.pending.wanted(index, u16::try_from(at).ok()?));
    let mut answer = json!({"next_s": shared.settings.kiosks[index].poll.as_secs()});
    if let Some(Value::Text(text)) = wanted {
        answer[MESSAGE] = json!(text);
    }
    Json(answer).into_response()
}

/// The token after the scheme, whose name is written in either case (RFC 9110, 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

// === impl Inner ===

impl Inner {
    /// Logs once that members of a kiosk's reports are wrong.
    fn tell_of_wrong(&mut self, index: usize, report: &Report) {
        if !std::mem::replace(&mut self.is_wrong[index], true) {
            let (device, why) = (&self.publisher.layout(index).device, report.wrong.join("; "));
            tracing::warn!(%device, why, "a report is wrong in part; what is right in it is shown");
        }
    }

    /// Logs once that a kiosk still shows its earlier token.
    fn tell_of_earlier(&mut self, index: usize, shown: Shown) {
        let before = self.shown[index].replace(shown);
        if let (Shown::Earlier(until), true) = (shown, before != Some(shown)) {
            let (device, until) = (&self.publisher.layout(index).device, until.to_rfc3339());
            tracing::info!(%device, until, "the kiosk still shows its earlier token, which ends then");
        }
    }
}

// === impl Shared ===

impl Shared {
    async fn look(&self) {
        let mut inner = self.inner.lock().await;
        inner.publisher.progress();
        inner.pending.expire(Instant::now());
        for (index, kiosk) in self.settings.kiosks.iter().enumerate() {
            if inner.heard[index].elapsed() >= kiosk.poll * MISSES {
                inner.publisher.set_offline(index, Reason::Silent, String::new()).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_written_in_either_case() {
        for value in ["Bearer abc", "bearer abc", "BEARER  abc ", " Bearer abc"] {
            assert_eq!(bearer(value), Some("abc"), "{value}");
        }
        for value in ["", "abc", "Basic abc", "Bearerabc"] {
            assert_eq!(bearer(value), None, "{value}");
        }
    }
}
