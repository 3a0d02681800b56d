//! What may happen to a district on a cluster, each kind once. `cargo xtask torture district` goes on for hours.

use anyhow::ensure;
use linli_tests::torture::{self, Fault};

async fn survives(faults: &[Fault]) -> anyhow::Result<()> {
    let figures = torture::run(faults, 20).await?;
    println!("{figures}");
    ensure!(figures.stored > 100, "{}", figures.stored);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_and_silent_connections_lose_nothing() -> anyhow::Result<()> {
    survives(&[Fault::Cut, Fault::Cut, Fault::Silence]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_disks_and_wrong_clocks_lose_nothing() -> anyhow::Result<()> {
    survives(&[Fault::BrokerDisk, Fault::DatabaseDisk, Fault::Clock]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_centre_that_misbehaves_harms_no_other() -> anyhow::Result<()> {
    survives(&[Fault::Duplicate, Fault::Rubbish, Fault::Flood]).await
}
