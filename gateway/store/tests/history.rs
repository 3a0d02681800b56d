//! Trends: spans of many minutes are the minutes, joined.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::rollup::{Minute, Rollup};
use linli_domain::{DeviceClass, Id, Layout, Timestamp};

use crate::support::{self, NOW, layout, open};

const HOUR: i64 = 3_600_000;

fn minute(layout: &Arc<Layout>, at: i64, value: f64) -> Minute {
    let points = vec![None, Some(Rollup::of(value).merged(Rollup::of(value + 1.0)))];
    Minute { layout: Arc::clone(layout), minute: Timestamp(at), points }
}

#[tokio::test]
async fn spans_join_their_minutes_and_leave_gaps() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("linli.db")).await;
    let (before, after) =
        (layout("meter", DeviceClass::Telemetry, 2), layout("meter", DeviceClass::Telemetry, 3));
    let first = NOW.0.div_euclid(HOUR) * HOUR;
    // Three hours, of which the second is missing; in the third the configuration has changed.
    let hour = |number: i64| (0..60).map(move |at| first + number * HOUR + at * 60_000);
    let mut minutes: Vec<Minute> = hour(0).map(|at| minute(&before, at, 1.0)).collect();
    minutes.extend(hour(2).map(|at| minute(if at % 120_000 == 0 { &before } else { &after }, at, 5.0)));
    store.history().add(minutes).await;
    store.accept_durably(support::numbered(&before, 1)).await.unwrap();
    let (device, point) = (Id::new("meter").unwrap(), Id::new("p1").unwrap());
    let range = (Timestamp(first), Timestamp(first + 3 * HOUR));
    let read = |step: u64| {
        let (history, device, point) = (store.history(), device.clone(), point.clone());
        async move { history.read_spans(&device, &point, range, Duration::from_secs(step)).await.unwrap() }
    };
    let hours = read(3600).await;
    let found: Vec<(i64, f64, f64, u32)> =
        hours.iter().map(|(at, rollup)| (at.0 - first, rollup.min, rollup.max, rollup.count)).collect();
    assert_eq!(found, [(0, 1.0, 2.0, 120), (2 * HOUR, 5.0, 6.0, 120)]);
    // The same as minute by minute, whatever the step, also over several pages of spans.
    let single = store.history().read(&device, &point, range.0, range.1).await.unwrap();
    assert_eq!(single.len(), 120);
    assert_eq!(read(60).await, single);
    let tens = read(600).await;
    assert_eq!(tens.len(), 12);
    let sum = |all: &[(Timestamp, Rollup)]| all.iter().map(|(_, rollup)| rollup.sum).sum::<f64>();
    assert!((sum(&tens) - sum(&single)).abs() < 1e-6);
    let nothing =
        store.history().read_spans(&device, &Id::new("no").unwrap(), range, Duration::from_secs(60)).await;
    assert!(nothing.unwrap().is_empty());
    let nobody =
        store.history().read_spans(&Id::new("no").unwrap(), &point, range, Duration::from_secs(60)).await;
    assert!(nobody.unwrap().is_empty());
}
