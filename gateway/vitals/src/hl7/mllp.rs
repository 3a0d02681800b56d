//! Minimal Lower Layer Protocol: `0x0B`, the message, `0x1C 0x0D`.

/// Before a message.
pub const START: u8 = 0x0B;
/// After a message, followed by a carriage return.
pub const END: u8 = 0x1C;
const RETURN: u8 = 0x0D;
const NEWLINE: u8 = 0x0A;

/// Bytes that are kept of a message that is too long.
const HEAD: usize = 2048;

/// Longest message that is taken.
pub const LONGEST: usize = 1 << 20;

/// What a byte brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing yet.
    More,
    /// A whole message.
    Message(Vec<u8>),
    /// A message longer than [`LONGEST`]; the rest of it is passed over.
    TooLong,
    /// The end of a message whose beginning was lost.
    Headless,
}

/// The beginning of every message.
const HEADER: &[u8] = b"MSH";

/// Cuts messages out of a stream. Junk between them is dropped; a start in the middle of a
/// message begins a new one, since its sender has given the old one up. A message whose start byte is missing begins
/// with its header.
#[derive(Debug, Clone, Default)]
pub struct Framer {
    held: Option<Vec<u8>>,
    is_ending: bool,
    /// The beginning of a message that was too long.
    head: Vec<u8>,
    /// The rest of a message that was too long is passed over.
    is_passing: bool,
    /// The latest bytes between messages.
    between: Vec<u8>,
    /// Something that is no blank came between messages.
    has_junk: bool,
    abandoned: u64,
}

// === impl Framer ===

impl Framer {
    /// Takes one byte.
    pub fn push(&mut self, byte: u8) -> Step {
        let was_ending = std::mem::take(&mut self.is_ending);
        if byte == START {
            let before = self.held.replace(Vec::new());
            self.settled();
            return match before {
                // After an end without its return the message before is whole.
                Some(whole) if was_ending => Step::Message(whole),
                Some(part) => {
                    self.abandoned += u64::from(!part.is_empty());
                    Step::More
                }
                None => Step::More,
            };
        }
        let Some(held) = &mut self.held else { return self.between(byte) };
        if was_ending {
            if byte == RETURN || byte == NEWLINE {
                return self.held.take().map_or(Step::More, Step::Message);
            }
            held.push(END);
        }
        if byte == END {
            self.is_ending = true;
            return Step::More;
        }
        if held.len() >= LONGEST {
            self.head = held.drain(..HEAD).collect();
            self.held = None;
            self.is_passing = true;
            return Step::TooLong;
        }
        held.push(byte);
        Step::More
    }

    /// A byte outside of a frame.
    fn between(&mut self, byte: u8) -> Step {
        if byte == END {
            let is_end_of_message = self.has_junk && !self.is_passing;
            self.settled();
            return if is_end_of_message { Step::Headless } else { Step::More };
        }
        if self.is_passing {
            return Step::More;
        }
        self.has_junk |= !byte.is_ascii_whitespace();
        self.between.push(byte);
        if self.between.ends_with(HEADER) {
            self.held = Some(HEADER.to_vec());
            self.settled();
        } else if self.between.len() >= HEADER.len() {
            self.between.remove(0);
        }
        Step::More
    }

    /// A message begins or has ended: what was between them is forgotten.
    fn settled(&mut self) {
        self.between.clear();
        (self.has_junk, self.is_passing) = (false, false);
    }

    /// Messages that were begun and not ended so far.
    #[must_use]
    pub const fn abandoned(&self) -> u64 {
        self.abandoned
    }

    /// Whether a message has begun and not ended.
    #[must_use]
    pub fn is_within(&self) -> bool {
        self.held.as_ref().is_some_and(|held| !held.is_empty())
    }

    /// The part of a message that has come so far; empty between messages.
    #[must_use]
    pub fn part(&self) -> &[u8] {
        self.held.as_deref().unwrap_or_default()
    }

    /// Whether the end of a message has come without the return that belongs to it.
    #[must_use]
    pub const fn is_ending(&self) -> bool {
        self.is_ending
    }

    /// Takes the message whose end has come, if nothing follows it.
    pub fn end(&mut self) -> Option<Vec<u8>> {
        if std::mem::take(&mut self.is_ending) { self.held.take() } else { None }
    }

    /// The beginning of the message that was too long, with its header.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }
}

/// Frames a message.
#[must_use]
pub fn frame(message: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(message.len() + 3);
    framed.push(START);
    framed.extend_from_slice(message);
    framed.extend([END, RETURN]);
    framed
}
