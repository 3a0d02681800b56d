//! MQTT 3.1.1 over `rumqttc-v4-next`.

use std::sync::Arc;

use mqtt::mqttbytes::QoS;
use mqtt::tokio_rustls::rustls::ClientConfig;
use mqtt::{
    AsyncClient, AsyncClientBuilder, Event, EventLoop, LastWill, MqttOptions, Packet, PublishNotice,
    PublishOptions, PublishResult, Transport,
};
use mqtt_v311 as mqtt;

use super::driven::{Client, Driven, Events, Received};
use super::{Filter, LONGEST_INCOMING, Publication, QUEUE, Session, Verdict, packet_ids};
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
    options.set_clean_session(true);
    options.set_keep_alive(u16::try_from(settings.keep_alive.as_secs()).unwrap_or(u16::MAX));
    let longest = LONGEST_INCOMING as usize;
    options.set_max_packet_size(longest, longest);
    options.set_inflight(packet_ids(settings.window));
    options.set_last_will(LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, will.retain));
    let (client, events) = AsyncClientBuilder::new(options).capacity(QUEUE).build();
    Driven::start(client, events, settings)
}

impl Client for AsyncClient {
    type Notice = PublishNotice;

    fn publish(&self, publication: Publication) -> Option<PublishNotice> {
        let Publication { topic, payload, retain, correlation: _ } = publication;
        let options = PublishOptions::at_least_once().retain(retain);
        self.try_publish_tracked(topic, payload, options).ok()
    }

    async fn judge(notice: PublishNotice) -> Verdict {
        match notice.wait_async().await {
            Ok(PublishResult::Qos1(_)) => Verdict::Taken,
            Ok(other) => Verdict::Failed(format!("unexpected answer {other:?}")),
            // The connection ends, and tells why itself.
            Err(_) => std::future::pending().await,
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
            Ok(Event::Incoming(Packet::ConnAck(_))) => Some(Received::Accepted { max_packet: None }),
            Ok(Event::Incoming(Packet::Publish(publish))) => Some(Received::Message {
                topic: publish.topic,
                payload: publish.payload,
                retained: publish.retain,
                response_topic: None,
                correlation: None,
            }),
            Ok(_) => None,
            Err(error) => Some(Received::Lost(error.to_string())),
        }
    }
}
