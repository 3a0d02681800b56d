//! Nonin oximeters in real-time ASCII: one line a second, `SPO2=098 HR=072`.
//!
//! The fast mode of the Avant ends with ` F`, an event with `*`, model 9847 begins with the time,
//! and dashes stand for no data. Lines of any other form, such as the header, are passed over.

/// Values of one line; `None` stands for dashes and zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Oxygen saturation in percent.
    pub saturation: Option<u8>,
    /// Pulse rate per minute.
    pub pulse: Option<u16>,
}

/// Pulse rates that an oximeter can measure, per minute (Nonin Avant 9600 operator's manual, specifications; the 8500
/// ends at 300).
const PULSE: std::ops::RangeInclusive<u16> = 18..=321;

/// Longest unfinished line that is kept, in bytes.
const LONGEST: usize = 80;

/// Splits a stream of bytes into lines.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    held: Vec<u8>,
}

// === impl Stream ===

impl Stream {
    /// Takes one byte. Returns the line that it completes, if that has the expected form.
    pub fn push(&mut self, byte: u8) -> Option<Line> {
        match byte {
            b'\n' => {
                let line = Line::parse(&self.held);
                self.held.clear();
                line
            }
            _ if self.held.len() < LONGEST => {
                self.held.push(byte);
                None
            }
            // Too long for a line: everything up to its end is no line.
            _ => {
                self.held[0] = b'?';
                None
            }
        }
    }
}

// === impl Line ===

impl Line {
    /// Parses one line without its line feed.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?.strip_suffix('\r')?;
        let text = text.strip_suffix('*').unwrap_or(text).trim_end();
        let text = text.strip_suffix(" F").unwrap_or(text).trim_end();
        let text = match text.split_once(' ') {
            Some((time, rest)) if time.len() == 8 && time.as_bytes()[2] == b':' => rest,
            _ => text,
        };
        let (saturation, pulse) = text.strip_prefix("SPO2=")?.split_once(" HR=")?;
        let (saturation, pulse) = (number(saturation)?, number(pulse)?);
        if saturation.is_some_and(|value| value > 100) || pulse.is_some_and(|value| !PULSE.contains(&value)) {
            return None;
        }
        Some(Self { saturation: saturation.and_then(|value| u8::try_from(value).ok()), pulse })
    }
}

/// Three digits, or dashes or zeros for no value.
fn number(text: &str) -> Option<Option<u16>> {
    match text {
        "---" | "000" => Some(None),
        _ if text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok().map(Some),
        _ => None,
    }
}
