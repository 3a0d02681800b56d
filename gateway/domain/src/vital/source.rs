//! The source of limits that a centre set itself: who, and when.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Sources are named by every judgement, which is copied often. A centre changes its limits a few times in its life, so
/// each text is kept until the process ends, once.
static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// Returns what is said of limits that `name` set on a day, `2026-11-30`.
#[must_use]
pub fn source_of_centre(name: &str, on: &str) -> &'static str {
    let text = format!("本站设定 set by the centre: {name}, {on}");
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(text.as_str()) {
        return known;
    }
    let text: &'static str = Box::leak(text.into_boxed_str());
    kept.insert(text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once() {
        let (one, again) =
            (source_of_centre("李医生", "2026-11-30"), source_of_centre("李医生", "2026-11-30"));
        assert_eq!(one, "本站设定 set by the centre: 李医生, 2026-11-30");
        assert!(std::ptr::eq(one, again));
        assert_ne!(one, source_of_centre("李医生", "2026-12-01"));
    }
}
