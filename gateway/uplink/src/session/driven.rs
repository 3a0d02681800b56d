//! What both versions of MQTT have in common: a client driven by a task of its own, and the
//! session that talks to it.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use linli_domain::command::Inbound;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::{
    DOT, Destination, Filter, InboundOrder, Publication, QUEUE, Session, SessionEvent, Token, Verdict,
    destination, filters,
};
use crate::settings::Settings;

/// The half of a client library that sends.
pub(super) trait Client: Clone + Send + Sync + 'static {
    /// Resolves when the broker has answered a message.
    type Notice: Send + 'static;

    /// Queues a message; `None` when the client's queue is full.
    fn publish(&self, publication: Publication) -> Option<Self::Notice>;

    /// What the broker made of a message.
    fn judge(notice: Self::Notice) -> impl Future<Output = Verdict> + Send;

    /// Subscribes; whether the client took the request.
    fn subscribe(&self, filter: Filter) -> impl Future<Output = bool> + Send;

    /// Disconnects in order.
    fn disconnect(&self) -> impl Future<Output = ()> + Send;
}

/// The half that receives. Polling it is what moves the connection.
pub(super) trait Events: Send + 'static {
    /// The next event; none when it is of no interest here.
    fn poll(&mut self) -> impl Future<Output = Option<Received>> + Send;
}

/// What a client library receives.
pub(super) enum Received {
    /// The broker has accepted the connection.
    Accepted {
        /// Longest packet it takes.
        max_packet: Option<u32>,
    },
    /// A message arrived.
    Message {
        topic: Bytes,
        payload: Bytes,
        retained: bool,
        response_topic: Option<String>,
        correlation: Option<Bytes>,
    },
    /// The connection is over.
    Lost(String),
}

/// A session with a client that a task drives.
pub(super) struct Driven<C> {
    client: C,
    events: mpsc::Receiver<SessionEvent>,
    answers: FuturesUnordered<BoxFuture<'static, (Token, Verdict)>>,
    driver: AbortHandle,
    escape_dots: bool,
}

// === impl Driven ===

impl<C: Client> Driven<C> {
    /// Drives the client until the session is dropped or the connection is over.
    pub(super) fn start(client: C, received: impl Events, settings: &Settings) -> Self {
        let (sender, events) = mpsc::channel(QUEUE);
        let driver =
            tokio::spawn(drive(received, client.clone(), settings.base.clone(), filters(settings), sender));
        Self {
            client,
            events,
            answers: FuturesUnordered::new(),
            driver: driver.abort_handle(),
            escape_dots: settings.escape_dots,
        }
    }
}

impl<C: Client> Session for Driven<C> {
    fn publish(&mut self, mut publication: Publication, token: Option<Token>) -> bool {
        if self.escape_dots {
            publication.topic = publication.topic.replace('.', DOT);
        }
        let Some(notice) = self.client.publish(publication) else { return false };
        if let Some(token) = token {
            self.answers.push(C::judge(notice).map(move |verdict| (token, verdict)).boxed());
        }
        true
    }

    fn next(&mut self) -> BoxFuture<'_, SessionEvent> {
        async {
            tokio::select! {
                biased;
                Some((token, verdict)) = self.answers.next() => SessionEvent::Answered(token, verdict),
                event = self.events.recv() => {
                    event.unwrap_or_else(|| SessionEvent::Lost("the connection ended".to_owned()))
                }
            }
        }
        .boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        async {
            self.client.disconnect().await;
            // Until the client has sent its DISCONNECT, or the connection has ended by itself.
            while !matches!(self.events.recv().await, None | Some(SessionEvent::Lost(_))) {}
        }
        .boxed()
    }
}

impl<C> Drop for Driven<C> {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Drives the connection; never cancelled in the middle of a poll except by dropping it whole.
async fn drive<C: Client>(
    mut events: impl Events,
    client: C,
    base: String,
    filters: Vec<Filter>,
    sender: mpsc::Sender<SessionEvent>,
) {
    loop {
        let event = match events.poll().await {
            None => continue,
            Some(Received::Accepted { max_packet }) => accepted(&client, &filters, max_packet).await,
            Some(Received::Lost(why)) => SessionEvent::Lost(why),
            Some(Received::Message { topic, payload, retained, response_topic, correlation }) => {
                let payload = payload.to_vec();
                match destination(&base, &topic) {
                    None => continue,
                    // What a broker kept may be of another database: only what comes now counts.
                    Some(Destination::Stored) if retained => continue,
                    Some(Destination::Stored) => SessionEvent::Stored(payload),
                    Some(Destination::Order) => SessionEvent::Order(InboundOrder { payload, retained }),
                    Some(Destination::Command(device)) => {
                        let correlation = correlation.map(|data| data.to_vec());
                        SessionEvent::Command(Inbound {
                            device,
                            payload,
                            retained,
                            response_topic,
                            correlation,
                        })
                    }
                }
            }
        };
        let is_over = matches!(event, SessionEvent::Lost(_));
        if sender.send(event).await.is_err() || is_over {
            return;
        }
    }
}

/// Subscribes to commands, orders and what else comes from the district.
async fn accepted<C: Client>(client: &C, filters: &[Filter], max_packet: Option<u32>) -> SessionEvent {
    for filter in filters {
        if !client.subscribe(filter.clone()).await {
            return SessionEvent::Lost("commands and orders could not be subscribed".to_owned());
        }
    }
    SessionEvent::Connected { max_packet }
}
