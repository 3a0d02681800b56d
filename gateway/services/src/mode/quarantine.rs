//! Orders that wait until two people on the spot have compared their code.

use std::collections::{BTreeMap, BTreeSet};

use linli_domain::Id;
use linli_mode::Class;
use linli_mode::order::Envelope;
use serde_json::{Value, json};
use tokio::time::Instant;

/// Most orders of one class that wait: drills do not push out what an Actual order waits for.
const MOST: usize = 8;

/// The orders, by their code. They are lost with the process: whoever gave them sends them again.
#[derive(Debug, Default)]
pub struct Quarantine(BTreeMap<String, Waiting>);

/// An order that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// SHA-256 of its payload.
    pub hash: [u8; 32],
    /// When it came first.
    pub since: Instant,
    /// Who compared its code so far.
    pub people: BTreeSet<Id>,
    id: String,
    class: Class,
    why: Vec<String>,
}

// === impl Quarantine ===

impl Quarantine {
    /// Returns the order with this code.
    pub fn with_code(&self, code: &str) -> Option<&Waiting> {
        self.0.get(code)
    }

    /// Returns the order if it waits.
    pub fn find(&self, envelope: &Envelope) -> Option<&Waiting> {
        self.0.get(&envelope.code()).filter(|waiting| waiting.hash == envelope.hash)
    }

    /// Keeps an order, with the people who compared its code. The one of its class that has waited longest goes
    /// when there are too many.
    pub fn keep(&mut self, envelope: &Envelope, people: BTreeSet<Id>, why: Vec<String>, now: Instant) {
        let since = self.find(envelope).map_or(now, |waiting| waiting.since);
        let (bytes, hash, id) = (envelope.bytes(), envelope.hash, envelope.order.id.clone());
        let class = envelope.order.class;
        self.0.insert(envelope.code(), Waiting { bytes, hash, since, people, id, class, why });
        let of_class = || self.0.iter().filter(|(_, waiting)| waiting.class == class);
        if of_class().count() > MOST {
            let oldest = of_class().min_by_key(|(_, waiting)| waiting.since).map(|(code, _)| code.clone());
            oldest.and_then(|oldest| self.0.remove(&oldest));
        }
    }

    /// Forgets an order that was accepted, or that will never be.
    pub fn forget(&mut self, envelope: &Envelope) {
        self.0.remove(&envelope.code());
    }

    /// The codes.
    pub fn codes(&self) -> Vec<&String> {
        self.0.keys().collect()
    }

    /// What waits, why, and who has compared the code.
    pub fn view(&self) -> Vec<Value> {
        let of = |(code, waiting): (&String, &Waiting)| json!({"code": code, "order": waiting.id, "why": waiting.why, "confirmed_by": waiting.people});
        self.0.iter().map(of).collect()
    }
}
