//! The entries of the mode switch's audit record, as they are stored, exported and read again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Channel, Effect, Event, Fire, Stage, State, Truth};
use linli_domain::audit::AuditEntry;
use linli_domain::caller::Acting;
use linli_domain::{Id, Timestamp, Value};

/// An audit entry.
pub type ModeEntry = AuditEntry<ModeEvent>;

/// The content of an audit entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModeEvent {
    /// The gateway started.
    Started {
        /// Version of linli.
        version: String,
        /// Identifies the start of the machine.
        boot: String,
    },
    /// The text of a plan before its first run, so that the record can be replayed without the
    /// configuration.
    Plan {
        /// `id@version`.
        plan: String,
        /// SHA-256 of the file.
        hash: String,
        /// Text of the file.
        text: String,
    },
    /// An order arrived.
    Order {
        /// `accepted`, `refused`, `quarantined`.
        result: String,
        /// Why it was refused.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
        /// Its id, if it could be read.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        order: Option<String>,
        /// People with valid signatures.
        signers: Vec<Id>,
        /// People on the spot who compared its code.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        confirmed_by: Vec<Id>,
        /// The security alarm that it raised.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        alarm: Option<String>,
        /// `mqtt`, or the account that sent it.
        via: String,
        /// Its bytes, hexadecimal, so that the signatures can be verified again; none for input that is
        /// no order.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        envelope: Option<String>,
        /// Who acted, and how they logged in; entries of earlier versions have none.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        acting: Option<Acting>,
    },
    /// An alert message arrived.
    Message {
        /// Its identifier.
        identifier: String,
        /// The proposed class and action, if any.
        proposes: Option<String>,
        /// `mqtt`, or the account that sent it.
        via: String,
    },
    /// A room continues from a state that does not follow from earlier entries.
    Reset {
        /// The room.
        room: Id,
        /// Why.
        why: String,
        /// The state it continues from.
        state: Box<State>,
    },
    /// A transition of a room.
    Step {
        /// The room.
        room: Id,
        /// The plan that it was computed with.
        plan: String,
        /// The event.
        event: Event,
        /// Who caused it: person and account, or signers.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        by: Option<String>,
        /// The reading behind a changed predicate.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        evidence: Option<Evidence>,
        /// Stage before.
        from: Stage,
        /// Stage after.
        to: Stage,
        /// The effects.
        effects: Vec<Effect>,
        /// Steps whose state changed.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        steps: Vec<StepChange>,
        /// Hash of the state after, hexadecimal.
        state: String,
        /// Who acted, and how they logged in; entries of earlier versions have none.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        acting: Option<Acting>,
    },
    /// Readings of a room that changed while nothing followed from it, and were not recorded one by one: how they are
    /// now. What follows in the record may rest on them.
    Readings {
        /// The room.
        room: Id,
        /// The plan that it follows; none in peace.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        plan: Option<String>,
        /// The predicates that changed, by their positions.
        truths: Vec<(usize, Truth)>,
        /// The fire panel, if it changed.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        fire: Option<Fire>,
        /// Hash of the state, hexadecimal.
        state: String,
    },
    /// An alternate room was started in place of one that cannot be used, under the same order.
    Alternate {
        /// The room that cannot be used.
        room: Id,
        /// The plan of the alternate room.
        plan: String,
        /// Id of the order.
        order: String,
        /// Person and account.
        by: String,
        /// Why.
        why: String,
        /// Who acted, and how they logged in; entries of earlier versions have none.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        acting: Option<Acting>,
    },
    /// A finding of a drill or a switch.
    Finding {
        /// Id of the order.
        order: String,
        /// Who reports it.
        by: Id,
        /// Who must correct it.
        owner: String,
        /// Date by which it must be corrected.
        due: String,
        /// Description.
        text: String,
        /// Who acted, and how they logged in; entries of earlier versions have none.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        acting: Option<Acting>,
    },
    /// The service state of a room began or ended: for a time its outputs were open to a technician.
    Service {
        /// The room.
        room: Id,
        /// `begun` or `ended`.
        state: String,
        /// Person and account; none when it ended by itself.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        by: Option<String>,
        /// What it is for, or why it ended.
        why: String,
        /// When it ends at the latest.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        until: Option<Timestamp>,
        /// Who acted, and how they logged in; entries of earlier versions have none.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        acting: Option<Acting>,
    },
    /// The heads of the gateway's other logs, so that whoever keeps the head of this one can prove them too.
    Heads {
        /// By the name of the log.
        heads: BTreeMap<String, LogHead>,
    },
    /// A refused operation.
    Refused {
        /// The room.
        room: Id,
        /// The event.
        event: Event,
        /// Person and account.
        by: Option<String>,
        /// Why it was refused.
        why: String,
        /// Who acted, and how they logged in; entries of earlier versions have none.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        acting: Option<Acting>,
    },
}

/// The end of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHead {
    /// Number of its entries.
    pub count: u64,
    /// Hash of the last one, hexadecimal.
    pub last: String,
}

/// A changed step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepChange {
    /// Id of the step.
    pub step: Id,
    /// Its new state.
    pub state: String,
    /// Source of the proof.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub channel: Option<Channel>,
    /// Who waived it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<Id>,
    /// Performers.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub done_by: BTreeSet<Id>,
}

/// The reading behind a predicate, as it is recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The predicate as text.
    pub claim: String,
    /// The point, `device.point`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub point: Option<String>,
    /// The value.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<Value>,
    /// Age of the value, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub age_ms: Option<u64>,
    /// Whether the source is independent of the device that acts.
    pub is_independent: bool,
}
