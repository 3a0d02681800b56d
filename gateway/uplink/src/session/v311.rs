//! MQTT 3.1.1 over `rumqttc-v4-next`.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use linli_domain::command::Inbound;
use mqtt::mqttbytes::QoS;
use mqtt::tokio_rustls::rustls::ClientConfig;
use mqtt::{
    AsyncClient, AsyncClientBuilder, Event, EventLoop, LastWill, MqttOptions, Packet, PublishNotice,
    PublishOptions, PublishResult, Transport,
};
use mqtt_v311 as mqtt;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::{
    Happening, Heard, InboundOrder, LONGEST_INCOMING, PACKET_IDS, Publication, QUEUE, Session, Token,
    Verdict, filters, heard,
};
use crate::settings::Settings;

/// A connection by MQTT 3.1.1.
pub struct V311 {
    client: AsyncClient,
    happenings: mpsc::Receiver<Happening>,
    answers: FuturesUnordered<BoxFuture<'static, (Token, Verdict)>>,
    driver: AbortHandle,
}

/// Begins a connection.
pub fn connect(settings: &Settings, tls: Option<Arc<ClientConfig>>, will: Publication) -> V311 {
    let broker = mqtt::Broker::tcp(settings.host.clone(), settings.port);
    let mut options = MqttOptions::new(settings.client_id.clone(), broker);
    if let Some(config) = tls {
        options.set_transport(Transport::tls_with_config(mqtt::TlsConfiguration::Rustls(config)));
    }
    if let Some(credentials) = &settings.credentials {
        options.set_credentials(credentials.username.clone(), credentials.password.clone());
    }
    options.set_clean_session(true);
    options.set_keep_alive(u16::try_from(settings.keep_alive.as_secs()).unwrap_or(u16::MAX));
    let longest = LONGEST_INCOMING as usize;
    options.set_max_packet_size(longest, longest);
    options.set_inflight(PACKET_IDS);
    options.set_last_will(LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, will.retain));
    let (client, events) = AsyncClientBuilder::new(options).capacity(QUEUE).build();
    let (tell, happenings) = mpsc::channel(QUEUE);
    let driver = tokio::spawn(drive(events, client.clone(), settings.base.clone(), tell));
    V311 { client, happenings, answers: FuturesUnordered::new(), driver: driver.abort_handle() }
}

/// Drives the connection; never cancelled in the middle of a poll except by dropping it whole.
async fn drive(mut events: EventLoop, client: AsyncClient, base: String, tell: mpsc::Sender<Happening>) {
    loop {
        let happening = match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                let mut is_heard = true;
                for filter in filters(&base) {
                    is_heard &= client.subscribe(filter, QoS::AtLeastOnce).await.is_ok();
                }
                if !is_heard {
                    Happening::Lost("commands and orders could not be subscribed".to_owned())
                } else {
                    Happening::Connected { max_packet: None }
                }
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                let Some(heard) = heard(&base, &publish.topic) else { continue };
                let (payload, retained) = (publish.payload.to_vec(), publish.retain);
                let Heard::Command(device) = heard else {
                    let happening = Happening::Order(InboundOrder { payload, retained });
                    if tell.send(happening).await.is_err() {
                        return;
                    }
                    continue;
                };
                Happening::Command(Inbound {
                    device,
                    payload,
                    retained,
                    response_topic: None,
                    correlation: None,
                })
            }
            Ok(_) => continue,
            Err(error) => Happening::Lost(error.to_string()),
        };
        let over = matches!(happening, Happening::Lost(_));
        if tell.send(happening).await.is_err() || over {
            return;
        }
    }
}

// === impl V311 ===

impl Session for V311 {
    fn publish(&mut self, publication: Publication, token: Option<Token>) -> bool {
        let Publication { topic, payload, retain, correlation: _ } = publication;
        let options = PublishOptions::at_least_once().retain(retain);
        match self.client.try_publish_tracked(topic, payload, options) {
            Ok(notice) => {
                if let Some(token) = token {
                    self.answers.push(judge(token, notice).boxed());
                }
                true
            }
            Err(_) => false,
        }
    }

    fn next(&mut self) -> BoxFuture<'_, Happening> {
        async {
            tokio::select! {
                biased;
                Some((token, verdict)) = self.answers.next() => Happening::Answered(token, verdict),
                happening = self.happenings.recv() => {
                    happening.unwrap_or_else(|| Happening::Lost("the connection ended".to_owned()))
                }
            }
        }
        .boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        async {
            let _ = self.client.disconnect().await;
            // Until the client has said goodbye, or the connection has ended by itself.
            while !matches!(self.happenings.recv().await, None | Some(Happening::Lost(_))) {}
        }
        .boxed()
    }
}

impl Drop for V311 {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

async fn judge(token: Token, notice: PublishNotice) -> (Token, Verdict) {
    let verdict = match notice.wait_async().await {
        Ok(PublishResult::Qos1(_)) => Verdict::Taken,
        Ok(other) => Verdict::Failed(format!("unexpected answer {other:?}")),
        // The connection ends, and says so itself.
        Err(error) => Verdict::Failed(error.to_string()),
    };
    (token, verdict)
}
