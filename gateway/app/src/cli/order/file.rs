//! Orders in files: as bytes, or as text that survives a printer, a telephone and a chat window.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use linli_domain::order::{Envelope, LARGEST};

/// How an order in text begins.
const HEADER: &str = "LLN1:";

/// Characters of a line.
const LINE: usize = 64;

/// Base 32 of RFC 4648: no small letters, nothing that a telephone confuses with a blank.
const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Reads an order in either form.
pub fn read(path: &Path) -> anyhow::Result<Envelope> {
    let found = std::fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?;
    anyhow::ensure!(
        found.len() <= 4 * LARGEST as u64,
        "{} is {} bytes long: that is no order",
        path.display(),
        found.len()
    );
    let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let bytes = match std::str::from_utf8(&bytes) {
        Ok(text) if text.trim_start().starts_with(HEADER) => {
            untext(text).with_context(|| format!("{} is not an order in text", path.display()))?
        }
        _ => bytes,
    };
    Envelope::read(&bytes).with_context(|| path.display().to_string())
}

/// Writes an order whole or not at all.
pub fn write(path: &Path, envelope: &Envelope, is_replaced: bool) -> anyhow::Result<()> {
    let is_there = path.exists();
    anyhow::ensure!(
        is_replaced || !is_there,
        "{} is there already; name another file with -o",
        path.display()
    );
    replace(path, &envelope.bytes())
}

/// The file's name with an ending more.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Writes a file whole or not at all.
pub fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let fresh = dir.join(format!(".linli-order-{}", std::process::id()));
    let written = std::fs::File::create(&fresh)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&fresh, path));
    written.with_context(|| format!("{} cannot be written", path.display()))
}

/// As text, with a check sum at the end of each line.
pub fn text(envelope: &Envelope) -> String {
    let digits = base32(&envelope.bytes());
    let mut text = HEADER.to_owned();
    for line in digits.as_bytes().chunks(LINE) {
        let line = String::from_utf8_lossy(line);
        text.push_str(&format!("\n{line} {}", sum(&line)));
    }
    text
}

fn untext(text: &str) -> anyhow::Result<Vec<u8>> {
    let mut digits = String::new();
    let body = text.trim().strip_prefix(HEADER).context("it does not begin with LLN1:")?;
    for (index, line) in body.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let (line, check) = line.rsplit_once(' ').unwrap_or((line, ""));
        let line: String = line.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
        let right = sum(&line);
        anyhow::ensure!(check.eq_ignore_ascii_case(&right), "line {} was misread or mistyped", index + 1);
        digits.push_str(&line);
    }
    unbase32(&digits).context("only A to Z and 2 to 7 stand in it")
}

/// Two digits that tell a misread line.
fn sum(line: &str) -> String {
    let sum = line.bytes().fold(7_u32, |sum, byte| (sum * 31 + u32::from(byte)) % 1021);
    let digit = |at: u32| char::from(DIGITS[(sum >> at & 31) as usize]);
    format!("{}{}", digit(5), digit(0))
}

fn base32(bytes: &[u8]) -> String {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1));
    let digit = |at: usize| (0..5).fold(0, |digit, i| digit << 1 | bit(at * 5 + i));
    (0..(bytes.len() * 8).div_ceil(5)).map(|at| char::from(DIGITS[digit(at)])).collect()
}

fn unbase32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for byte in text.bytes() {
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        held = (held << 5 | u32::try_from(digit).ok()?) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives_the_way_and_mistakes_are_told() {
        for length in 0..70_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(73)).collect();
            assert_eq!(unbase32(&base32(&bytes)), Some(bytes));
        }
        let line = base32(b"an order of the district");
        let good = format!("LLN1:\n {} {}\n", line.to_lowercase(), sum(&line));
        assert_eq!(untext(&good).unwrap(), b"an order of the district");
        for at in 0..line.len() {
            let mut wrong = line.clone().into_bytes();
            wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
            let wrong = format!("LLN1:\n{} {}", String::from_utf8_lossy(&wrong), sum(&line));
            assert!(untext(&wrong).unwrap_err().to_string().contains("line 1"), "{at}");
        }
    }
}
