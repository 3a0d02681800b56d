//! Status of a running gateway, read by web, metrics and watchdog.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use linli_drivers::modbus::plan::ModbusPlan;
use linli_drivers::{CheckedLine, Clock, LineHealth};
use linli_store::Store;
use linli_uplink::UplinkStatus;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use linli_cabin::Health as CabinHealth;
use linli_config::{Checked, Insecure};
use linli_enrol::CertificateState;
use linli_services::VERSION;
use linli_services::commands::CommandHealth;
use linli_services::live::Live;
use linli_tls::TlsStatus;

/// A running line, for status and metrics.
#[derive(Clone)]
pub struct LineView {
    /// Its plan.
    pub plan: Arc<dyn CheckedLine>,
    /// Its counters.
    pub health: Arc<LineHealth>,
}

/// Counters of the pipeline.
#[derive(Debug, Default)]
pub struct Flow {
    /// Values read, before the report rules.
    pub values_read: AtomicU64,
    /// Values passed to the store.
    pub values_reported: AtomicU64,
    /// Batches that the store refused because its queue was full.
    pub refused: AtomicU64,
    /// Batches that the canteen and kiosk services dropped because their queues were full.
    pub unaccounted: Arc<AtomicU64>,
    /// Batches that used the urgent lane because a mode asked for it.
    pub raised: AtomicU64,
    /// Batches that did not, because too many messages waited in that lane.
    pub held_back: AtomicU64,
    /// Increases with every iteration of the loop, for the watchdog.
    pub progress: AtomicU64,
}

/// Counts of the HTTP listeners.
#[derive(Debug, Default)]
pub struct ListenerCounts {
    /// The network listener.
    pub network: Arc<linli_listen::Counts>,
    /// The control socket.
    pub control: Arc<linli_listen::Counts>,
}

/// What is read of the uplink: its state, whether it is configured, its certificate.
pub type Connection =
    (watch::Receiver<UplinkStatus>, watch::Receiver<bool>, watch::Receiver<Option<CertificateState>>);

/// What web, metrics and watchdog read of a running gateway. It cannot change the gateway.
pub struct GatewayStatus {
    /// Id of the gateway.
    pub gateway: String,
    /// Id of the centre.
    pub centre: String,
    /// Start of this process.
    pub started: Instant,
    /// The wall clock, and whether it is trusted.
    pub clock: Arc<dyn Clock>,
    /// Live values.
    pub live: Arc<Live>,
    /// Counters of the pipeline.
    pub flow: Arc<Flow>,
    /// Counters of the command service.
    pub service: Arc<CommandHealth>,
    /// Counters of the cabin service.
    pub cabin: Arc<CabinHealth>,
    /// Counters of the alarm service.
    pub alarms: Arc<linli_services::alarms::Health>,
    /// Counters of the mode service.
    pub mode: Arc<linli_services::mode::Health>,
    /// Counters of the notifications.
    pub notified: Arc<linli_services::alarms::webhook::Health>,
    /// Counts of the listeners.
    pub listeners: ListenerCounts,
    /// The running lines.
    pub lines: watch::Receiver<Arc<Vec<LineView>>>,
    /// Status of the store.
    pub store: watch::Receiver<linli_store::Status>,
    /// Reads trends.
    pub history: linli_store::History,
    /// What waits for the broker, and what it refused.
    pub outbox: linli_store::Outbox,
    /// Status of the uplink; the default value while there is none.
    pub uplink: watch::Receiver<UplinkStatus>,
    /// Whether `[mqtt]` is configured.
    pub has_uplink: watch::Receiver<bool>,
    /// The certificate with which the uplink connects; none where it has none.
    pub uplink_certificate: watch::Receiver<Option<CertificateState>>,
    /// Why the configuration on disk is not in use; `None` while it is.
    pub fallback: watch::Receiver<Option<String>>,
    /// How the store has grown.
    pub growth: Mutex<crate::growth::Growth>,
    /// File of the database.
    pub database: PathBuf,
    /// The certificate of the listeners.
    pub tls: watch::Receiver<TlsStatus>,
    /// Listeners and connections that leave the machine without encryption.
    pub insecure: watch::Receiver<Arc<Vec<Insecure>>>,
}

