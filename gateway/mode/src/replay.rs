//! Replay of a recorded run: the same function and events must give the same states.

use sha2::{Digest, Sha256};

use super::event::Event;
use super::resolved_plan::ResolvedPlan;
use super::state::{Fire, State};
use super::step::step;
use super::truth::Truth;
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

/// Takes over readings that changed while nothing followed from it; `recorded` is the hash of the state with them,
/// hexadecimal. Returns the state.
///
/// # Errors
/// When it is another state, so that something did follow.
pub fn replay_readings(
    state: &State,
    truths: &[(usize, Truth)],
    fire: Option<Fire>,
    recorded: &str,
) -> Result<State, ReplayMismatch> {
    let mut next = state.clone();
    next.fire = fire.unwrap_or(next.fire);
    for (predicate, truth) in truths {
        if let Some(slot) = next.run.as_mut().and_then(|run| run.truths.get_mut(*predicate)) {
            *slot = *truth;
        }
    }
    let found = hex(&next.hash());
    if found != recorded {
        return Err(ReplayMismatch::Other { found, recorded: recorded.to_owned() });
    }
    Ok(next)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_taken_over_if_nothing_else_changed() {
        let (peace, normal) = (State::default(), State { fire: Fire::Normal, ..State::default() });
        let recorded = hex(&normal.hash());
        let read = replay_readings(&peace, &[(3, Truth::True)], Some(Fire::Normal), &recorded);
        assert_eq!(read, Ok(normal), "a predicate of no run is nowhere");
        let other = replay_readings(&peace, &[], None, &recorded);
        assert!(matches!(other, Err(ReplayMismatch::Other { .. })), "{other:?}");
    }
}
