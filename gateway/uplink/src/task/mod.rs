//! The connection task: connect, deliver, and after every end connect again, a little later.

mod announce;
mod connection;
mod lanes;
mod stored;
mod suspect;
mod unconfirmed;
mod window;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use linli_domain::command::Inbound;
use linli_domain::{Layout, Stamp};
use linli_store::Outbox;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::json;
use crate::session::{self, InboundOrder, Publication};
use crate::settings::Settings;
use crate::status::{Birth, UplinkStatus};
use announce::Announcer;
use connection::{Connection, End, Kept};
use suspect::Suspect;
use unconfirmed::Unconfirmed;

/// Everything the uplink works with.
pub struct Context {
    /// Settings of the connection.
    pub settings: Settings,
    /// The outbox to deliver.
    pub outbox: Outbox,
    /// Where commands go; when it is full they are dropped and counted.
    pub inbound: mpsc::Sender<Inbound>,
    /// Where orders go; the same.
    pub orders: mpsc::Sender<InboundOrder>,
    /// The content of the `meta` topics.
    pub layouts: watch::Receiver<Arc<Vec<Arc<Layout>>>>,
    /// The content of the `status` topic.
    pub birth: watch::Receiver<Birth>,
    /// Where the state of the connection is published.
    pub status: watch::Sender<UplinkStatus>,
    /// Clock of time stamps.
    pub now: Arc<dyn Fn() -> Stamp + Send + Sync>,
    /// Ends the uplink after what is under way was acknowledged.
    pub cancel: CancellationToken,
}

/// Delivers until cancelled.
pub async fn run(mut context: Context) {
    let mut backoff = Backoff::new(&context.settings.client_id);
    let mut suspect = Suspect::default();
    let mut announcer = Announcer::default();
    let mut unconfirmed = Unconfirmed::default();
    let mut attempt = 0_usize;
    while !context.cancel.is_cancelled() {
        let began = Instant::now();
        let will = context.status_message(false);
        let (host, port) = context.settings.address(attempt);
        let broker = format!("{host}:{port}");
        let acknowledge = context.settings.acknowledge;
        context.status.send_modify(|status| {
            status.broker = broker;
            status.acknowledge = acknowledge;
        });
        let end = match session::connect(&context.settings, attempt, will) {
            Ok(session) => {
                let kept =
                    Kept { suspect: &mut suspect, announcer: &mut announcer, unconfirmed: &mut unconfirmed };
                Connection::new(&mut context, session, kept).serve().await
            }
            Err(error) => End::Lost { why: error.to_string(), was_connected: false },
        };
        let End::Lost { why, was_connected } = end else { break };
        let lived = if was_connected { began.elapsed() } else { Duration::ZERO };
        context.lost(&why);
        attempt = attempt.wrapping_add(1);
        // The pauses grow when every broker has been tried.
        let pause = match context.settings.is_round(attempt) {
            true => backoff.next(lived),
            false => backoff.other(),
        };
        tracing::debug!(?pause, "connecting again");
        tokio::select! {
            () = context.cancel.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    context.status.send_modify(|status| status.connected = false);
}

// === impl Context ===

impl Context {
    /// The retained `status` message, as birth, disconnect or will.
    fn status_message(&self, online: bool) -> Publication {
        let epoch = self.outbox.heads().borrow().epoch.clone();
        let at = (self.now)().at;
        let payload = json::status(&self.birth.borrow(), &epoch, at, online);
        Publication {
            topic: format!("{}/status", self.settings.base),
            payload: Bytes::from(payload),
            retain: true,
            correlation: None,
        }
    }

    /// Shows the end of a connection in the status; logs it once, and again when the reason changes.
    fn lost(&self, why: &str) {
        let mut is_news = false;
        let at = (self.now)().at;
        self.status.send_modify(|status| {
            is_news = status.connected || status.last_error.as_deref() != Some(why);
            if status.connected {
                status.since = at;
            }
            status.connected = false;
            status.last_error = Some(why.to_owned());
            status.in_flight = 0;
            status.oldest_in_flight_ms = 0;
        });
        if is_news {
            tracing::warn!(why, "broker lost");
        }
    }
}
