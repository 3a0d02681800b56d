//! Cooling of cooked food.

use std::time::Duration;

use linli_domain::canteen::cooling::{COOLING, Cooling, Outcome};

const MINUTE: Duration = Duration::from_secs(60);

fn cool(rule: usize, per_minute: f64, gap: std::ops::Range<u32>) -> (Outcome, u64) {
    let (mut cooling, mut value) = (Cooling::new(&COOLING[rule]), 75.0);
    for minute in 0..600 {
        value = f64::max(value - per_minute, 3.0);
        if cooling.see(MINUTE, (!gap.contains(&minute)).then_some(value)) {
            break;
        }
    }
    (cooling.outcome, cooling.elapsed / 60_000)
}

#[test]
fn fast_enough_passes_and_what_nobody_saw_does_not() {
    assert_eq!(cool(0, 0.5, 0..0).0, Outcome::Passed);
    assert_eq!(cool(0, 0.3, 0..0), (Outcome::Failed, 121));
    assert_eq!(cool(1, 0.4, 0..0).0, Outcome::Passed);
    assert_eq!(cool(1, 0.2, 0..0), (Outcome::Failed, 121));
    assert_eq!(cool(0, 0.5, 60..400).0, Outcome::Failed);
}
