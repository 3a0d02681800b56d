//! Forms of the canteen.

use std::time::Duration;

use super::cooling::{COOLING, Cooling, Outcome};
use super::wash::Cycle;
use super::{Account, Day, Excursion, Kept};
use crate::Timestamp;
use crate::alarm::Tick;
use linli_golden::{sent, stored, words};

#[test]
fn accounts_of_cabinets() {
    let mut account = Account::new(Tick(0));
    stored("food/account_new", std::slice::from_ref(&account));
    let fresh = Duration::from_secs(120);
    for (minute, value) in [(1, Some(4.0)), (2, Some(12.5)), (3, Some(13.25)), (9, None), (10, Some(5.0))] {
        let (now, at) =
            (Tick(minute * 60_000), Timestamp(1_795_428_000_000 + i64::try_from(minute).unwrap() * 60_000));
        account.see(Kept::Cold, now, at, value, fresh);
    }
    assert!(!account.day.excursions.is_empty(), "a warm cabinet has an excursion");
    stored("food/account", std::slice::from_ref(&account));
    let excursion = Excursion { from: Timestamp(1), to: None, worst: 13.25 };
    let day = Day {
        within: 1,
        beyond: 2,
        danger: 3,
        unknown: 4,
        range: Some((-1.5, 13.0)),
        excursions: vec![Excursion { to: Some(Timestamp(2)), ..excursion.clone() }, excursion],
    };
    stored("food/day", &[Day::default(), day]);
}

#[test]
fn cycles_and_cooling() {
    words!(stored "food/outcome", Outcome: Waiting, Cooling, Passed, Failed);
    let cycle = Cycle { from: Timestamp(1), to: Timestamp(2), highest: 91.5, held: 41_000, is_clean: true };
    stored("food/cycle", &[cycle]);
    let mut cooling = Cooling::new(&COOLING[0]);
    let new = cooling.clone();
    for value in [Some(70.0), Some(55.5), None, Some(20.25)] {
        cooling.see(Duration::from_secs(90), value);
    }
    stored("food/cooling", &[new, cooling]);
    let rules: Vec<&str> = COOLING.iter().map(|rule| rule.name).collect();
    sent("food/cooling_rules", &rules);
    let kept =
        [Kept::Cold, Kept::Frozen, Kept::Hot, Kept::Samples, Kept::DishMachine, Kept::Steam, Kept::Infrared];
    linli_golden::every!(kept; Kept::Cold, Kept::Frozen, Kept::Hot, Kept::Samples, Kept::DishMachine,
        Kept::Steam, Kept::Infrared);
    let shown: Vec<(&str, &str)> = kept.iter().map(|kept| (kept.chinese(), kept.source())).collect();
    sent("food/kept", &shown);
}
