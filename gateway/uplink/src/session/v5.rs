//! MQTT 5 over `rumqttc-v5-next`.

use std::sync::Arc;

use mqtt::mqttbytes::QoS;
use mqtt::tokio_rustls::rustls::ClientConfig;
use mqtt::{
    AsyncClient, AsyncClientBuilder, Event, EventLoop, LastWill, MqttOptions, Packet, PubAckReason,
    PublishNotice, PublishNoticeError, PublishOptions, PublishProperties, PublishResult, Transport,
};
use mqtt_v5 as mqtt;

use super::driven::{Client, Driven, Events, Received};
use super::{CONNECT_WITHIN, Filter, LONGEST_INCOMING, Publication, QUEUE, Session, Verdict, packet_ids};
use crate::settings::Settings;

/// Begins a connection.
pub fn connect(
    settings: &Settings,
    (host, port): (&str, u16),
    tls: Option<Arc<ClientConfig>>,
    will: Publication,
) -> impl Session + use<> {
    let broker = mqtt::Broker::tcp(host.to_owned(), port);
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
    options.set_outgoing_inflight_upper_limit(packet_ids(settings.window));
    options.set_connect_timeout(CONNECT_WITHIN);
    options.set_last_will(LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, will.retain, None));
    let (client, events) = AsyncClientBuilder::new(options).capacity(QUEUE).build();
    Driven::start(client, events, settings)
}

impl Client for AsyncClient {
    type Notice = PublishNotice;

    fn publish(&self, publication: Publication) -> Option<PublishNotice> {
        let Publication { topic, payload, retain, correlation } = publication;
        let mut options = PublishOptions::at_least_once().retain(retain);
        if let Some(correlation) = correlation {
            let correlation_data = Some(correlation.into());
            options =
                options.properties(PublishProperties { correlation_data, ..PublishProperties::default() });
        }
        self.try_publish_tracked(topic, payload, options).ok()
    }

    async fn judge(notice: PublishNotice) -> Verdict {
        let reason = match notice.wait_async().await {
            Ok(PublishResult::Qos1(ack)) => ack.reason,
            Err(PublishNoticeError::V5PubAck(reason)) => reason,
            Ok(other) => return Verdict::Failed(format!("unexpected answer {other:?}")),
            // The connection ends, and tells why itself.
            Err(_) => std::future::pending().await,
        };
        let text = format!("broker says {reason:?}");
        match reason {
            PubAckReason::Success => Verdict::Taken,
            PubAckReason::NoMatchingSubscribers => Verdict::NoSubscriber,
            PubAckReason::NotAuthorized
            | PubAckReason::TopicNameInvalid
            | PubAckReason::PayloadFormatInvalid => Verdict::Never(text),
            PubAckReason::QuotaExceeded => Verdict::NotNow(text),
            _ => Verdict::Failed(text),
        }
    }

    async fn subscribe(&self, filter: Filter) -> bool {
        let qos = if filter.qos1 { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        Self::subscribe(self, filter.path, qos).await.is_ok()
    }

    async fn disconnect(&self) {
        let _ = Self::disconnect(self).await;
    }
}

impl Events for EventLoop {
    async fn poll(&mut self) -> Option<Received> {
        match Self::poll(self).await {
            Ok(Event::Incoming(Packet::ConnAck(ack))) => {
                Some(Received::Accepted { max_packet: ack.properties.and_then(|p| p.max_packet_size) })
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                let properties = publish.properties.unwrap_or_default();
                Some(Received::Message {
                    topic: publish.topic,
                    payload: publish.payload,
                    retained: publish.retain,
                    response_topic: properties.response_topic,
                    correlation: properties.correlation_data,
                })
            }
            Ok(Event::Incoming(Packet::Disconnect(packet))) => {
                Some(Received::Lost(format!("the broker disconnected: {:?}", packet.reason_code)))
            }
            Ok(_) => None,
            Err(error) => Some(Received::Lost(error.to_string())),
        }
    }
}
