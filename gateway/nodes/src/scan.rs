//! Commissioning on a line of the running gateway: asks every unit whether it is there, and reads registers of one unit.
//! It only reads, between two polls, as all maintenance.

use std::time::Duration;

use linli_drivers::modbus::data::{Span, Table};
use linli_drivers::modbus::maintenance::{self, MaintenanceHandle, NotDone};
use linli_drivers::modbus::profile::{Profile, ProfileSet};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::client::Client;
use super::view;
use linli_services::ServiceError;

/// Longest wait for an answer while scanning.
const PATIENCE: Duration = Duration::from_millis(300);

/// Longest wait for registers that a person asks for.
const READ_PATIENCE: Duration = Duration::from_millis(1000);

/// Longest wait for the line itself: it may be busy with polls, or being opened.
const LONGEST: Duration = Duration::from_secs(15);

/// Tables that a scan reads, in this order, until one answers.
const ASKED: [Table; 4] = [Table::HoldingRegister, Table::InputRegister, Table::DiscreteInput, Table::Coil];

/// What is scanned.
pub struct Scan {
    /// The line.
    pub line: String,
    /// First and last unit id.
    pub units: (u8, u8),
    /// Devices of the configuration on this line, by unit.
    pub known: Vec<(u8, String)>,
    /// Takes each step as JSON; when the receiver is dropped, the scan stops.
    pub progress: mpsc::Sender<Value>,
}

/// What one unit answered.
enum Seen {
    Nothing,
    Value,
    Exception(u8),
    Garbled,
    Down(String),
}

// === impl Scan ===

impl Scan {
    /// Asks each unit, and says what it found: a unit, its device or the model it may be, and an entry to paste.
    pub async fn run(self, maintenance: MaintenanceHandle) {
        let profiles = ProfileSet::embedded();
        let (first, last) = self.units;
        let mut found = 0;
        for unit in first..=last {
            let seen = look(&maintenance, unit).await;
            let mut step = json!({"unit": unit, "last": last});
            let answer = match seen {
                Seen::Down(why) => {
                    let _ = self.progress.send(json!({"result": "failed", "why": why})).await;
                    return;
                }
                Seen::Nothing => None,
                Seen::Value => Some(json!("value")),
                Seen::Exception(code) => Some(json!(format!("exception {code}"))),
                Seen::Garbled => Some(json!("garbled")),
            };
            if let Some(answer) = answer {
                found += 1;
                step["answer"] = answer;
                self.describe(&maintenance, unit, &profiles, &mut step).await;
            }
            if self.progress.send(step).await.is_err() {
                return;
            }
        }
        let _ = self.progress.send(json!({"result": "done", "found": found})).await;
    }

    /// Says which device it is, or which it may be.
    async fn describe(
        &self,
        maintenance: &MaintenanceHandle,
        unit: u8,
        profiles: &ProfileSet,
        step: &mut Value,
    ) {
        if let Some((_, device)) = self.known.iter().find(|(known, _)| *known == unit) {
            step["device"] = json!(device);
            return;
        }
        let client = Client::new(maintenance.clone(), unit);
        if let Ok(node) = client.identity_once().await {
            let shown = view::identity(&node);
            let kind = shown["kind"]["code"].as_str().unwrap_or_default().to_owned();
            step["profiles"] = json!([format!("linli/{kind}")]);
            step["node"] = shown;
        } else {
            step["profiles"] = json!(candidates(maintenance, unit, profiles).await);
        }
        let profile = step["profiles"][0].as_str().unwrap_or("vendor/model").to_owned();
        step["entry"] = json!(entry(&self.line, unit, &profile));
    }
}

/// The models whose identity registers this unit has.
async fn candidates(maintenance: &MaintenanceHandle, unit: u8, profiles: &ProfileSet) -> Vec<String> {
    let mut found = Vec::new();
    for profile in profiles.iter() {
        if holds(maintenance, unit, profile).await {
            found.push(profile.name().to_owned());
        }
    }
    found
}

async fn holds(maintenance: &MaintenanceHandle, unit: u8, profile: &Profile) -> bool {
    let Some(identity) = &profile.identity else { return false };
    let words = read(maintenance, unit, identity.span, PATIENCE).await;
    words.is_ok_and(|words| identity.holds(&words, profile.title(), None).is_ok())
}

/// The entry of devices.toml for a unit, to be completed by whoever knows the device.
fn entry(line: &str, unit: u8, profile: &str) -> String {
    format!(
        "[[device]]\nid = \"{line}-{unit}\"\nname = \"{line} {unit}\"\nline = \"{line}\"\nunit = {unit}\nprofile = \"{profile}\"\npoll = \"5s\"\n"
    )
}