/// Whether the gateway is ready, and why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Whether every line was attempted, and the store is writable, makes progress and is not full.
    pub ready: bool,
    /// One sentence for each condition.
    pub findings: Vec<String>,
}

// === impl GatewayStatus ===

impl GatewayStatus {
    /// The status at the start, with all counters zero.
    #[must_use]
    pub fn new(
        current: &Checked,
        clock: Arc<dyn Clock>,
        lines: watch::Receiver<Arc<Vec<LineView>>>,
        store: &Store,
        (uplink, has_uplink, uplink_certificate): Connection,
        fallback: watch::Receiver<Option<String>>,
        (tls, insecure): (watch::Receiver<TlsStatus>, watch::Receiver<Arc<Vec<Insecure>>>),
    ) -> Self {
        Self {
            gateway: current.gateway.id.to_string(),
            centre: current.centre.id.to_string(),
            started: Instant::now(),
            clock,
            live: Arc::default(),
            flow: Arc::default(),
            service: Arc::default(),
            cabin: Arc::default(),
            alarms: Arc::default(),
            notified: Arc::default(),
            mode: Arc::default(),
            listeners: ListenerCounts::default(),
            lines,
            store: store.status(),
            history: store.history(),
            outbox: store.outbox(),
            uplink,
            has_uplink,
            uplink_certificate,
            fallback,
            growth: Mutex::default(),
            database: current.store.path.clone(),
            tls,
            insecure,
        }
    }

    /// Ready when every line was attempted and the store takes records. The state of the uplink is reported and
    /// does not count, because data is safe without it.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let mut findings = Vec::new();
        let mut ready = true;
        for line in self.lines.borrow().iter() {
            let (id, health) = (line.plan.line(), &line.health);
            if health.progress.load(Ordering::Relaxed) == 0 {
                ready = false;
                findings.push(format!("line {id}: not attempted yet"));
            } else if health.up.load(Ordering::Relaxed) == 0 {
                findings.push(format!("line {id}: down"));
            }
        }
        let (writable, disk_full, device_failed, undecodable) = {
            let status = self.store.borrow();
            (status.writable, status.disk_full, status.device_failed, status.undecodable)
        };
        ready &= writable;
        findings.push(format!("store: {}", if writable { "writable" } else { "NOT writable" }));
        let hindrances = hindrances(&self.store.borrow(), Instant::now());
        ready &= hindrances.is_empty();
        findings.extend(hindrances);
        if disk_full {
            findings.push("store: the disk is full, the oldest records make room for new ones".to_owned());
        }
        if device_failed {
            findings.push("store: the disk reports I/O errors, writing is tried again".to_owned());
        }
        if undecodable > 0 {
            findings.push(format!("store: {undecodable} rows cannot be decoded and are kept aside"));
        }
        findings.push(format!("uplink: {}", self.uplink_word()));
        let concern =
            self.uplink_certificate.borrow().as_ref().and_then(linli_enrol::CertificateState::concern);
        findings.extend(concern.map(|what| format!("uplink certificate: {what}")));
        if let Some(why) = &*self.fallback.borrow() {
            findings.push(format!("configuration: the last good one runs, the one on disk is bad: {why}"));
        }
        let insecure = self.insecure.borrow();
        findings.extend(
            insecure.iter().map(|one| format!("insecure: {} is not encrypted: {}", one.place, one.why)),
        );
        let tls = self.tls.borrow();
        findings.extend(tls.concern.iter().chain(&tls.failure).map(|what| format!("tls: {what}")));
        Readiness { ready, findings }
    }

    /// State of the uplink as a short text.
    #[must_use]
    pub fn uplink_word(&self) -> String {
        let status = self.uplink.borrow();
        match (*self.has_uplink.borrow(), status.connected, &status.last_error) {
            (false, ..) => "not configured".to_owned(),
            (true, true, _) => "connected".to_owned(),
            (true, false, None) => "connecting".to_owned(),
            (true, false, Some(error)) => format!("disconnected ({error})"),
        }
    }

    /// Age of the oldest record that waits for the broker, in seconds; `None` when none waits.
    pub async fn oldest_waiting_s(&self) -> Option<u64> {
        let oldest = self.outbox.oldest().await.ok().flatten()?;
        let age = self.clock.now().at.0.saturating_sub(oldest.0) / 1000;
        Some(u64::try_from(age).unwrap_or_default())
    }

    /// Status of the whole gateway as JSON.
    #[must_use]
    pub fn status(&self) -> Value {
        let (store, uplink) = (self.store.borrow().clone(), self.uplink.borrow().clone());
        let readiness = self.readiness();
        let lines: Vec<Value> = self.lines.borrow().iter().map(line_status).collect();
        json!({
            "gateway": self.gateway,
            "centre": self.centre,
            "version": VERSION,
            "uptime_s": self.started.elapsed().as_secs(),
            "ready": readiness.ready,
            "findings": readiness.findings,
            "lines": lines,
            "values_read": self.flow.values_read.load(Ordering::Relaxed),
            "values_reported": self.flow.values_reported.load(Ordering::Relaxed),
            "refused_by_store": self.flow.refused.load(Ordering::Relaxed),
            "store": store,
            "uplink": uplink,
            "insecure": **self.insecure.borrow(),
            "configuration": if self.fallback.borrow().is_some() { "last good" } else { "current" },
        })
    }
}

