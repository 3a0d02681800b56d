//! State of one kiosk, from its reports.

use std::collections::BTreeMap;
use std::time::Duration;

use linli_config::settings::kiosk::KioskDevice;
use linli_domain::kiosk::{Hours, Matter, PARTS, Part, Service};
use linli_domain::{Batch, Timestamp, Value};
use linli_drivers::kiosk::report;
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use crate::note::Notes;

/// State of a kiosk, from its reports.
#[derive(Debug, Default)]
pub struct State {
    parts: BTreeMap<&'static str, Part>,
    message: String,
    version: String,
    is_busy: bool,
    heard: Option<Instant>,
    /// Times spent in each service state today.
    pub hours: Hours,
    /// What people wrote about it.
    pub notes: Notes,
    /// Until when a person has put it out of service.
    pub out_until: Option<Timestamp>,
}

// === impl State ===

impl State {
    /// A state before the first report, with the times of today so far.
    pub fn spent(hours: Hours) -> Self {
        Self { hours, ..Self::default() }
    }

    /// Takes a report. A batch without good values means that reports have stopped.
    pub fn see(&mut self, batch: &Batch) {
        let good = |sample: &linli_domain::Sample| sample.quality.is_good();
        if !batch.samples.iter().any(good) {
            self.heard = None;
            return;
        }
        self.heard = Some(Instant::now());
        for sample in &batch.samples {
            let Some(point) = batch.layout.points.get(usize::from(sample.point)) else { continue };
            let name = point.name.as_str();
            match (name, &sample.value) {
                ("busy", value) => self.is_busy = matches!(value, Some(Value::Bool(true))),
                (report::MESSAGE, Some(Value::Text(text))) => self.message = text.to_string(),
                ("version", Some(Value::Text(text))) => self.version = text.to_string(),
                (name, value) => {
                    let Some((part, _)) = PARTS.iter().find(|(part, _)| *part == name) else { continue };
                    match value {
                        Some(Value::Integer(code)) if Part::of_code(*code).is_some() => {
                            self.parts.extend(Part::of_code(*code).map(|state| (*part, state)));
                        }
                        // What it does not report is not judged.
                        _ => drop(self.parts.remove(part)),
                    }
                }
            }
        }
    }

    /// What residents get. Whom a person has put out of service is so on purpose, whatever it reports.
    pub fn service(&self, fresh: Duration) -> Service {
        if self.out_until.is_some() {
            return Service::Maintenance;
        }
        let is_heard = self.heard.is_some_and(|heard| heard.elapsed() < fresh);
        Service::of(is_heard, !self.message.is_empty(), self.parts.iter().map(|(name, part)| (*name, *part)))
    }

    /// The part that a matter lacks here.
    pub fn lacks<'m>(&self, matter: &'m Matter) -> Option<&'m str> {
        matter.lacks(|name| self.parts.get(name).copied())
    }

    /// The kiosk as the API shows it.
    pub fn view(&self, watched: &KioskDevice, matters: &[Matter]) -> Json {
        let service = self.service(watched.fresh);
        let offered = match service {
            Service::InService | Service::Degraded => {
                matters.iter().filter(|matter| self.lacks(matter).is_none()).count()
            }
            Service::OutOfService | Service::Maintenance | Service::Offline => 0,
        };
        let mut view = json!({
            "kiosk": watched.device, "name": watched.name, "service": service, "parts": self.parts,
            "message": self.message, "busy": self.is_busy, "version": self.version,
            "availability_today": self.hours.availability(), "hours_today": self.hours,
            "matters": matters.len(), "matters_offered": offered,
        });
        if let Some(note) = self.notes.notes.first() {
            view["note"] = json!({"text": note.text, "by": note.by, "at": note.at});
        }
        if let Some(until) = self.out_until {
            view["out_until"] = json!(until);
        }
        view
    }
}
