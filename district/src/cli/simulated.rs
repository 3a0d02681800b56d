//! The centres of `linli-district demo`: each with a cold cabinet, a reading room and a kiosk. They answer orders without
//! verifying them, which only a simulation may: real gateways judge every signature.

use std::time::Duration;

use jiff::Timestamp;
use linli_mode::order::Envelope;
use mqtt_v5::mqttbytes::QoS;
use mqtt_v5::{AsyncClient, AsyncClientBuilder, Event, MqttOptions, Packet, PublishOptions};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Pause between two readings.
const EVERY: Duration = Duration::from_secs(5);

/// Pause between two stages of a room.
const STAGE: Duration = Duration::from_secs(4);

/// One centre of so many never answers an order: somebody has to ring it.
const SILENT: u16 = 7;

/// This one loses its line after some readings.
const CUT: (u16, u32) = (9, 6);

/// Stages of a room that follows an order, with what it is doing.
const STAGES: [(&str, &str); 5] = [
    ("notice", "已通知在场的人"),
    ("clearing", "正在清场"),
    ("acting", "正在准备"),
    ("checking", "正在验证"),
    ("ready", "就绪"),
];

/// Id, name, class and points with their units.
type Device = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const DEVICES: [Device; 3] = [
    ("fridge-1", "冷藏柜", "food_safety", &[("temperature", "Cel"), ("humidity", "%")]),
    ("room-1", "阅览室", "telemetry", &[("temperature", "Cel"), ("humidity", "%")]),
    ("kiosk-1", "政务终端", "kiosk", &[("paper", "%")]),
];

/// A centre at work.
struct Centre {
    number: u16,
    base: String,
    epoch: String,
    seq: i64,
    is_warm: bool,
    client: AsyncClient,
    /// The order that its room follows: id and class.
    order: Option<(String, String)>,
}

/// Runs one until cancelled.
pub async fn centre(number: u16, broker: u16, cancel: CancellationToken) {
    let name = format!("demo-{number:03}");
    let options = MqttOptions::new(name.clone(), mqtt_v5::Broker::tcp("127.0.0.1".to_owned(), broker));
    let (client, mut events) = AsyncClientBuilder::new(options).capacity(256).build();
    let base = format!("linli/1/{name}/gw");
    let (orders, mut come) = mpsc::channel(16);
    let (listening, topic) = (client.clone(), format!("{base}/order"));
    let driving = tokio::spawn(async move {
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    let _ = listening.try_subscribe(topic.clone(), QoS::AtMostOnce);
                }
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    let _ = orders.try_send(publish.payload.to_vec());
                }
                Ok(_) => {}
                Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            }
        }
    });
    let epoch = format!("{name}-{:x}", now());
    let mut centre = Centre { number, base, epoch, seq: 0, is_warm: false, client, order: None };
    centre.begin().await;
    let (mut readings, mut stages, mut round, mut stage) =
        (tokio::time::interval(EVERY), tokio::time::interval(STAGE), 0_u32, 0);
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            _ = readings.tick() => {
                if (number, round) == CUT {
                    // As the broker tells it when a connection is lost.
                    centre.status(false).await;
                    break;
                }
                centre.measure(round).await;
                round += 1;
            }
            Some(bytes) = come.recv() => {
                if centre.answer(&bytes).await {
                    stage = 0;
                }
            }
            _ = stages.tick(), if centre.order.is_some() && stage < STAGES.len() => {
                centre.go_on(STAGES[stage]).await;
                stage += 1;
            }
        }
    }
    cancel.cancelled().await;
    driving.abort();
}

// === impl Centre ===

impl Centre {
    async fn publish(&self, below: &str, is_retained: bool, body: Value) {
        let options = PublishOptions::new(QoS::AtLeastOnce).retain(is_retained);
        let _ = self.client.publish(format!("{}/{below}", self.base), body.to_string(), options).await;
    }

