//! Commissioning: what is published at a broker, and which profile understands it.

use std::collections::BTreeMap;
use std::time::Duration;

use mqtt_v311::mqttbytes::QoS;
use mqtt_v311::mqttbytes::v4::SubscribeReasonCode;
use mqtt_v311::{AsyncClientBuilder, Event, MqttOptions, Packet};
use tokio::time::{Instant, timeout_at};

use super::{address_of_url, zigbee};
use crate::kiosk::report::{self, Report};

/// Most topics that are listed.
const MOST: usize = 1000;

/// Members that many kinds of devices have: they say nothing about which it is.
const COMMON: [&str; 5] = ["battery", "battery_low", "linkquality", "tamper", "voltage"];

/// A topic at a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The topic.
    pub topic: String,
    /// Whether only a message that the broker had kept was seen.
    pub is_retained: bool,
    /// The profile that understands it; none where no profile does.
    pub profile: Option<&'static str>,
}

/// Subscribes to everything at a broker for `patience`. The error says why that is not possible.
pub async fn survey(url: &str, patience: Duration) -> Result<Vec<Published>, String> {
    let (host, port, is_secure) = address_of_url(url)
        .ok_or_else(|| format!("{url:?} is not an address such as \"mqtt://192.0.2.5:1883\""))?;
    if is_secure {
        return Err(
            "a broker with TLS is not looked through: give the address that speaks plain MQTT on its own \
                    machine, such as mqtt://127.0.0.1:1883"
                .to_owned(),
        );
    }
    let broker = mqtt_v311::Broker::tcp(host.to_owned(), port);
    let mut options = MqttOptions::new(format!("linli-scan-{}", std::process::id()), broker);
    options.set_clean_session(true);
    options.set_max_packet_size(super::task::LONGEST, super::task::LONGEST);
    let (client, mut events) = AsyncClientBuilder::new(options).capacity(16).build();
    let until = Instant::now() + patience;
    let mut found = BTreeMap::new();
    loop {
        let event = match timeout_at(until, events.poll()).await {
            Err(_) => break,
            Ok(event) => event.map_err(|error| error.to_string())?,
        };
        match event {
            Event::Incoming(Packet::ConnAck(_)) => {
                client.subscribe("#".to_owned(), QoS::AtMostOnce).await.map_err(|error| error.to_string())?;
            }
            Event::Incoming(Packet::SubAck(answer))
                if answer.return_codes.contains(&SubscribeReasonCode::Failure) =>
            {
                return Err("the broker refuses the subscription of \"#\": allow this user to read it (ACL)"
                    .to_owned());
            }
            Event::Incoming(Packet::Publish(publish)) if found.len() < MOST => {
                let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                let profile = understood_by(&topic, &publish.payload);
                let row = Published { topic: topic.clone(), is_retained: publish.retain, profile };
                // A live message says more than a kept one.
                let known = found.entry(topic).or_insert_with(|| row.clone());
                if known.profile.is_none() || !row.is_retained {
                    let profile = row.profile.or(known.profile);
                    *known = Published { profile, ..row };
                }
            }
            _ => {}
        }
    }
    Ok(found.into_values().collect())
}

/// The profile whose own members a message has, the most of them.
fn understood_by(topic: &str, payload: &[u8]) -> Option<&'static str> {
    if topic.ends_with("/heartbeat") && Report::parse(payload).is_ok() {
        return Some(report::PROFILE);
    }
    let own = |kind: &zigbee::Kind| {
        let values = zigbee::values(kind.points, payload).unwrap_or_default();
        let names = values.iter().filter_map(|(at, _)| kind.points.get(usize::from(*at)));
        names.filter(|point| !COMMON.contains(&point.name)).count()
    };
    let best = zigbee::KINDS.iter().rev().max_by_key(|kind| own(kind))?;
    (own(best) > 0).then_some(best.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_with_most_of_the_members_is_named() {
        let of = |payload: &str| understood_by("zigbee2mqtt/a", payload.as_bytes());
        assert_eq!(of("{\"temperature\":3,\"humidity\":50,\"battery\":90}"), Some("zigbee2mqtt/climate"));
        assert_eq!(of("{\"co2\":600,\"temperature\":3,\"humidity\":50}"), Some("zigbee2mqtt/co2"));
        assert_eq!(of("{\"water_leak\":false,\"battery\":90}"), Some("zigbee2mqtt/water-leak"));
        assert_eq!(of("{\"state\":\"ON\",\"power\":3}"), Some("zigbee2mqtt/plug"));
        for unknown in ["{\"battery\":90,\"linkquality\":3}", "online", "[]", "{\"soil\":3}"] {
            assert_eq!(of(unknown), None, "{unknown}");
        }
        let beat = "{\"boot\":\"b\",\"seq\":1}";
        assert_eq!(understood_by("hall/kiosk/heartbeat", beat.as_bytes()), Some("kiosk/terminal"));
    }
}