/// Reads; a line that is down for long answers as one that is down.
async fn read(
    maintenance: &MaintenanceHandle,
    unit: u8,
    span: Span,
    patience: Duration,
) -> Result<Vec<u16>, NotDone> {
    let read = tokio::time::timeout(LONGEST, maintenance::read(maintenance, unit, span, patience)).await;
    read.unwrap_or_else(|_| Err(NotDone::Down { why: "nothing comes back from it".to_owned() }))
}

async fn look(maintenance: &MaintenanceHandle, unit: u8) -> Seen {
    let mut seen = Seen::Nothing;
    for table in ASKED {
        let span = Span { table, start: 0, count: 1 };
        match read(maintenance, unit, span, PATIENCE).await {
            Ok(_) => return Seen::Value,
            Err(NotDone::Refused { code, .. }) => seen = Seen::Exception(code),
            Err(NotDone::Garbled { .. }) if !matches!(seen, Seen::Exception(_)) => seen = Seen::Garbled,
            Err(NotDone::Garbled { .. }) => {}
            // A unit that does not answer the first request does not answer the others.
            Err(NotDone::Silent { .. }) => return seen,
            Err(NotDone::Down { why }) => return Seen::Down(why),
        }
    }
    seen
}

/// Reads a block of registers, or of bits as one register each.
pub async fn registers(maintenance: &MaintenanceHandle, unit: u8, span: Span) -> Result<Value, ServiceError> {
    let words = read(maintenance, unit, span, READ_PATIENCE).await;
    let words = words.map_err(|why| ServiceError::Conflict(why.to_string()))?;
    Ok(json!({"unit": unit, "start": span.start, "words": words}))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line on which unit 3 has a holding register, unit 5 refuses and unit 7 answers damaged.
    fn line() -> MaintenanceHandle {
        let (handle, mut requests) = mpsc::channel::<linli_drivers::modbus::RegisterRequest>(4);
        tokio::spawn(async move {
            while let Some(request) = requests.recv().await {
                let unit = request.unit;
                let answer = match unit {
                    3 => Ok(vec![7]),
                    5 => Err(NotDone::Refused { unit, code: 2 }),
                    7 => Err(NotDone::Garbled { unit }),
                    9 => Err(NotDone::Down { why: "the port is gone".to_owned() }),
                    _ => Err(NotDone::Silent { unit }),
                };
                let _ = request.reply.send(answer);
            }
        });
        handle
    }

    async fn scanned(units: (u8, u8)) -> Vec<Value> {
        let (progress, mut steps) = mpsc::channel(4);
        let known = vec![(3, "fridge-1".to_owned())];
        let scan = Scan { line: "kitchen".to_owned(), units, known, progress };
        tokio::spawn(scan.run(line()));
        let mut all = Vec::new();
        while let Some(step) = steps.recv().await {
            all.push(step);
        }
        all
    }

    #[tokio::test]
    async fn a_scan_names_who_answers_and_proposes_an_entry() {
        let steps = scanned((2, 7)).await;
        assert_eq!(steps.len(), 7, "one a unit, and the end");
        let of = |unit: u8| steps.iter().find(|step| step["unit"] == unit).unwrap();
        assert!(of(2)["answer"].is_null());
        assert_eq!((&of(3)["answer"], &of(3)["device"]), (&json!("value"), &json!("fridge-1")));
        assert_eq!(of(5)["answer"], "exception 2");
        let entry = of(5)["entry"].as_str().unwrap();
        assert!(entry.contains("unit = 5") && entry.contains("line = \"kitchen\""), "{entry}");
        assert_eq!(of(7)["answer"], "garbled");
        assert_eq!(steps.last().unwrap(), &json!({"result": "done", "found": 3}));
    }

    #[tokio::test]
    async fn a_line_that_goes_down_ends_the_scan_with_words() {
        let steps = scanned((8, 12)).await;
        assert_eq!(steps.last().unwrap(), &json!({"result": "failed", "why": "the port is gone"}));
    }

    #[tokio::test]
    async fn registers_are_read_or_refused_with_words() {
        let span = Span { table: Table::HoldingRegister, start: 0, count: 1 };
        assert_eq!(registers(&line(), 3, span).await.unwrap()["words"], json!([7]));
        let why = registers(&line(), 5, span).await.unwrap_err().to_string();
        assert!(why.contains("unit 5"), "{why}");
    }
}
