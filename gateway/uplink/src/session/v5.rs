//! MQTT 5 over `rumqttc-v5-next`.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use linli_domain::command::Inbound;
use mqtt::mqttbytes::QoS;
use mqtt::tokio_rustls::rustls::ClientConfig;
use mqtt::{
    AsyncClient, AsyncClientBuilder, Event, EventLoop, LastWill, MqttOptions, Packet, PubAckReason,
    PublishNotice, PublishNoticeError, PublishOptions, PublishProperties, PublishResult, Transport,
};
use mqtt_v5 as mqtt;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::{
    CONNECT_WITHIN, Happening, Heard, InboundOrder, LONGEST_INCOMING, PACKET_IDS, Publication, QUEUE,
    Session, Token, Verdict, filters, heard,
};
use crate::settings::Settings;

/// A connection by MQTT 5.
pub struct V5 {
    client: AsyncClient,
    happenings: mpsc::Receiver<Happening>,
    answers: FuturesUnordered<BoxFuture<'static, (Token, Verdict)>>,
    driver: AbortHandle,
}

/// Begins a connection.
pub fn connect(settings: &Settings, tls: Option<Arc<ClientConfig>>, will: Publication) -> V5 {
    let broker = mqtt::Broker::tcp(settings.host.clone(), settings.port);
    let mut options = MqttOptions::new(settings.client_id.clone(), broker);
    if let Some(config) = tls {
        options.set_transport(Transport::tls_with_config(mqtt::TlsConfiguration::Rustls(config)));
    }
    if let Some(credentials) = &settings.credentials {
        options.set_credentials(credentials.username.clone(), credentials.password.clone());
    }
    options.set_clean_start(true);
    options.set_keep_alive(u16::try_from(settings.keep_alive.as_secs()).unwrap_or(u16::MAX));
    options.set_max_packet_size(Some(LONGEST_INCOMING));
    options.set_outgoing_inflight_upper_limit(PACKET_IDS);
    options.set_connect_timeout(CONNECT_WITHIN);
    options.set_last_will(LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, will.retain, None));
    let (client, events) = AsyncClientBuilder::new(options).capacity(QUEUE).build();
    let (tell, happenings) = mpsc::channel(QUEUE);
    let driver = tokio::spawn(drive(events, client.clone(), settings.base.clone(), tell));
    V5 { client, happenings, answers: FuturesUnordered::new(), driver: driver.abort_handle() }
}

/// Drives the connection; never cancelled in the middle of a poll except by dropping it whole.
async fn drive(mut events: EventLoop, client: AsyncClient, base: String, tell: mpsc::Sender<Happening>) {
    loop {
        let happening = match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(ack))) => {
                let mut is_heard = true;
                for filter in filters(&base) {
                    is_heard &= client.subscribe(filter, QoS::AtLeastOnce).await.is_ok();
                }
                if !is_heard {
                    Happening::Lost("commands and orders could not be subscribed".to_owned())
                } else {
                    Happening::Connected { max_packet: ack.properties.and_then(|p| p.max_packet_size) }
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
                let properties = publish.properties.unwrap_or_default();
                Happening::Command(Inbound {
                    device,
                    payload,
                    retained,
                    response_topic: properties.response_topic,
                    correlation: properties.correlation_data.map(|data| data.to_vec()),
                })
            }
            Ok(Event::Incoming(Packet::Disconnect(goodbye))) => {
                Happening::Lost(format!("the broker disconnected: {:?}", goodbye.reason_code))
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

// === impl V5 ===

impl Session for V5 {
    fn publish(&mut self, publication: Publication, token: Option<Token>) -> bool {
        let Publication { topic, payload, retain, correlation } = publication;
        let mut options = PublishOptions::at_least_once().retain(retain);
        if let Some(correlation) = correlation {
            let correlation_data = Some(correlation.into());
            options =
                options.properties(PublishProperties { correlation_data, ..PublishProperties::default() });
        }
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

impl Drop for V5 {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

async fn judge(token: Token, notice: PublishNotice) -> (Token, Verdict) {
    let reason = match notice.wait_async().await {
        Ok(PublishResult::Qos1(ack)) => ack.reason,
        Err(PublishNoticeError::V5PubAck(reason)) => reason,
        Ok(other) => return (token, Verdict::Failed(format!("unexpected answer {other:?}"))),
        // The connection ends, and says so itself.
        Err(error) => return (token, Verdict::Failed(error.to_string())),
    };
    let told = format!("broker says {reason:?}");
    let verdict = match reason {
        PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Verdict::Taken,
        PubAckReason::NotAuthorized | PubAckReason::TopicNameInvalid | PubAckReason::PayloadFormatInvalid => {
            Verdict::Never(told)
        }
        PubAckReason::QuotaExceeded => Verdict::NotNow(told),
        _ => Verdict::Failed(told),
    };
    (token, verdict)
}
