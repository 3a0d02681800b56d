//! One dead, one slow and one babbling device on a line of thirty: each of the others is read on, and
//! none of them less often than its neighbours. How often in a second is measured by `xtask bench rtu`.

use std::time::Duration;

use linli_tests::thirty::{Thirty, UNITS, reads};

const FAULTY: [usize; 3] = [10, 20, 30];

/// Reads after which a unit that is kept waiting would be behind.
const ENOUGH: u64 = 20;

#[tokio::test]
async fn the_living_are_read_on_and_none_is_kept_waiting() -> anyhow::Result<()> {
    let thirty = Thirty::start(&["--dead", "10", "--slow", "20", "--babbling", "30"]).await?;
    let living = |all: &[u64]| -> Vec<u64> {
        (1..=UNITS).filter(|unit| !FAULTY.contains(unit)).map(|unit| all[unit - 1]).collect()
    };
    let everybody = |status: &serde_json::Value| living(&reads(status)).iter().all(|reads| *reads >= ENOUGH);
    thirty.gateway.until("every living unit was read", Duration::from_secs(240), everybody).await?;
    let all = thirty.reads()?;
    let (fewest, most) = (living(&all).into_iter().min(), living(&all).into_iter().max());
    assert!(fewest.map(|reads| reads * 10) >= most.map(|reads| reads * 9), "{all:?}");
    assert_eq!(FAULTY.map(|unit| all[unit - 1]), [0, 0, 0], "the faulty ones give no value");
    thirty.gateway.stop().await
}
