//! The order of a kiosk's reports: an older one that arrives late is not its present state.
//!
//! A report names the start of the kiosk (`boot`) and its number since then (`seq`). Of one start the highest number
//! counts. A report of another start is newer, unless that start is known to be over: it was heard before the
//! present one, or its name is an earlier time or a lower number. Such a report is passed over only while the
//! present start is heard: a kiosk whose clock or counter began anew is heard again after its silence.

use std::collections::VecDeque;
use std::time::Duration;

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
            Some((known, last, _)) if known == boot => seq >= *last,
            Some((_, _, heard)) if now.saturating_duration_since(*heard) >= silence => true,
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

/// Whether both are numbers, or both are times written alike, and the first is the lower.
fn is_before(boot: &str, known: &str) -> bool {
    if let (Ok(boot), Ok(known)) = (boot.parse::<u64>(), known.parse::<u64>()) {
        return boot < known;
    }
    let is_time = |text: &str| {
        let date = text.as_bytes().get(..11);
        date.is_some_and(|d| {
            d[4] == b'-' && d[7] == b'-' && d[10] == b'T' && d[..4].iter().all(u8::is_ascii_digit)
        })
    };
    boot.len() == known.len() && is_time(boot) && is_time(known) && boot < known
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
    }

    #[test]
    fn after_a_silence_it_may_begin_anew() {
        let (mut order, now) = (ReportOrder::default(), Instant::now());
        assert!(order.is_newest("12", 5, SILENCE, now));
        assert!(!order.is_newest("3", 1, SILENCE, now + SILENCE / 2));
        assert!(order.is_newest("3", 1, SILENCE, now + SILENCE));
        assert!(order.is_newest("3", 2, SILENCE, now + SILENCE));
    }
}
