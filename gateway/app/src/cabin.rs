//! The health cabin: measurements become durable messages, or are refused with a reason.
//!
//! Who was measured is not known here and never leaves: an identifier that a sender attached is
//! dropped with the measurement it came with.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use linli_domain::vital::{self, Limits, Measurement, News2, Oxygen, Parameters, Quantity, Reading};
use linli_domain::{
    Batch, ClockQuality, DeviceClass, Layout, Message, Quality, Reason, Record, Sample, Topic, Value,
};
use linli_drivers::Told;
use linli_store::Store;
use ring::digest::{SHA256, digest};
use serde_json::{Map, json};
use tokio::sync::mpsc;

/// Measurements that may wait to be made durable.
pub const QUEUE: usize = 64;

/// Counters of the cabin.
#[derive(Debug, Default)]
pub struct CabinHealth {
    /// Measurements made durable.
    pub accepted: AtomicU64,
    /// Measurements told again.
    pub repeated: AtomicU64,
    /// Measurements that cannot be a living person's, or come at an impossible time.
    pub implausible: AtomicU64,
    /// Measurements the store could not take.
    pub failed: AtomicU64,
}

/// The task.
pub struct Cabin {
    /// Where messages become durable.
    pub store: Store,
    /// Where live values and trends are fed.
    pub samples: mpsc::Sender<Batch>,
    /// Counters.
    pub health: Arc<CabinHealth>,
}

// === impl Cabin ===

impl Cabin {
    /// Runs until every line has let go of its sender.
    pub async fn run(self, mut told: mpsc::Receiver<Told>) {
        while let Some(Told { layout, measurement, reply }) = told.recv().await {
            let outcome = self.take(&layout, measurement).await;
            if let Err(reason) = &outcome {
                tracing::warn!(device = %layout.device, reason, "measurement not taken");
            }
            if let Some(reply) = reply {
                let _ = reply.send(outcome);
            }
        }
    }

    async fn take(&self, layout: &Arc<Layout>, mut measurement: Measurement) -> Result<(), String> {
        if let Err(why) = vital::check(&mut measurement) {
            self.health.implausible.fetch_add(1, Ordering::Relaxed);
            return Err(why.to_string());
        }
        let record = Record::Message(message(layout, &measurement));
        let stored = match &measurement.key {
            Some(key) => self.store.accept_once(fingerprint(layout, key), record).await,
            None => self.store.accept_durably(record).await.map(Some),
        };
        match stored {
            Ok(Some(_)) => self.health.accepted.fetch_add(1, Ordering::Relaxed),
            Ok(None) => {
                self.health.repeated.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
            Err(error) => {
                self.health.failed.fetch_add(1, Ordering::Relaxed);
                return Err(format!("it could not be stored ({error}); send it again"));
            }
        };
        // A stream shows its values itself.
        if measurement.key.is_some() {
            let _ = self.samples.send(batch(layout, &measurement)).await;
        }
        Ok(())
    }
}

/// A measurement is known again by this: nothing in it can be read back.
fn fingerprint(layout: &Layout, key: &str) -> String {
    let hashed = digest(&SHA256, format!("{}\n{key}", layout.device).as_bytes());
    hashed.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// `vital/{device}`.
fn message(layout: &Layout, measurement: &Measurement) -> Message {
    let taken = measurement.taken;
    let mut body = Map::new();
    body.insert("device".to_owned(), json!(layout.device));
    if let Some(room) = &layout.room {
        body.insert("room".to_owned(), json!(room));
    }
    body.insert("at".to_owned(), json!(taken.at.0));
    if let Some(device) = taken.device {
        body.insert("device_time".to_owned(), json!(device.0));
    }
    if taken.clock != ClockQuality::Synchronised {
        body.insert("clock".to_owned(), json!(taken.clock.as_str()));
    }
    if let Some(user) = measurement.user {
        body.insert("user".to_owned(), json!(user));
    }
    let observations: Vec<_> = measurement.readings.iter().map(observation).collect();
    body.insert("observations".to_owned(), observations.into());
    body.insert("assessment".to_owned(), assessment(measurement));
    body.insert("news2".to_owned(), json!(News2::of(&parameters(measurement), Oxygen::Scale1).score));
    let topic = Topic::Vital { device: layout.device.clone() };
    Message { topic, class: DeviceClass::Vital, at: taken.at, body }
}

fn observation(reading: &Reading) -> serde_json::Value {
    let quantity = reading.quantity;
    let mut observation = json!({
        "quantity": quantity.as_str(), "code": quantity.loinc(), "unit": quantity.unit(), "value": reading.value.ok(),
    });
    if let Err(why) = reading.value {
        observation["absent"] = json!(why);
    }
    if !reading.caveats.is_empty() {
        observation["caveats"] = json!(reading.caveats);
    }
    observation
}

fn assessment(measurement: &Measurement) -> serde_json::Value {
    let values: Vec<(Quantity, f64)> =
        measurement.readings.iter().filter_map(|r| Some((r.quantity, r.value.ok()?))).collect();
    // When glucose was taken is not known from the device: it is not classified.
    let all = vital::assess(&values, None, &Limits::default());
    let told = all.iter().map(|(quantity, found)| {
        json!({
            "quantity": quantity.as_str(), "flag": found.flag, "text": found.chinese, "notable": found.is_notable,
        })
    });
    told.collect::<Vec<_>>().into()
}

fn parameters(measurement: &Measurement) -> Parameters {
    Parameters {
        respiration_rate: measurement.value(Quantity::RespirationRate),
        oxygen_saturation: measurement.value(Quantity::OxygenSaturation),
        systolic: measurement.value(Quantity::Systolic),
        pulse_rate: measurement.value(Quantity::PulseRate),
        temperature: measurement.value(Quantity::Temperature),
        // Nobody has said.
        on_oxygen: None,
        is_alert: None,
    }
}

/// For live values and trends.
fn batch(layout: &Arc<Layout>, measurement: &Measurement) -> Batch {
    let taken = measurement.taken;
    let samples = measurement.readings.iter().filter_map(|reading| {
        let point = layout.points.iter().position(|p| p.name.as_str() == reading.quantity.as_str())?;
        let quality = match (&reading.value, reading.caveats.is_empty()) {
            (Err(_), _) => Quality::Bad(Reason::NoValue),
            (Ok(_), true) => Quality::Good,
            (Ok(_), false) => Quality::Uncertain(Reason::OutOfRange),
        };
        let value = reading.value.ok().and_then(Value::float);
        Some(Sample { point: u16::try_from(point).ok()?, at: taken.at, clock: taken.clock, quality, value })
    });
    Batch { layout: Arc::clone(layout), samples: samples.collect() }
}
