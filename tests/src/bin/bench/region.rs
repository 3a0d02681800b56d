//! Twenty thousand centres report to one region at a sixtieth of their rate: what so many names cost.

use std::time::Duration;

use anyhow::ensure;
use tokio::time::Instant;

use super::central::{Central, message, publish, timed};
use super::measure::Row;

/// Centres; two thousand are what decision 0015 puts into one region.
const CENTRES: usize = 20_000;

/// A centre sends 17 messages a minute with the report profile of a district; here one in sixty of them is sent.
const A_SECOND: usize = CENTRES * 17 / 60 / 60;

/// So long, after each centre has sent one as fast as it is taken.
const SECONDS: usize = 75;

/// The first messages are stored within this.
const KNOWN_WITHIN: Duration = Duration::from_secs(70);

/// Those at the rate are stored so long after the last was sent.
const STORED_WITHIN: Duration = Duration::from_secs(20);

/// Age of the newest value at the start of the transaction that stored it, of the centres that sent at the rate.
const AGE: &str = "SELECT percentile_disc({}) WITHIN GROUP (ORDER BY (extract(epoch FROM e.heard_at - m.at) * 1000)::int8) \
    FROM epoch e JOIN (SELECT epoch, max(at) AS at FROM message WHERE seq > 1 GROUP BY 1) m ON m.epoch = e.id";

/// Bytes of names and present state.
const NAMES: &str = "SELECT (sum(pg_total_relation_size(t::regclass)) / 20000)::int8 FROM unnest(ARRAY['gateway', 'epoch', \
    'device', 'series', 'shape', 'latest']) t";

/// Measures it with mosquitto and two copies: at most three minutes.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let mut central = Central::start(2, CENTRES).await?;
    let port = central.broker.port;
    let began = Instant::now();
    eprintln!("region: the first message of each of {CENTRES} centres …");
    let first = (0..CENTRES).map(|centre| message(centre, 1, 0, linli_tests::now_ms()));
    let sending = tokio::spawn(publish(port, "region-first", (CENTRES, None), first));
    let known = central.stored(CENTRES, KNOWN_WITHIN, "region").await?;
    ensure!(
        known.count >= i64::try_from(CENTRES)?,
        "after {KNOWN_WITHIN:?} only {} of {CENTRES} centres are known; is the machine busy?",
        known.count
    );
    sending.await??;
    let known = CENTRES as f64 / began.elapsed().as_secs_f64();
    let before = work(&central)?;
    let count = A_SECOND * SECONDS;
    eprintln!("region: {count} messages in {SECONDS} s …");
    let began = Instant::now();
    let paced = (0..count).map(|nth| message(nth, 2, 0, linli_tests::now_ms()));
    let sending = tokio::spawn(publish(port, "region", (count, Some(A_SECOND)), paced));
    let at_most = Duration::from_secs(u64::try_from(SECONDS)?) + STORED_WITHIN;
    let stored = central.stored(CENTRES + count, at_most, "region").await?;
    let rate = (stored.count - i64::try_from(CENTRES)?) as f64 / began.elapsed().as_secs_f64();
    if !sending.is_finished() {
        sending.abort();
    }
    central.proven(stored, CENTRES + count).await?;
    let half = central.database.number(&AGE.replace("{}", "0.5")).await?;
    let most = central.database.number(&AGE.replace("{}", "0.99")).await?;
    let after = work(&central)?;
    let map = timed(&central.platforms[0], "/api/v1/centres")?;
    let names = central.database.number(NAMES).await?;
    central.stop().await?;
    let mean = (after.1 - before.1) / (after.0 - before.0) * 1000.0;
    Ok(vec![
        Row::new("20 000 centres that nobody knew: their first messages/s stored", "", format!("{known:.0}")),
        Row::new("then at 1/60 of their rate: messages/s stored", A_SECOND.to_string(), format!("{rate:.0}")),
        Row::new(
            "from the value's time to its transaction, p50 / p99, ms",
            "1000",
            format!("{half} / {most}"),
        ),
        Row::new("mean transaction, ms", "", format!("{mean:.1}")),
        Row::new("map of 20 000 centres, ms", "", format!("{map:.0}")),
        Row::new(
            "bytes of names and present state a centre, one device of six points",
            "",
            names.to_string(),
        ),
    ])
}

/// Transactions of all copies, and their seconds.
fn work(central: &Central) -> anyhow::Result<(f64, f64)> {
    let mut all = (0.0, 0.0);
    for platform in &central.platforms {
        all.0 += platform.metric("linli_district_batches_total")?;
        all.1 += platform.metric("linli_district_batch_seconds_total")?;
    }
    Ok(all)
}
