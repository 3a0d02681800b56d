//! Scanners of cards, QR codes and barcodes on a serial port: each code is a line that ends with CR, LF or both; some
//! scanners end it with silence alone. Chinese scanners send UTF-8 or GB 18030 (GB 18030-2022), as they are set.

use encoding_rs::GB18030;

/// Longest code in bytes: a QR code of a health code has fewer than 300 characters.
pub const LONGEST: usize = 1024;

/// What a scanner has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// The text of a code.
    Code(String),
    /// A line that is none: noise, another encoding, or longer than any code.
    Unreadable,
}

/// Collects the bytes of a code.
#[derive(Debug, Default)]
pub struct Scanner {
    bytes: Vec<u8>,
    /// It was longer than any code; the rest up to the end of the line is skipped.
    is_too_long: bool,
    skipped: u64,
}

// === impl Scanner ===

impl Scanner {
    /// Takes a byte; returns what it ends.
    pub fn push(&mut self, byte: u8) -> Option<Scan> {
        match byte {
            b'\r' | b'\n' => self.end(),
            _ if self.is_too_long => {
                self.skipped += 1;
                None
            }
            _ if self.bytes.len() >= LONGEST => {
                self.skipped += self.bytes.len() as u64 + 1;
                self.bytes.clear();
                self.is_too_long = true;
                None
            }
            _ => {
                self.bytes.push(byte);
                None
            }
        }
    }

    /// Nothing more comes for now; returns what has no end.
    pub fn end(&mut self) -> Option<Scan> {
        let bytes = std::mem::take(&mut self.bytes);
        if std::mem::take(&mut self.is_too_long) {
            return Some(Scan::Unreadable);
        }
        if bytes.is_empty() {
            return None;
        }
        Some(decoded(&bytes).map_or_else(
            || {
                self.skipped += bytes.len() as u64;
                Scan::Unreadable
            },
            Scan::Code,
        ))
    }

    /// Whether a code has begun.
    #[must_use]
    pub fn is_within(&self) -> bool {
        !self.bytes.is_empty() || self.is_too_long
    }

    /// Bytes that were no part of a code.
    #[must_use]
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }
}

/// The text of a code; `None` if its bytes are noise. Prefixes that scanners put before a code (STX, an AIM identifier such
/// as `]Q1`, ISO/IEC 15424) are no part of it.
fn decoded(bytes: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => GB18030.decode_without_bom_handling_and_without_replacement(bytes)?.into_owned(),
    };
    let text: String = text.chars().filter(|c| !matches!(c, '\u{2}' | '\u{3}' | '\u{feff}')).collect();
    let text = text.trim();
    let is_identified = text.starts_with(']')
        && text.len() > 3
        && text.as_bytes()[1].is_ascii_alphabetic()
        && text.as_bytes()[2].is_ascii_alphanumeric();
    let text = if is_identified { text.get(3..)? } else { text };
    let is_code = !text.is_empty() && !text.chars().any(char::is_control);
    is_code.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of these bytes; what cannot be read is `-`.
    fn codes(scanner: &mut Scanner, bytes: &[u8]) -> Vec<String> {
        bytes.iter().filter_map(|byte| scanner.push(*byte)).map(text).collect()
    }

    fn text(scan: Scan) -> String {
        match scan {
            Scan::Code(text) => text,
            Scan::Unreadable => "-".to_owned(),
        }
    }

    #[test]
    fn a_line_is_a_code_in_either_encoding() {
        let mut scanner = Scanner::default();
        assert_eq!(codes(&mut scanner, b"11010519491231002X\r\n"), ["11010519491231002X"]);
        assert_eq!(codes(&mut scanner, "张三 A1\n\n".as_bytes()), ["张三 A1"]);
        let (bytes, _, _) = GB18030.encode("张三 A1\r");
        assert_eq!(codes(&mut scanner, &bytes), ["张三 A1"]);
        assert_eq!(codes(&mut scanner, b"\x02]Q1jkm:9d41\x03\r"), ["jkm:9d41"]);
        assert_eq!(codes(&mut scanner, b"]\r]C\r"), ["]", "]C"]);
        assert_eq!(scanner.skipped(), 0);
    }

    #[test]
    fn silence_ends_a_code_and_noise_is_none() {
        let mut scanner = Scanner::default();
        assert!(codes(&mut scanner, b"A1").is_empty() && scanner.is_within());
        assert_eq!(scanner.end().map(text).as_deref(), Some("A1"));
        assert_eq!((scanner.end(), scanner.is_within()), (None, false));
        assert_eq!(codes(&mut scanner, b"\xff\xff\xff\r\x1b[2J\r\r\n"), ["-", "-"]);
        assert_eq!(scanner.skipped(), 7);
        let long = [vec![b'9'; LONGEST + 5], b"\rA2\r".to_vec()].concat();
        assert_eq!(codes(&mut scanner, &long), ["-", "A2"]);
        assert_eq!(scanner.skipped(), 7 + LONGEST as u64 + 5);
    }
}
