//! The entries of the mode switch's record, as they are stored, exported and read again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Channel, Effect, Event, Stage, State};
use linli_domain::audit::AuditEntry;
use linli_domain::{Id, Value};

/// A line.
pub type ModeEntry = AuditEntry<ModeEvent>;

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModeEvent {
    /// The gateway started.
    Started {
        /// Of linli.
        version: String,
        /// Which start of the machine.
        boot: String,
    },
    /// A plan as it will be run: the record can be followed without the configuration's files.
    Plan {
        /// `id@version`.
        plan: String,
        /// SHA-256 of the file.
        hash: String,
        /// The file.
        text: String,
    },
    /// An order arrived.
    Order {
        /// `accepted`, `refused`, `quarantined`.
        result: String,
        /// Why not.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
        /// Its id, where it could be read.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        order: Option<String>,
        /// Who signed.
        signers: Vec<Id>,
        /// By which way it came.
        via: String,
        /// The bytes, hexadecimal; anybody can verify them again. Nothing of what is no order.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        envelope: Option<String>,
    },
    /// A message proposes an order.
    Message {
        /// Its identifier.
        identifier: String,
        /// What it proposes.
        proposes: Option<String>,
        /// By which way it came.
        via: String,
    },
    /// A room goes on from a state that does not follow from what was on record.
    Reset {
        /// The room.
        room: Id,
        /// Why.
        why: String,
        /// The state.
        state: Box<State>,
    },
    /// A room took a step.
    Step {
        /// The room.
        room: Id,
        /// The plan that it was decided by.
        plan: String,
        /// What happened.
        event: Event,
        /// Who asked for it, by which way.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        by: Option<String>,
        /// What a claim rests on.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        evidence: Option<Evidence>,
        /// Where the room was.
        from: Stage,
        /// Where it is now.
        to: Stage,
        /// What follows.
        effects: Vec<Effect>,
        /// Steps of the plan that changed.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        steps: Vec<StepChange>,
        /// Hash of the state now, hexadecimal.
        state: String,
    },
    /// Another room takes the place of one that cannot be used, under the same order.
    Alternate {
        /// The room that cannot be used.
        room: Id,
        /// The plan that begins instead.
        plan: String,
        /// The order that covers it.
        order: String,
        /// Who decided so, by which way.
        by: String,
        /// Why.
        why: String,
    },
    /// Something that was found in a drill or a switch, and who mends it until when.
    Finding {
        /// The order.
        order: String,
        /// Who found it.
        by: Id,
        /// Who mends it.
        owner: String,
        /// Until that day.
        due: String,
        /// What it is.
        text: String,
    },
    /// Somebody asked for something that was refused.
    Refused {
        /// The room.
        room: Id,
        /// What was asked.
        event: Event,
        /// Who asked, by which way.
        by: Option<String>,
        /// Why not.
        why: String,
    },
}

/// A step that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepChange {
    /// The step.
    pub step: Id,
    /// What it is now.
    pub state: String,
    /// By which way it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub channel: Option<Channel>,
    /// Who waived it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<Id>,
    /// Who did it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub done_by: BTreeSet<Id>,
}

/// What a claim rests on, as the record says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The claim.
    pub claim: String,
    /// Where it was read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub point: Option<String>,
    /// What was read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<Value>,
    /// How old it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub age_ms: Option<u64>,
    /// Whether it comes from elsewhere than the device that acts.
    pub is_independent: bool,
}
