//! A day of a fridge: within, beyond and unknown add up.

use std::time::Duration;

use linli_domain::Timestamp;
use linli_domain::alarm::Tick;
use linli_domain::canteen::{Account, Excursion, Kept};
use proptest::prelude::*;

const FRESH: Duration = Duration::from_secs(90);

fn minutes(count: u64) -> u64 {
    count * 60_000
}

#[test]
fn warm_hours_a_gap_and_a_restart_are_each_what_they_are() {
    let mut account = Account::new(Tick(0));
    let see = |account: &mut Account, minute: u64, value| {
        let at = Timestamp(minutes(minute).cast_signed());
        account.see(Kept::Cold, Tick(minutes(minute)), at, Some(value), FRESH);
    };
    (0..=10).for_each(|minute| see(&mut account, minute, 4.0));
    (11..=20).for_each(|minute| see(&mut account, minute, 9.5));
    see(&mut account, 21, 5.0);
    assert_eq!((account.day.within, account.day.beyond), (minutes(10), minutes(11)));
    assert_eq!(account.exposure.danger(), Duration::from_millis(minutes(11)));
    let warm = Excursion { from: Timestamp(660_000), to: Some(Timestamp(1_260_000)), worst: 9.5 };
    assert_eq!(account.day.excursions, [warm]);
    // Half an hour without a word: ninety seconds of it are known.
    see(&mut account, 51, 5.0);
    assert_eq!(account.day.unknown, minutes(30) - 90_000);
    let mut account = account.resumed(Duration::from_secs(600), Tick(0));
    assert_eq!(account.day.unknown, minutes(40) - 90_000);
    account.see(Kept::Cold, Tick(minutes(1)), Timestamp(minutes(62).cast_signed()), Some(5.0), FRESH);
    assert_eq!(account.day.unknown, minutes(41) - 90_000, "before the first value nobody knew");
}

#[test]
fn hot_food_is_beyond_below_sixty_and_an_excursion_lasts_over_midnight() {
    let mut account = Account::new(Tick(0));
    account.see(Kept::Hot, Tick(0), Timestamp(0), Some(65.0), FRESH);
    account.see(Kept::Hot, Tick(60_000), Timestamp(60_000), Some(55.0), FRESH);
    let day = account.turn(Timestamp(100_000));
    assert_eq!(day.excursions.len(), 1);
    assert_eq!(account.day.excursions[0].from, Timestamp(100_000));
    account.see(Kept::Hot, Tick(120_000), Timestamp(120_000), Some(61.0), FRESH);
    assert_eq!(account.day.excursions[0].to, Some(Timestamp(120_000)));
    assert_eq!(account.day.danger, 60_000);
}

proptest! {
    #[test]
    fn every_moment_is_accounted_for_once(
        steps in prop::collection::vec((1_u64..600_000, prop::option::of(-5.0..70.0)), 1..50),
    ) {
        let (mut account, mut now) = (Account::new(Tick(0)), 0);
        for (step, value) in steps {
            now += step;
            account.see(Kept::Cold, Tick(now), Timestamp(now.cast_signed()), value, FRESH);
        }
        let day = &account.day;
        prop_assert_eq!(day.within + day.beyond + day.unknown, now);
        prop_assert!(day.danger <= day.within + day.beyond);
    }
}
