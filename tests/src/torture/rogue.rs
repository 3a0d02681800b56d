//! A centre that misbehaves, by an MQTT client that is none of the gateway's.

use std::time::Duration;

use mqtt_v311::{AsyncClient, Event, MqttOptions, Packet, PublishOptions};
use tokio::time::{Instant, timeout};

/// A server that does not acknowledge within this is away.
const PATIENCE: Duration = Duration::from_secs(20);

/// A message of one sample.
pub fn sample(epoch: &str, seq: u32) -> String {
    let at = crate::now_ms();
    format!(r#"{{"epoch":"{epoch}","seq":{seq},"device":"d","samples":[{{"p":"t","t":{at},"v":{seq}.5}}]}}"#)
}

/// Most messages on their way at a time.
pub const IN_FLIGHT: usize = 100;

/// Publishes all of it at QoS 1 or as much as the time allows, as fast as it is acknowledged. Returns how many were; up
/// to [`IN_FLIGHT`] more may have arrived.
pub async fn publish(
    port: u16,
    messages: Vec<(String, String)>,
    within: Option<Duration>,
) -> anyhow::Result<usize> {
    let until = within.map(|within| Instant::now() + within);
    let mut options = MqttOptions::new(format!("rogue-{}", fastrand::u64(..)), ("127.0.0.1", port));
    options.set_inflight(100);
    let (client, mut events) = AsyncClient::builder(options).capacity(IN_FLIGHT).build();
    let count = messages.len();
    let sending = tokio::spawn(async move {
        for (topic, payload) in messages {
            client.publish(topic, payload, PublishOptions::at_least_once()).await?;
        }
        anyhow::Ok(client)
    });
    let mut acknowledged = 0;
    while acknowledged < count && until.is_none_or(|until| Instant::now() < until) {
        match timeout(PATIENCE, events.poll()).await {
            Ok(Ok(Event::Incoming(Packet::PubAck(_)))) => acknowledged += 1,
            Ok(Ok(_)) => {}
            // Whoever called sends again what the database does not have.
            Ok(Err(_)) | Err(_) => break,
        }
    }
    sending.abort();
    Ok(acknowledged)
}
