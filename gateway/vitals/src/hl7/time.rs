//! HL7 time stamps: `YYYY[MM[DD[HH[MM[SS[.S…]]]]]][+/-ZZZZ]` (HL7 v2.5.1, 2.A.77).

use linli_domain::{Civil, Timestamp};

use crate::zone::Zone;

/// A stamp to the second; one that is less precise than a minute says too little to order by.
pub(super) fn parse(text: &str, zone: &Zone) -> Option<Timestamp> {
    let (stamp, own) = match text.find(['+', '-']) {
        Some(at) => (&text[..at], Some(Zone::digits(&text[at..])?)),
        None => (text, None),
    };
    let stamp = stamp.split('.').next()?;
    if !matches!(stamp.len(), 12 | 14) || !stamp.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| stamp.get(from..to).and_then(|digits| digits.parse::<u16>().ok());
    let byte = |from: usize| u8::try_from(part(from, from + 2)?).ok();
    let time = Civil {
        year: part(0, 4)?.into(),
        month: byte(4)?,
        day: byte(6)?,
        hour: byte(8)?,
        minute: byte(10)?,
        second: if stamp.len() == 14 { byte(12)? } else { 0 },
    };
    own.as_ref().unwrap_or(zone).timestamp(time)
}

/// The time of a field, and whether something stands there that is none: not to the minute, or unreadable.
pub(super) fn read(text: &str, zone: &Zone) -> (Option<Timestamp>, bool) {
    let text = text.trim();
    let time = parse(text, zone);
    (time, time.is_none() && !matches!(text, "" | "\"\""))
}

/// The zone of a stamp, if it has one.
pub(super) fn zone(text: &str) -> Option<Zone> {
    Zone::digits(&text[text.find(['+', '-'])?..])
}

/// A stamp for what we send, in UTC.
pub(super) fn stamp(at: Timestamp) -> String {
    let Civil { year, month, day, hour, minute, second } = Civil::of(at);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}+0000")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHANGHAI: Zone = Zone::East(480);

    #[test]
    fn stamps_with_and_without_a_zone() {
        let of = |text| parse(text, &SHANGHAI).map(|at| at.0);
        assert_eq!(of("20261123093000+0800"), Some(1_795_397_400_000));
        assert_eq!(of("20261123093000"), Some(1_795_397_400_000));
        assert_eq!(of("202611230130+0000"), Some(1_795_397_400_000));
        assert_eq!(of("20261123093000.1234-0500"), Some(1_795_444_200_000));
        for bad in ["", "2026", "20261323093000", "20261123253000", "2026112309300", "20261123093000+08", "x"]
        {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn our_own_stamps_read_back() {
        for ms in [0, 951_782_400_000, 1_795_397_400_000, 4_107_542_399_000] {
            assert_eq!(parse(&stamp(Timestamp(ms)), &SHANGHAI), Some(Timestamp(ms)));
        }
        assert_eq!(stamp(Timestamp(1_795_397_400_000)), "20261123013000+0000");
    }
}
