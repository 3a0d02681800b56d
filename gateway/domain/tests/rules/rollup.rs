//! Minute and hour rows from samples.

use std::sync::Arc;

use linli_domain::rollup::{Gatherer, Minute, Rollup};
use linli_domain::{
    Batch, ClockQuality, DeviceClass, Id, Layout, PointSpec, Quality, Reason, Sample, Timestamp, Value,
    ValueType,
};

#[test]
fn partial_minutes_add_up_to_the_whole() {
    let values = [4.0, -2.0, 9.5, 1.0];
    let whole = values.iter().map(|v| Rollup::of(*v)).reduce(Rollup::merged).expect("four values");
    let (a, b) = values.split_at(2);
    let part = |v: &[f64]| v.iter().map(|v| Rollup::of(*v)).reduce(Rollup::merged).expect("two values");
    assert_eq!(part(a).merged(part(b)), whole);
    assert_eq!((whole.min, whole.max, whole.mean(), whole.last), (-2.0, 9.5, 3.125, 1.0));
}

#[test]
fn only_good_numbers_count_and_each_minute_stands_alone() {
    let point = |name: &str| PointSpec {
        name: Id::new(name).unwrap(),
        unit: "Cel".to_owned(),
        kind: ValueType::Float,
        writable: false,
    };
    let layout = Arc::new(Layout {
        device: Id::new("fridge-1").unwrap(),
        name: String::new(),
        room: None,
        class: DeviceClass::FoodSafety,
        profile: String::new(),
        points: vec![point("air"), point("core")],
    });
    let sample = |point, at, quality, value| Sample {
        point,
        at: Timestamp(at),
        clock: ClockQuality::Synchronised,
        quality,
        value,
    };
    let mut gatherer = Gatherer::default();
    gatherer.add(&Batch {
        layout,
        samples: vec![
            sample(0, 59_000, Quality::Good, Value::float(4.0)),
            sample(1, 59_500, Quality::Good, Value::float(5.0)),
            sample(0, 60_000, Quality::Good, Value::float(6.0)),
            sample(0, 61_000, Quality::Bad(Reason::NoValue), None),
            sample(0, 62_000, Quality::Uncertain(Reason::Stale), Value::float(99.0)),
            sample(0, 63_000, Quality::Good, Some(Value::Text("x".into()))),
        ],
    });
    let counted =
        |m: &Minute| (m.minute.0, m.points.iter().map(|r| r.map(|r| (r.count, r.max))).collect::<Vec<_>>());
    let taken: Vec<_> = gatherer.take().iter().map(counted).collect();
    assert_eq!(taken, [(0, vec![Some((1, 4.0)), Some((1, 5.0))]), (60_000, vec![Some((1, 6.0)), None])]);
    assert!(gatherer.take().is_empty());
}
