//! The proof of completeness that any consumer can make: every `(epoch, seq)` arrived, or the
//! loss ledger names it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::ensure;
use serde_json::Value;

/// A message as the subscriber saw it.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Value,
}

/// One message of data: device, seq, values of its samples by point.
pub type Arrival = (String, u64, Vec<(String, Value)>);

/// What the messages prove.
#[derive(Debug, Default)]
pub struct Proof {
    /// Sequence numbers per epoch.
    pub seqs: BTreeMap<String, BTreeSet<u64>>,
    /// How many messages came more than once.
    pub duplicates: usize,
    /// Ranges of the ledger: epoch, first, last, reason.
    pub ledger: Vec<(String, u64, u64, String)>,
    /// How many messages the ledger says were given up within its ranges; none when it cannot know.
    pub given_up: Option<u64>,
    /// First arrivals of each device's data, in order: device, seq, values of its samples by point.
    pub data: Vec<Arrival>,
}

/// Reads a line of the record.
pub fn parse(line: &str) -> Option<Received> {
    let (topic, payload) = line.split_once('\t')?;
    let payload = serde_json::from_str(payload).ok()?;
    topic.starts_with("linli/").then(|| Received { topic: topic.to_owned(), payload })
}

// === impl Proof ===

impl Proof {
    /// Adds up what was received.
    #[must_use]
    pub fn of(received: &[Received]) -> Self {
        let mut proof = Self { given_up: Some(0), ..Self::default() };
        for message in received {
            let (Some(epoch), Some(seq)) =
                (message.payload["epoch"].as_str(), message.payload["seq"].as_u64())
            else {
                continue;
            };
            if !proof.seqs.entry(epoch.to_owned()).or_default().insert(seq) {
                proof.duplicates += 1;
                continue;
            }
            if message.topic.ends_with("/event/ledger") {
                proof.note(&message.payload);
            } else if message.topic.contains("/data/") {
                proof.add(seq, &message.payload);
            }
        }
        proof
    }

    fn note(&mut self, entry: &Value) {
        let word = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        if let (Some(first), Some(last)) = (entry["range"][0].as_u64(), entry["range"][1].as_u64()) {
            self.ledger.push((word("of_epoch"), first, last, word("reason")));
            self.given_up = self.given_up.zip(entry["messages"].as_u64()).map(|(sum, more)| sum + more);
        }
    }

    fn add(&mut self, seq: u64, payload: &Value) {
        let samples = payload["samples"].as_array().cloned().unwrap_or_default();
        let values = samples
            .iter()
            .map(|s| (s["p"].as_str().unwrap_or_default().to_owned(), s["v"].clone()))
            .collect();
        self.data.push((payload["device"].as_str().unwrap_or_default().to_owned(), seq, values));
    }

    /// Highest number seen in an epoch.
    #[must_use]
    pub fn highest(&self) -> u64 {
        self.seqs.values().flatten().max().copied().unwrap_or(0)
    }

    /// Numbers up to the highest that neither arrived nor stand in the ledger, per epoch.
    #[must_use]
    pub fn missing(&self) -> Vec<(String, u64)> {
        let mut missing = Vec::new();
        for (epoch, seqs) in &self.seqs {
            let (first, last) = (seqs.first().copied().unwrap_or(1), seqs.last().copied().unwrap_or(0));
            let explained =
                |seq: u64| self.ledger.iter().any(|(of, a, b, _)| of == epoch && (*a..=*b).contains(&seq));
            // The first epoch of a gateway begins at 1; a later one goes on where the old ended.
            let begin = if self.seqs.len() == 1 { 1 } else { first };
            missing.extend(
                (begin..=last).filter(|s| !seqs.contains(s) && !explained(*s)).map(|s| (epoch.clone(), s)),
            );
        }
        missing
    }

    /// Fails unless every number arrived or is explained.
    pub fn nothing_is_missing(&self) -> anyhow::Result<()> {
        let missing = self.missing();
        ensure!(missing.is_empty(), "{} missing, the first: {:?}", missing.len(), missing.first());
        ensure!(self.highest() > 0, "nothing arrived at all");
        let gone: u64 = self.seqs.values().map(absent).sum();
        if let Some(reported) = self.given_up.filter(|_| self.seqs.len() == 1) {
            ensure!(gone <= reported, "{gone} did not arrive, the ledger tells of {reported}");
        }
        Ok(())
    }

    /// The values of one point in the order of first arrival, bad ones left out.
    #[must_use]
    pub fn values(&self, device: &str, point: &str) -> Vec<i64> {
        let of_device = self.data.iter().filter(|(d, ..)| d == device);
        of_device
            .flat_map(|(.., values)| values)
            .filter(|(p, _)| p == point)
            .filter_map(|(_, v)| v.as_i64())
            .collect()
    }
}

/// Numbers from one to the highest that did not arrive.
fn absent(seqs: &BTreeSet<u64>) -> u64 {
    seqs.last().map_or(0, |last| last - seqs.len() as u64)
}
