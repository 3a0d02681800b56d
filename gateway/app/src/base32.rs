//! Base 32 of RFC 4648: no small letters, nothing that a telephone confuses with a blank.

const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Bytes as digits, without padding.
pub fn encode(bytes: &[u8]) -> String {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1));
    let value = |at: usize| (0..5).fold(0, |value, i| value << 1 | bit(at * 5 + i));
    (0..(bytes.len() * 8).div_ceil(5)).map(|at| char::from(DIGITS[value(at)])).collect()
}

/// The digit of a value below 32.
pub fn digit(value: u32) -> char {
    char::from(DIGITS[(value & 31) as usize])
}

/// Digits as bytes; nothing when a character is no digit.
pub fn decode(text: &str) -> Option<Vec<u8>> {
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
    fn it_is_that_of_the_standard_and_leads_back() {
        assert_eq!(encode(b"foobar"), "MZXW6YTBOI");
        for length in 0..70_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(73)).collect();
            assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
        assert_eq!(decode("MZX!"), None);
    }
}
