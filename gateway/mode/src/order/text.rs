//! Orders as text that survives a printer, a telephone and a chat window.

use data_encoding::BASE32_NOPAD;

/// First line of an order in text form.
const HEADER: &str = "LLN1:";

/// Characters of a line.
const LINE: usize = 64;

/// Why a text is no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misread {
    /// The first line is not that of an order.
    #[error("it does not begin with LLN1:")]
    Header,
    /// The check digits of a line do not match; lines count from 1.
    #[error("line {0} was misread or mistyped")]
    Line(usize),
    /// A character is no base 32 digit, or characters are missing.
    #[error("only A to Z and 2 to 7 stand in it")]
    Digits,
}

/// Returns whether the text is an order.
pub fn is_text(text: &str) -> bool {
    text.trim_start().starts_with(HEADER)
}

/// Writes an order as text, with check digits at the end of each line.
pub fn write(bytes: &[u8]) -> String {
    let digits = BASE32_NOPAD.encode(bytes);
    let mut text = HEADER.to_owned();
    for line in digits.as_bytes().chunks(LINE) {
        let line = String::from_utf8_lossy(line);
        text.push_str(&format!("\n{line} {}", sum(&line)));
    }
    text
}

/// Reads an order from text.
pub fn read(text: &str) -> Result<Vec<u8>, Misread> {
    let mut digits = String::new();
    let body = text.trim().strip_prefix(HEADER).ok_or(Misread::Header)?;
    for (index, line) in body.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let (line, check) = line.rsplit_once(' ').unwrap_or((line, ""));
        let line: String = line.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
        let right = sum(&line);
        if !check.eq_ignore_ascii_case(&right) {
            return Err(Misread::Line(index + 1));
        }
        digits.push_str(&line);
    }
    BASE32_NOPAD.decode(digits.as_bytes()).map_err(|_| Misread::Digits)
}

/// The base 32 digit of the low five bits (RFC 4648, table 3).
fn digit(value: u32) -> char {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    char::from(digits[(value & 31) as usize])
}

/// Returns two check digits, which detect a misread line.
fn sum(line: &str) -> String {
    let sum = line.bytes().fold(7_u32, |sum, byte| (sum * 31 + u32::from(byte)) % 1021);
    format!("{}{}", digit(sum >> 5), digit(sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives_the_way_and_mistakes_are_told() {
        let line = BASE32_NOPAD.encode(b"an order of the district");
        let good = format!("LLN1:\n {} {}\n", line.to_lowercase(), sum(&line));
        assert_eq!(read(&good).unwrap(), b"an order of the district");
        assert_eq!(read(&write(&[7; 100])).unwrap(), [7; 100]);
        for at in 0..line.len() {
            let mut wrong = line.clone().into_bytes();
            wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
            let wrong = format!("LLN1:\n{} {}", String::from_utf8_lossy(&wrong), sum(&line));
            assert!(read(&wrong).unwrap_err().to_string().contains("line 1"), "{at}");
        }
    }
}
