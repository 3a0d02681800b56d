//! How long food was outside its limits.

use std::time::Duration;

use linli_domain::alarm::Tick;
use linli_domain::canteen::{Exposure, Stretch};
use proptest::prelude::*;

const MINUTE: u64 = 60_000;

#[test]
fn the_window_forgets_after_four_hours_and_a_gap_is_unknown() {
    let mut exposure = Exposure::new(Tick(0));
    exposure.add(Tick(0), Tick(30 * MINUTE), Stretch::Danger);
    exposure.add(Tick(30 * MINUTE), Tick(60 * MINUTE), Stretch::Safe);
    assert_eq!(exposure.danger(), Duration::from_secs(1800));
    let kept = serde_json::to_string(&exposure).unwrap();
    let kept: Exposure = serde_json::from_str(&kept).unwrap();
    let resumed = kept.resumed(Duration::from_secs(3600), Tick(0));
    assert_eq!(resumed.danger(), Duration::from_secs(1800));
    assert_eq!(resumed.unknown(), Duration::from_secs(3600));
    let long = resumed.resumed(Duration::from_secs(5 * 3600), Tick(0));
    assert_eq!((long.danger(), long.unknown()), (Duration::ZERO, Duration::from_secs(4 * 3600)));
}

proptest! {
    #[test]
    fn nothing_is_counted_twice_or_lost_inside_the_window(
        lengths in prop::collection::vec((1_u64..20 * MINUTE, 0_u8..3), 1..10),
    ) {
        let (mut exposure, mut at) = (Exposure::new(Tick(0)), 0);
        let (mut danger, mut unknown) = (0, 0);
        for (length, kind) in lengths {
            let stretch = [Stretch::Safe, Stretch::Danger, Stretch::Unknown][usize::from(kind)];
            exposure.add(Tick(at), Tick(at + length), stretch);
            at += length;
            danger += if kind == 1 { length } else { 0 };
            unknown += if kind == 2 { length } else { 0 };
        }
        // Ten stretches of 20 minutes are shorter than the window.
        prop_assert_eq!(exposure.danger(), Duration::from_millis(danger));
        prop_assert_eq!(exposure.unknown(), Duration::from_millis(unknown));
    }
}
