//! Trends of a full history: 90 days of minutes of eight devices with ten points each.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::rollup::{Minute, Rollup};
use linli_domain::{DeviceClass, Id, Layout, PointSpec, Timestamp, ValueType};
use linli_store::{Settings, Store};
use linli_tests::Workspace;
use tokio::time::Instant;

use crate::measure::{Row, percentile};

/// The latest minute.
const NOW: Timestamp = Timestamp(1_795_428_000_000);

const DAYS: i64 = 90;
const DEVICES: u16 = 8;
const POINTS: u16 = 10;
const MINUTE: i64 = 60_000;

/// Spans of the screens: hours, and minutes of a step.
const SPANS: [(i64, u64); 5] = [(1, 1), (24, 2), (168, 10), (720, 30), (2160, 90)];

/// How often each is asked.
const TIMES: usize = 20;

/// Runs the benchmark.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let workspace = Workspace::new()?;
    let settings = Settings {
        path: workspace.path("trend.db"),
        max_bytes: 4 << 30,
        max_age: None,
        commit_interval: Duration::from_millis(100),
        history_retention: Duration::from_secs(400 * 86_400),
    };
    let (store, _) = Store::open(settings, Arc::new(|| NOW)).await?;
    let layouts = (0..DEVICES).map(layout).collect::<anyhow::Result<Vec<_>>>()?;
    let first = NOW.minute().0 - DAYS * 1440 * MINUTE;
    for day in 0..DAYS {
        for hour in 0..24 {
            let minutes = (0..60).flat_map(|minute| {
                let at = first + ((day * 24 + hour) * 60 + minute) * MINUTE;
                layouts.iter().map(move |layout| filled(layout, at))
            });
            store.history().add(minutes.collect()).await;
        }
    }
    // What was added is on the disk when something that waits for it is.
    let (device, point) = (Id::new("meter-3")?, Id::new("p7")?);
    let history = store.history();
    let wanted = usize::try_from(DAYS * 24)?;
    let all = || history.read_spans(&device, &point, (Timestamp(first), NOW), Duration::from_secs(3600));
    while all().await?.len() < wanted {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let mut shown = Vec::new();
    for (hours, step) in SPANS {
        let (from, step) = (Timestamp(NOW.0 - hours * 60 * MINUTE), Duration::from_secs(step * 60));
        let mut took = Vec::new();
        for _ in 0..TIMES {
            let began = Instant::now();
            let spans = history.read_spans(&device, &point, (from, NOW), step).await?;
            took.push(began.elapsed().as_secs_f64() * 1000.0);
            anyhow::ensure!(spans.len() >= 60, "{} spans", spans.len());
        }
        shown.push(format!(
            "{hours} h: {:.0}, {:.0} ms",
            percentile(&mut took, 0.5),
            percentile(&mut took, 0.99)
        ));
    }
    Ok(vec![Row::new(
        format!(
            "trend of a point, {DAYS} days of {DEVICES} devices with {POINTS} points: p50, longest of {TIMES}"
        ),
        "≤ 200 ms",
        shown.join("; "),
    )])
}

fn layout(number: u16) -> anyhow::Result<Arc<Layout>> {
    let spec = |point: u16| -> anyhow::Result<PointSpec> {
        let name = Id::new(&format!("p{point}"))?;
        Ok(PointSpec { name, unit: "W".to_owned(), kind: ValueType::Float, writable: false })
    };
    Ok(Arc::new(Layout {
        device: Id::new(&format!("meter-{number}"))?,
        name: String::new(),
        room: None,
        class: DeviceClass::Telemetry,
        profile: "bench/meter".to_owned(),
        points: (0..POINTS).map(spec).collect::<anyhow::Result<_>>()?,
    }))
}

#[expect(clippy::cast_precision_loss, reason = "a wave")]
fn filled(layout: &Arc<Layout>, at: i64) -> Minute {
    let value = |point: u16| {
        let wave = ((at / MINUTE) as f64 / 97.0 + f64::from(point)).sin() * 20.0 + 230.0;
        Some(Rollup::of((wave * 10.0).round() / 10.0).merged(Rollup::of((wave * 10.0).round() / 10.0 + 0.4)))
    };
    Minute { layout: Arc::clone(layout), minute: Timestamp(at), points: (0..POINTS).map(value).collect() }
}
