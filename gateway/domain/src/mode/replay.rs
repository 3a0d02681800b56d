//! Walking once more through what is on record: the same function, the same events, the same states.

use sha2::{Digest, Sha256};

use super::event::Event;
use super::resolved_plan::ResolvedPlan;
use super::state::State;
use super::step::step;
use crate::audit::{Hash, hex};

/// Why a record does not lead where it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayMismatch {
    /// The function refuses what the record says was done.
    #[error("the event is refused: {0}")]
    Refused(String),
    /// Another state.
    #[error("it leads to {found}, the record says {recorded}")]
    Other {
        /// Hash of the state that the function gives.
        found: String,
        /// Hash of the state on record.
        recorded: String,
    },
}

// === impl State ===

impl State {
    /// Names a state: SHA-256 of what is kept of it.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Sha256::digest(self.kept()).into()
    }

    /// What is kept of a state: truths do not outlive the process.
    #[must_use]
    pub fn kept(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a state is made of JSON values")
    }
}

/// One recorded event again; `recorded` is the hash of the state it led to, hexadecimal.
pub fn replay(
    resolved: &ResolvedPlan,
    state: &State,
    event: &Event,
    recorded: &str,
) -> Result<State, ReplayMismatch> {
    let state = match event {
        // What the process knew ended with it.
        Event::Restarted => serde_json::from_slice(&state.kept()).expect("it was written from a state"),
        _ => state.clone(),
    };
    let (next, _) =
        step(resolved, &state, event).map_err(|refused| ReplayMismatch::Refused(refused.to_string()))?;
    let found = hex(&next.hash());
    if found != recorded {
        return Err(ReplayMismatch::Other { found, recorded: recorded.to_owned() });
    }
    Ok(next)
}