/// Why the store does not take everything: a writer that hangs, kinds of documents that are full.
fn hindrances(status: &linli_store::Status, now: Instant) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(hung) = status.hung_for(now) {
        found.push(format!("store: HUNG, its writer has made no progress for {} s", hung.as_secs()));
    }
    if !status.full.is_empty() {
        let names: Vec<&str> = status.full.iter().map(|kind| kind.as_str()).collect();
        let names = names.join(", ");
        found.push(format!("store: FULL, new documents of these kinds are refused: {names}"));
    }
    if status.is_over {
        found.push("store: FULL as a whole, only what is most urgent is taken".to_owned());
    }
    found
}

fn line_status(line: &LineView) -> Value {
    let health = &line.health;
    let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let devices = line.plan.layouts().iter().zip(&health.devices).map(|(layout, device)| {
        json!({
            "device": layout.device, "online": read(&device.online) == 1, "ok": read(&device.ok),
            "timeouts": read(&device.timeouts), "refusals": read(&device.refusals),
            "garbled": read(&device.garbled), "latency_us": read(&device.latency_us),
        })
    });
    json!({
        "line": line.plan.line(), "is_modbus": line.plan.as_any().is::<ModbusPlan>(), "up": read(&health.up) == 1, "requests": read(&health.requests),
        "busy_us": read(&health.busy_us), "overruns": read(&health.overruns),
        "late_replies": read(&health.late_replies), "resync_bytes": read(&health.resync_bytes),
        "opens": read(&health.opens), "devices": devices.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_store::{Kind, PATIENCE, Status};
    use std::time::Duration;

    #[test]
    fn a_writer_that_hangs_longer_than_its_patience_is_a_hindrance() {
        let began = Instant::now();
        let status = Status { turned: Some(began), ..Status::default() };
        assert!(hindrances(&status, began + PATIENCE).is_empty());
        let found = hindrances(&status, began + PATIENCE + Duration::from_secs(1));
        assert_eq!(found, ["store: HUNG, its writer has made no progress for 61 s"]);
        assert!(hindrances(&Status::default(), began + 2 * PATIENCE).is_empty(), "not begun");
    }

    #[test]
    fn what_a_full_store_refuses_is_named() {
        let full = vec![Kind::Measurement, Kind::Visit];
        let status = Status { full, is_over: true, ..Status::default() };
        let found = hindrances(&status, Instant::now()).join("\n");
        assert!(found.contains("refused: measurement, visit"), "{found}");
        assert!(found.contains("only what is most urgent"), "{found}");
    }
}
