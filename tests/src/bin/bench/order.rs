//! An actual mass order to a thousand centres.

use linli_tests::thousand::{CENTRES, mass_order};

use crate::measure::Row;

/// Runs the benchmark.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let accounted = mass_order().await?;
    Ok(vec![Row::new(
        format!(
            "actual order to {CENTRES} centres, {} of them silent and shown so: approval → last answer stored",
            accounted.silent
        ),
        "< 60 s",
        format!("{:.1} s", accounted.took.as_secs_f64()),
    )])
}
