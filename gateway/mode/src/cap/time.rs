//! Times of messages: `2026-11-24T08:00:00+08:00` in CAP (§3.3.2), with a blank instead of the `T` in
//! GB/T 35965. Zones as letters are not allowed: a message gives its offset in digits.

use linli_domain::{Civil, Timestamp};

const MINUTE: i64 = 60_000;

/// Reads a time.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    if !text.is_ascii() || text.len() != 25 {
        return None;
    }
    let digits = |from: usize, to: usize| {
        let part = &text[from..to];
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok()).flatten()
    };
    let small = |from: usize| digits(from, from + 2).and_then(|part| u8::try_from(part).ok());
    let signs = [(4, "-"), (7, "-"), (13, ":"), (16, ":"), (22, ":")];
    if signs.iter().any(|(at, sign)| &text[*at..=*at] != *sign) || !matches!(&text[10..11], "T" | " ") {
        return None;
    }
    let civil = Civil {
        year: i64::from(digits(0, 4)?),
        month: small(5)?,
        day: small(8)?,
        hour: small(11)?,
        minute: small(14)?,
        second: small(17)?,
    };
    let (hours, minutes) = (i64::from(small(20)?), i64::from(small(23)?));
    let east = match &text[19..20] {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    if hours > 14 || minutes > 59 {
        return None;
    }
    civil.timestamp().map(|at| Timestamp(at.0 - east * (hours * 60 + minutes) * MINUTE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_nothing_else() {
        let at = Some(Timestamp(1_795_478_400_000));
        assert_eq!(parse("2026-11-24T08:00:00+08:00"), at);
        assert_eq!(parse("2026-11-24 08:00:00+08:00"), at);
        assert_eq!(parse("2026-11-23T20:30:00-03:30"), at);
        for wrong in [
            "2026-11-24T08:00:00Z",
            "2026-11-24T08:00:00",
            "2026-13-24T08:00:00+08:00",
            "2026-02-30T08:00:00+08:00",
            "2026-11-24T08:00:00+0800",
            "2026-11-24T08:00:00+15:00",
            "２026-11-24T08:00:00+08:00",
            "+026-11-24T08:00:00+08:00",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