    /// Publishes a record under the next number.
    async fn record(&mut self, below: &str, mut body: Value) {
        self.seq += 1;
        // The fourth lost some while its disk was full.
        if self.number == 3 && (5..11).contains(&self.seq) {
            return;
        }
        body["epoch"] = self.epoch.clone().into();
        body["seq"] = self.seq.into();
        self.publish(below, false, body).await;
    }

    async fn status(&self, is_online: bool) {
        let status = json!({"online": is_online, "version": "demo", "boot": "demo", "epoch": self.epoch, "mode": "peace", "at": now(),
            "rooms": {"hall": "多功能厅"}, "switches": ["hall"]});
        self.publish("status", true, status).await;
    }

    async fn begin(&mut self) {
        self.status(true).await;
        for (device, name, class, points) in DEVICES {
            let points = points
                .iter()
                .map(|(point, unit)| ((*point).to_owned(), json!({"unit": unit, "type": "f64"})));
            let points: Map<String, Value> = points.collect();
            let meta = json!({"device": device, "name": name, "room": "hall", "class": class, "profile": "demo", "points": points});
            self.publish(&format!("meta/{device}"), true, meta).await;
        }
        let peace =
            json!({"kind": "room", "room": "hall", "stage": "peace", "role": "reading_room", "at": now()});
        self.record("event/mode", peace).await;
    }

    async fn measure(&mut self, round: u32) {
        let wave = (f64::from(round) / 20.0 + f64::from(self.number)).sin();
        let runs_out = self.number % 5 == 4;
        for (nth, (device, .., points)) in DEVICES.iter().enumerate() {
            let warm = if nth == 0 { 4.0 + 5.0 * wave.max(0.0).powi(8) } else { 22.0 + wave };
            let value = |point: &str| match point {
                "temperature" => (warm * 10.0).round() / 10.0,
                "humidity" => (50.0 + 5.0 * wave).round(),
                _ if runs_out => 6.0,
                _ => 100.0 - f64::from(round / 12 % 80),
            };
            let samples = points.iter().map(|(point, _)| json!({"p": point, "t": now(), "v": value(point)}));
            let samples: Vec<Value> = samples.collect();
            self.record(&format!("data/{device}"), json!({"device": device, "samples": samples})).await;
            if nth == 0 && (warm > 8.0) != self.is_warm {
                self.is_warm = !self.is_warm;
                let (from, to) =
                    if self.is_warm { ("normal", "unacknowledged") } else { ("unacknowledged", "normal") };
                let event = json!({"alarm": "fridge-1.warm", "device": "fridge-1", "priority": "high", "from": from,
                    "to": to, "text": "冷藏柜：温度过高（8 °C）", "at": now()});
                self.record("event/alarm", event).await;
            }
        }
        // Here and there the paper runs out.
        if round == 2 && runs_out {
            let event = json!({"alarm": "kiosk-1.paper", "device": "kiosk-1", "priority": "low", "from": "normal",
                "to": "unacknowledged", "text": "政务终端：纸快用完", "at": now()});
            self.record("event/alarm", event).await;
        }
    }

    /// Answers an order; returns whether its room follows a new one.
    async fn answer(&mut self, bytes: &[u8]) -> bool {
        let Ok(Envelope { order, .. }) = Envelope::read(bytes) else { return false };
        if self.number % SILENT == SILENT - 1 {
            return false;
        }
        let is_known = self.order.as_ref().is_some_and(|(id, _)| *id == order.id);
        let result = if is_known { "repeated" } else { "accepted" };
        self.record("event/order", json!({"order": order.id, "result": result, "at": now()})).await;
        self.order = Some((order.id, format!("{:?}", order.class)));
        !is_known
    }

    /// Its room comes to the next stage.
    async fn go_on(&mut self, (stage, text): (&str, &str)) {
        let Some((order, class)) = self.order.clone() else { return };
        let event = json!({"kind": "room", "room": "hall", "stage": stage, "role": "sampling_area", "class": class,
            "text": text, "order": order, "at": now()});
        self.record("event/mode", event).await;
    }
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}
