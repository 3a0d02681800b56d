//! The states of an alarm and what moves it from one to another (ISA-18.2, IEC 62682).

use serde::{Deserialize, Serialize};

/// Where an alarm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A: nothing is wrong.
    #[default]
    Normal,
    /// B: raised, and nobody has said that they know.
    Unacknowledged,
    /// C: raised, and somebody knows.
    Acknowledged,
    /// D: over, and nobody has said that they knew.
    ReturnedUnacknowledged,
    /// E: over, held by its latch, and nobody knew.
    LatchedUnacknowledged,
    /// F: over, held by its latch until somebody resets it.
    LatchedAcknowledged,
    /// G: silenced by a person for a time.
    Shelved,
    /// H: silenced by design, while a condition holds.
    Suppressed,
    /// I: taken out of service by a person.
    OutOfService,
}

/// What happens to an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Its condition has held for the on-delay.
    Raised,
    /// Its condition has not held for the off-delay.
    Cleared,
    /// Somebody knows.
    Acknowledge,
    /// Somebody opens the latch.
    Reset,
    /// Somebody silences it for a time.
    Shelve,
    /// The time is over, or somebody takes it back.
    Unshelve,
    /// The design silences it.
    Suppress,
    /// The design's reason is over.
    Unsuppress,
    /// Somebody takes it out of service.
    TakeOut,
    /// Somebody puts it back.
    PutBack,
}

// === impl State ===

impl State {
    /// The word in payloads.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Unacknowledged => "unacknowledged",
            Self::Acknowledged => "acknowledged",
            Self::ReturnedUnacknowledged => "returned_unacknowledged",
            Self::LatchedUnacknowledged => "latched_unacknowledged",
            Self::LatchedAcknowledged => "latched_acknowledged",
            Self::Shelved => "shelved",
            Self::Suppressed => "suppressed",
            Self::OutOfService => "out_of_service",
        }
    }

    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Normal,
        Self::Unacknowledged,
        Self::Acknowledged,
        Self::ReturnedUnacknowledged,
        Self::LatchedUnacknowledged,
        Self::LatchedAcknowledged,
        Self::Shelved,
        Self::Suppressed,
        Self::OutOfService,
    ];

    /// Whether nothing of it is announced: it is still evaluated and journaled.
    #[must_use]
    pub const fn is_silent(self) -> bool {
        matches!(self, Self::Shelved | Self::Suppressed | Self::OutOfService)
    }

    /// Whether somebody should look at it.
    #[must_use]
    pub const fn is_standing(self) -> bool {
        !matches!(self, Self::Normal) && !self.is_silent()
    }

    /// Whether an acknowledgement is awaited.
    #[must_use]
    pub const fn is_unacknowledged(self) -> bool {
        matches!(self, Self::Unacknowledged | Self::ReturnedUnacknowledged | Self::LatchedUnacknowledged)
    }

    /// Where an event leads; nothing when it means nothing here. `is_active` says whether the
    /// condition holds now: it decides where an alarm comes out of silence.
    #[must_use]
    pub const fn next(self, event: Event, is_latching: bool, is_active: bool) -> Option<Self> {
        use Event as E;
        let out_of_silence = if is_active { Self::Unacknowledged } else { Self::Normal };
        Some(match (self, event) {
            (Self::OutOfService, E::PutBack)
            | (Self::Shelved, E::Unshelve)
            | (Self::Suppressed, E::Unsuppress) => out_of_silence,
            (Self::OutOfService, _) => return None,
            (_, E::TakeOut) => Self::OutOfService,
            (Self::Shelved | Self::Suppressed, _) => return None,
            (_, E::Shelve) => Self::Shelved,
            (_, E::Suppress) => Self::Suppressed,
            (
                Self::Normal
                | Self::ReturnedUnacknowledged
                | Self::LatchedUnacknowledged
                | Self::LatchedAcknowledged,
                E::Raised,
            ) => Self::Unacknowledged,
            (Self::Unacknowledged, E::Cleared) if is_latching => Self::LatchedUnacknowledged,
            (Self::Unacknowledged, E::Cleared) => Self::ReturnedUnacknowledged,
            (Self::Acknowledged, E::Cleared) if is_latching => Self::LatchedAcknowledged,
            (Self::Acknowledged, E::Cleared) => Self::Normal,
            (Self::Unacknowledged, E::Acknowledge) => Self::Acknowledged,
            (Self::ReturnedUnacknowledged, E::Acknowledge) => Self::Normal,
            (Self::LatchedUnacknowledged, E::Acknowledge) => Self::LatchedAcknowledged,
            (Self::LatchedAcknowledged, E::Reset) if !is_active => Self::Normal,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the standard, row by row: states A to I, then what each event leads to with
    /// and without a latch. `.` means nothing happens; `+` the condition holds, `-` it does not.
    const TABLE: &str = "
        A  raised B B   shelve G G  suppress H H  take_out I I
        B  cleared D E  acknowledge C C  shelve G G  suppress H H  take_out I I
        C  cleared A F  shelve G G  suppress H H  take_out I I
        D  raised B B   acknowledge A A  shelve G G  suppress H H  take_out I I
        E  raised B B   acknowledge F F  shelve G G  suppress H H  take_out I I
        F  raised B B   reset- A A  shelve G G  suppress H H  take_out I I
        G  unshelve- A A  unshelve+ B B  take_out I I
        H  unsuppress- A A  unsuppress+ B B  take_out I I
        I  put_back- A A  put_back+ B B";

    const EVENTS: [(Event, &str); 10] = [
        (Event::Raised, "raised"),
        (Event::Cleared, "cleared"),
        (Event::Acknowledge, "acknowledge"),
        (Event::Reset, "reset"),
        (Event::Shelve, "shelve"),
        (Event::Unshelve, "unshelve"),
        (Event::Suppress, "suppress"),
        (Event::Unsuppress, "unsuppress"),
        (Event::TakeOut, "take_out"),
        (Event::PutBack, "put_back"),
    ];

    fn letter(state: State) -> char {
        let at = State::ALL.iter().position(|other| *other == state).unwrap();
        char::from(b'A' + u8::try_from(at).unwrap())
    }

    /// What the table says.
    fn told(state: State, event: &str, is_latching: bool, is_active: bool) -> Option<char> {
        let row = TABLE.lines().map(str::trim).find(|row| row.starts_with(letter(state)))?;
        let words: Vec<&str> = row.split_whitespace().skip(1).collect();
        let signed = format!("{event}{}", if is_active { '+' } else { '-' });
        let cell = words.chunks(3).find(|cell| cell[0] == event || cell[0] == signed)?;
        cell[1 + usize::from(is_latching)].chars().next()
    }

    #[test]
    fn every_state_and_every_event() {
        let mut moves = 0;
        for state in State::ALL {
            for (event, word) in EVENTS {
                for (is_latching, is_active) in [(false, false), (false, true), (true, false), (true, true)] {
                    let next = state.next(event, is_latching, is_active);
                    let expect = told(state, word, is_latching, is_active);
                    assert_eq!(next.map(letter), expect, "{state:?} {word} {is_latching} {is_active}");
                    moves += usize::from(next.is_some());
                }
            }
        }
        assert_eq!(moves, 130, "of 360");
    }
}
