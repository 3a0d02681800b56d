//! Replay of a recorded run: the same function and events must give the same states.

use sha2::{Digest, Sha256};

use super::event::Event;
use super::resolved_plan::ResolvedPlan;
use super::state::State;
use super::step::step;
use linli_domain::audit::{Hash, hex};

/// Why a replay does not match the record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayMismatch {
    /// The function refuses a recorded event.
    #[error("the event is refused: {0}")]
    Refused(String),
    /// The event leads to another state.
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
    /// Returns the SHA-256 of [`State::kept`], which identifies the state.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Sha256::digest(self.kept()).into()
    }

    /// Returns the stored form of a state, without truth values, which do not survive the process.
    #[must_use]
    pub fn kept(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a state is made of JSON values")
    }
}

/// Replays one event; `recorded` is the hash of the state it led to, hexadecimal. Returns the state.
pub fn replay(
    resolved: &ResolvedPlan,
    state: &State,
    event: &Event,
    recorded: &str,
) -> Result<State, ReplayMismatch> {
    let state = match event {
        // Truth values were lost with the process.
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
