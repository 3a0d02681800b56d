//! The order of a kiosk's reports: an older one that arrives late is not its present state.
//!
//! A report names the start of the kiosk (`boot`) and its number since then (`seq`). Of one start the highest number
//! counts. A report of another start is newer, unless that start is known to be over: it was heard before the
//! present one, or its name is an earlier time or a lower number. Such a report is passed over only while the
//! present start is heard: a kiosk whose clock or counter began anew is heard again after its silence.

use std::collections::VecDeque;
use std::time::Duration;

use linli_domain::Timestamp;
use tokio::time::Instant;

/// Former starts that are kept.
const FORMER: usize = 8;

/// What was heard of one kiosk.
#[derive(Debug, Default)]
pub struct ReportOrder {
    newest: Option<(String, u64, Instant)>,
    former: VecDeque<String>,
}

// === impl ReportOrder ===

impl ReportOrder {
    /// Whether no report before it is newer; it is then kept as the newest. A kiosk that was not heard for
    /// `silence` may begin anew.
    pub fn is_newest(&mut self, boot: &str, seq: u64, silence: Duration, now: Instant) -> bool {
        let is_newer = match &self.newest {
            None => true,
            Some((_, _, heard)) if now.saturating_duration_since(*heard) >= silence => true,
            Some((known, last, _)) if known == boot => seq >= *last,
            Some((known, ..)) => !self.former.iter().any(|former| former == boot) && !is_before(boot, known),
        };
        if is_newer {
            let before = self.newest.replace((boot.to_owned(), seq, now));
            if let Some((before, ..)) = before.filter(|(before, ..)| before != boot) {
                self.former.retain(|former| former != boot && *former != before);
                self.former.push_back(before);
                if self.former.len() > FORMER {
                    self.former.pop_front();
                }
            }
        }
        is_newer
    }
}

/// Whether the first start is the earlier one: both are times with their zone, or both are written alike and the numbers
/// in them say so, as in `12`, `2026-11-29 08:00:01` and `boot-0012`.
fn is_before(boot: &str, known: &str) -> bool {
    if let (Some(boot), Some(known)) = (Timestamp::from_rfc3339(boot), Timestamp::from_rfc3339(known)) {
        return boot < known;
    }
    let ((words, numbers), (known_words, known_numbers)) = (parts(boot), parts(known));
    words == known_words && numbers < known_numbers
}

/// What stands between the numbers of a text, and the numbers.
fn parts(text: &str) -> (Vec<&str>, Vec<u64>) {
    let words = text.split(|c: char| c.is_ascii_digit()).filter(|word| !word.is_empty()).collect();
    let digits = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    // A number that is too long to be one is the largest: then nothing is known to be earlier.
    (words, digits.map(|digits| digits.parse().unwrap_or(u64::MAX)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENCE: Duration = Duration::from_secs(30);

    /// Which of these reports, a second apart, are shown.
    fn shown(reports: &[(&str, u64)]) -> Vec<bool> {
        let (mut order, start) = (ReportOrder::default(), Instant::now());
        let at = (0..).map(|second| start + Duration::from_secs(second));
        reports.iter().zip(at).map(|((boot, seq), now)| order.is_newest(boot, *seq, SILENCE, now)).collect()
    }

    #[test]
    fn the_newest_start_and_the_highest_number_count() {
        assert_eq!(
            shown(&[("a", 1), ("a", 3), ("a", 2), ("a", 3), ("a", 4)]),
            [true, true, false, true, true]
        );
        assert_eq!(shown(&[("a", 7), ("b", 1), ("a", 8), ("b", 2)]), [true, true, false, true]);
        assert_eq!(shown(&[("12", 1), ("11", 9), ("13", 1)]), [true, false, true]);
        let (early, late) = ("2026-11-29T08:00:01", "2026-11-29T09:30:00");
        assert_eq!(shown(&[(late, 1), (early, 2)]), [true, false]);
        assert_eq!(shown(&[(early, 1), (late, 2)]), [true, true]);
        for (early, late) in [
            ("2026-11-29 08:00:01", "2026-11-29 09:30:00"),
            ("2026-11-29T08:00:01+08:00", "2026-11-29T00:30:00Z"),
            ("boot-9", "boot-10"),
            ("20261129T080001", "20261129T093000"),
        ] {
            assert_eq!(shown(&[(late, 1), (early, 2)]), [true, false], "{early} is before {late}");
            assert_eq!(shown(&[(early, 1), (late, 2)]), [true, true], "{late} is after {early}");
        }
        assert_eq!(shown(&[("c1f2", 1), ("b0e9", 2)]), [true, true], "names without an order");
    }

    #[test]
    fn after_a_silence_it_may_begin_anew() {
        let (mut order, now) = (ReportOrder::default(), Instant::now());
        assert!(order.is_newest("12", 5, SILENCE, now));
        assert!(!order.is_newest("3", 1, SILENCE, now + SILENCE / 2));
        assert!(order.is_newest("3", 1, SILENCE, now + SILENCE));
        assert!(order.is_newest("3", 2, SILENCE, now + SILENCE));
        // A kiosk whose start always has the same name.
        assert!(!order.is_newest("3", 1, SILENCE, now + SILENCE + SILENCE / 2));
        assert!(order.is_newest("3", 1, SILENCE, now + SILENCE * 2));
    }
}
