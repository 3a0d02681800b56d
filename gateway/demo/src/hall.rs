//! A gas sensor behind Zigbee2MQTT, and a government kiosk that reports over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use mqtt_v311::{AsyncClientBuilder, MqttOptions, PublishOptions};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::faults::{Fault, Faults};

/// Interval of the reports of both.
const EVERY: Duration = Duration::from_secs(2);

/// Longest wait for the gateway's answer to a report.
const PATIENCE: Duration = Duration::from_secs(2);

/// Publishes the gas sensor of the kitchen as Zigbee2MQTT does.
pub fn gas(broker: u16, faults: &Faults, tasks: &mut JoinSet<()>) {
    let options = MqttOptions::new("zigbee2mqtt", mqtt_v311::Broker::tcp("127.0.0.1".to_owned(), broker));
    let (client, mut events) = AsyncClientBuilder::new(options).capacity(16).build();
    tasks.spawn(async move {
        loop {
            if events.poll().await.is_err() {
                tokio::time::sleep(EVERY).await;
            }
        }
    });
    let faults = faults.clone();
    tasks.spawn(async move {
        let mut beat = interval(EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            if !faults.is_on(Fault::GasSilent) {
                let body = json!({"gas": false, "linkquality": 120}).to_string();
                let _ = client.try_publish("zigbee2mqtt/kitchen-gas", body, PublishOptions::at_least_once());
            }
        }
    });
}

/// A kiosk that shows the text of the gateway.
pub fn kiosk(gateway: SocketAddr, token: String, faults: &Faults, tasks: &mut JoinSet<()>) {
    let faults = faults.clone();
    tasks.spawn(async move {
        let (mut message, mut beat) = (String::new(), interval(EVERY));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for seq in 0_u64.. {
            beat.tick().await;
            let paper = if faults.is_on(Fault::NoPaper) { "out" } else { "ok" };
            let parts = json!({
                "printer": "ok", "paper": paper, "toner": "ok", "id_reader": "ok", "touch": "ok", "upstream": "ok",
            });
            let busy = seq / 15 % 2 == 1;
            let body = json!({
                "boot": "demo", "seq": seq, "parts": parts, "busy": busy, "version": "demo", "message": message,
                "transactions": seq / 30,
            });
            let token = token.clone();
            let answer = tokio::task::spawn_blocking(move || report(gateway, &token, &body.to_string())).await;
            if let Some(text) = answer.ok().flatten().and_then(|answer| answer["message"].as_str().map(str::to_owned)) {
                message = text;
            }
        }
    });
}

fn report(gateway: SocketAddr, token: &str, body: &str) -> Option<Value> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
    let request = agent
        .post(format!("http://{gateway}/kiosk/v1/kiosk-1/report"))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    let text = request.send(body).ok()?.body_mut().read_to_string().ok()?;
    serde_json::from_str(&text).ok()
}
