//! What can go wrong with one exchange.

use std::time::Duration;

/// How frames are packed on the simulated medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// RTU frames on a serial port.
    Rtu,
    /// RTU frames through a serial device server.
    RtuOverTcp,
    /// MBAP frames.
    Tcp,
}

/// What happens to one request or its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The answer comes this much later, perhaps after the time-out.
    Delay(Duration),
    /// The request is not answered.
    Drop,
    /// The answer comes in two parts: so many bytes, a pause, the rest.
    Split(usize, Duration),
    /// The answer is withheld and comes in one piece with the next one, when that is in time.
    Merge,
    /// The answer comes twice in one piece.
    Duplicate,
    /// The adapter echoes this request.
    Echo,
    /// The adapter echoes this request, and nobody answers.
    EchoOnly,
    /// After the answer, while nothing is asked, an earlier answer arrives once more.
    Stale(Duration),
    /// The beginning of an earlier answer arrives while nothing is asked.
    StaleHalf(Duration),
    /// The connection is closed instead of an answer.
    CloseBefore,
    /// The connection is closed after the answer.
    CloseAfter,
    /// The connection is closed in the middle of the answer.
    CloseWithin,
    /// The connection is reset instead of an answer.
    Reset,
    /// The answer carries this unit id.
    WrongUnit(u8),
    /// The answer's length field, or byte count, is wrong by this much.
    WrongLength(i8),
    /// One bit of the answer is flipped.
    Flip(usize),
    /// Bytes of noise come before the answer.
    Noise(u8),
    /// An exception with this code: 6 busy, 0x0A and 0x0B of a gateway, 2 for a hole.
    Exception(u8),
    /// From now on, for so long, nobody answers: the device starts.
    SlowStart(Duration),
    /// The counter register holds 0 for this answer.
    CounterReset,
}

// === impl Fault ===

impl Fault {
    /// The fault as it is written in a test.
    #[must_use]
    pub fn code(&self) -> String {
        let ms = |time: &Duration| format!("Duration::from_millis({})", time.as_millis());
        match self {
            Self::Delay(time) => format!("Fault::Delay({})", ms(time)),
            Self::Split(at, time) => format!("Fault::Split({at}, {})", ms(time)),
            Self::Stale(time) => format!("Fault::Stale({})", ms(time)),
            Self::StaleHalf(time) => format!("Fault::StaleHalf({})", ms(time)),
            Self::SlowStart(time) => format!("Fault::SlowStart({})", ms(time)),
            other => format!("Fault::{other:?}"),
        }
    }
}

// === impl Framing ===

impl Framing {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rtu, Self::RtuOverTcp, Self::Tcp];

    /// Whether a connection can be closed.
    #[must_use]
    pub const fn is_connection(self) -> bool {
        matches!(self, Self::RtuOverTcp | Self::Tcp)
    }
}
