//! The wall clock is set back and forth under a running gateway.

use std::time::Duration;

use linli_tests::devices::{STORE, counter};
use linli_tests::{Broker, FakeClock, Gateway, Peer, Proof, Workspace, eventually, free_port};

#[tokio::test]
async fn a_clock_that_jumps_loses_nothing() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let port = free_port()?;
    let _peer = Peer::tcp(port, 1, 300).await?;
    let store = format!("{STORE}\nmax_age = \"1d\"");
    let config = workspace.configure(broker.port, &store, &counter(port, "100ms"))?;
    let clock = FakeClock::new(&workspace).await?;
    let mut gateway = Gateway::start_under(&clock.wrapper(), &config, &workspace.path("data")).await?;
    gateway.answering().await?;
    for jump in ["+0", "+400d", "-400d", "+2h", "-10y", "+0"] {
        clock.set(jump)?;
        let before = subscriber.received()?.len();
        eventually("values of that time arrive", Duration::from_secs(60), || {
            subscriber.received().is_ok_and(|received| received.len() > before + 5)
        })
        .await?;
    }
    gateway.until("it is well", Duration::from_secs(60), |s| s["uplink"]["connected"] == true).await?;
    gateway.stop().await?;
    let received = subscriber.settled().await?;
    let proof = Proof::of(&received);
    proof.nothing_is_missing()?;
    assert!(proof.ledger.is_empty(), "{:?}", proof.ledger);
    let mut values = proof.values("d1", "counter");
    values.dedup();
    assert!(values.windows(2).all(|pair| pair[1] == pair[0] + 1), "{values:?}");
    let times: Vec<i64> = received.iter().filter_map(|m| m.payload["samples"][0]["t"].as_i64()).collect();
    let year = 365 * 86_400_000_i64;
    let (first, last) = (times.iter().min().copied(), times.iter().max().copied());
    assert!(
        first.zip(last).is_some_and(|(a, b)| b - a > 10 * year),
        "the jumps were seen: {first:?} {last:?}"
    );
    Ok(())
}
