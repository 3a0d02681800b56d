//! The result of an order: what is recorded, published and answered.

use linli_domain::Id;
use linli_domain::audit::hex;
use linli_domain::caller::Acting;
use linli_mode::order::{Doubt, Envelope, LARGEST, Order, OrderError};
use linli_mode::record::ModeEvent;
use serde_json::{Map, Value, json};

/// Most bytes of an order that are put on record although it was refused.
const LARGEST_REFUSED: usize = 4096;

/// The result of an order.
pub(super) struct Outcome {
    /// `accepted`, `refused`, `quarantined`, `repeated`.
    pub result: &'static str,
    /// Why it moves nothing.
    pub reason: Option<String>,
    /// The order, if it could be read.
    pub order: Option<Order>,
    /// People who signed it.
    pub signers: Vec<Id>,
    /// People on the spot who compared its code.
    pub confirmed_by: Vec<Id>,
    /// The rooms that it concerns, and why they do not follow it.
    pub rooms: Vec<(Id, Option<String>)>,
    /// The security alarm that it raises.
    pub alarm: Option<&'static str>,
    code: Option<String>,
    envelope: Option<String>,
    waits_for: Vec<&'static str>,
}

/// How an order came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Via {
    /// From the broker.
    Broker,
    /// From somebody at the control socket, with the person on the spot who compared its code.
    Caller(Acting),
}

// === impl Via ===

impl Via {
    /// Its word in the record: `mqtt`, or the account.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Broker => "mqtt",
            Self::Caller(acting) => &acting.account,
        }
    }

    /// Who sent it; `None` from the broker.
    pub const fn acting(&self) -> Option<&Acting> {
        match self {
            Self::Broker => None,
            Self::Caller(acting) => Some(acting),
        }
    }
}

// === impl Outcome ===

impl Outcome {
    /// Something that is no order.
    pub fn refused(why: String) -> Self {
        Self {
            result: "refused",
            reason: Some(why),
            order: None,
            signers: Vec::new(),
            confirmed_by: Vec::new(),
            rooms: Vec::new(),
            alarm: None,
            code: None,
            envelope: None,
            waits_for: Vec::new(),
        }
    }

    /// An order that moves nothing as long as nothing else is said.
    pub fn of(envelope: &Envelope) -> Self {
        let bytes = envelope.bytes();
        Self {
            reason: None,
            order: Some(envelope.order.clone()),
            code: Some(envelope.code()),
            envelope: (bytes.len() <= LARGEST).then(|| hex(&bytes)),
            ..Self::refused(String::new())
        }
    }

    /// With the reason why it moves nothing.
    pub fn with(self, why: String) -> Self {
        Self { reason: Some(why), ..self }
    }

    /// With the error of its judgement.
    pub fn refused_by(self, error: &OrderError) -> Self {
        let doubts: &[Doubt] = if let OrderError::Quarantined { why, .. } = error { why } else { &[] };
        let waits_for = doubts.iter().map(|doubt| match doubt {
            Doubt::Clock(_) => "clock",
            Doubt::Numbers => "numbers",
        });
        let result = if doubts.is_empty() { "refused" } else { "quarantined" };
        let (alarm, waits_for) = (error.alarm(), waits_for.collect());
        Self { result, alarm, waits_for, ..self.with(error.to_string()) }
    }

    /// The entry of the record. What moves nothing is kept with its bytes up to a length that orders have.
    pub fn audit_entry(&self, via: &Via) -> ModeEvent {
        let is_kept = |text: &String| self.result == "accepted" || text.len() <= 2 * LARGEST_REFUSED;
        ModeEvent::Order {
            result: self.result.to_owned(),
            reason: self.reason.clone(),
            order: self.order.as_ref().map(|order| order.id.clone()),
            signers: self.signers.clone(),
            confirmed_by: self.confirmed_by.clone(),
            alarm: self.alarm.map(str::to_owned),
            via: via.as_str().to_owned(),
            envelope: self.envelope.clone().filter(is_kept),
            acting: via.acting().cloned(),
        }
    }

    /// The message on `event/order`, which is the answer too.
    pub fn body(&self, via: &Via) -> Map<String, Value> {
        let order = self.order.as_ref();
        let rooms: Vec<Value> =
            self.rooms.iter().map(|(room, why)| json!({"room": room, "refused": why})).collect();
        let mut body = json!({
            "result": self.result, "reason": self.reason, "order": order.map(|o| &o.id),
            "kind": order.map(|o| o.kind.as_str()), "class": order.map(|o| o.class),
            "number": order.map(|o| o.seq), "code": self.code, "signers": self.signers, "rooms": rooms,
            "security_alarm": self.alarm.is_some(), "via": via.as_str(),
        });
        if let Some(alarm) = self.alarm {
            body["alarm"] = json!(alarm);
        }
        if !self.confirmed_by.is_empty() {
            body["confirmed_by"] = json!(self.confirmed_by);
        }
        if !self.waits_for.is_empty() {
            body["waits_for"] = json!(self.waits_for);
        }
        match body {
            Value::Object(body) => body,
            _ => Map::new(),
        }
    }
}
