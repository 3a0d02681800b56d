//! One measurement per finger.

use std::time::Duration;

use linli_vitals::spot::Spot;
use tokio::time::Instant;

/// What comes of `(seconds, reading)` runs at ten readings a second.
fn results(runs: &[(u64, Option<(u16, u16)>)]) -> Vec<(u16, u16)> {
    let (mut spot, mut now) = (Spot::default(), Instant::now());
    let mut found = Vec::new();
    for (seconds, reading) in runs {
        for _ in 0..seconds * 10 {
            found.extend(spot.push(now, *reading));
            now += Duration::from_millis(100);
        }
    }
    found
}

#[test]
fn one_result_per_finger() {
    let reading = Some((97, 72));
    assert_eq!(results(&[(3, None), (30, reading), (3, None), (10, Some((95, 80)))]), [(97, 72), (95, 80)]);
    assert_eq!(results(&[(4, reading)]), [], "not settled yet");
    assert_eq!(results(&[(8, reading), (1, None), (8, reading)]), [(97, 72)], "a flicker is no new finger");
}

#[test]
fn a_reading_that_jumps_is_waited_for() {
    assert_eq!(results(&[(4, Some((80, 120))), (6, Some((97, 72)))]), [(97, 72)]);
}
