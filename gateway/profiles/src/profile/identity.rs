//! How to tell that a device is the model it should be, and the very one.

use crate::codec::Codec;
use crate::data::{Span, Table};

/// Most registers between the first and the last that identify a device: one request reads them.
const LONGEST: u16 = 125;

/// Everything that identifies a device, read at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// What to read.
    pub span: Span,
    checks: Vec<Check>,
    serial: Option<(Span, Codec)>,
}

/// One number that must be plausible.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Check {
    pub span: Span,
    pub codec: Codec,
    pub plausible: (f64, f64),
}

// === impl Identity ===

impl Identity {
    /// From what a profile says; nothing when it says nothing.
    pub(super) fn new(checks: Vec<Check>, serial: Option<(Span, Codec)>) -> Result<Option<Self>, String> {
        let spans = || checks.iter().map(|check| check.span).chain(serial.iter().map(|(span, _)| *span));
        let Some(first) = spans().min() else { return Ok(None) };
        let end = spans().map(|span| span.start.saturating_add(span.count)).max().unwrap_or(0);
        let count = end - first.start;
        if spans().any(|span| span.table != first.table) || count > LONGEST {
            return Err(format!("identify and serial must lie in one table within {LONGEST} registers"));
        }
        let span = Span { table: first.table, start: first.start, count };
        debug_assert!(matches!(span.table, Table::InputRegister | Table::HoldingRegister));
        Ok(Some(Self { span, checks, serial }))
    }

    /// Whether it has a serial number.
    #[must_use]
    pub const fn tells_serial(&self) -> bool {
        self.serial.is_some()
    }

    /// What the registers do not say that they should: of which model, and of which serial number.
    pub fn holds(&self, words: &[u16], model: &str, serial: Option<u64>) -> Result<(), String> {
        for check in &self.checks {
            let (low, high) = check.plausible;
            let found = self.part(words, check.span).and_then(|words| check.codec.decode(words).1);
            match found.and_then(|value| value.as_f64()) {
                Some(number) if (low..=high).contains(&number) => {}
                Some(number) => {
                    return Err(format!(
                        "is not a {model}: {number} where {low} to {high} was expected; check unit, wiring and profile"
                    ));
                }
                None => return Err(format!("is not a {model}: its identity register holds no number")),
            }
        }
        let (Some(asked), Some((span, codec))) = (serial, &self.serial) else { return Ok(()) };
        let found = self.part(words, *span).map(|words| codec.order.join(words));
        match found {
            Some(found) if found == asked => Ok(()),
            Some(found) => Err(format!(
                "is another {model}: serial number {found:016x} answers where {asked:016x} is configured; put the right one back or correct serial in devices.toml"
            )),
            None => Err(format!("is not a {model}: it tells no serial number")),
        }
    }

    fn part<'w>(&self, words: &'w [u16], span: Span) -> Option<&'w [u16]> {
        let from = usize::from(span.start - self.span.start);
        words.get(from..from + usize::from(span.count))
    }
}
