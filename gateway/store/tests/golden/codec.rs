//! The packed forms on their own: every value, quality and clock, numbers, roll-ups.

use data_encoding::HEXLOWER;
use linli_domain::rollup::Rollup;
use linli_domain::{ClockQuality, Quality, Reason, Sample, Timestamp, Value};
use linli_store::codec::{pack, pack_rollups, unpack, unpack_rollups};

use super::contents;
use linli_golden::{frozen, golden, only};

fn sample(value: Option<Value>, quality: Quality, clock: ClockQuality) -> Sample {
    Sample { point: 0, at: Timestamp(1_795_428_000_123), clock, quality, value }
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

fn bytes(hex: &str) -> Vec<u8> {
    HEXLOWER.decode(hex.as_bytes()).unwrap()
}

fn good(value: Option<Value>) -> Vec<Sample> {
    vec![sample(value, Quality::Good, ClockQuality::Synchronised)]
}

fn qualities() -> Vec<Vec<Sample>> {
    let mut all = Vec::new();
    for clock in [ClockQuality::Synchronised, ClockQuality::FreeRunning, ClockQuality::Unset] {
        all.push(vec![sample(None, Quality::Good, clock)]);
    }
    for reason in Reason::ALL {
        for quality in [Quality::Uncertain(reason), Quality::Bad(reason)] {
            all.push(vec![sample(None, quality, ClockQuality::Synchronised)]);
        }
    }
    all
}

/// Bodies of several samples: none, points left out, times going back, clocks changing.
fn series() -> Vec<Vec<Sample>> {
    let base = sample(Value::float(4.2), Quality::Good, ClockQuality::Synchronised);
    let at = |point, shift, clock| Sample { point, at: Timestamp(base.at.0 + shift), clock, ..base.clone() };
    vec![
        vec![],
        vec![
            at(0, 0, ClockQuality::Unset),
            at(1, 0, ClockQuality::Unset),
            at(2, 0, ClockQuality::Synchronised),
        ],
        vec![at(u16::MAX, 0, ClockQuality::Synchronised), at(0, -60_000, ClockQuality::FreeRunning)],
        vec![
            at(3, i64::MAX - base.at.0, ClockQuality::Synchronised),
            at(3, i64::MIN, ClockQuality::Synchronised),
        ],
    ]
}

fn rollups() -> Vec<Vec<Option<Rollup>>> {
    let one = Rollup::of(4.25);
    let many = Rollup { min: -0.5, max: 1e300, sum: std::f64::consts::PI, count: u32::MAX, last: 0.1 };
    vec![vec![], vec![None], vec![Some(one), None, Some(one.merged(Rollup::of(-3.0)))], vec![Some(many)]]
}

fn check_samples(name: &str, all: &[Vec<Sample>]) {
    let lines = all.iter().map(|samples| format!("{}\n", hex(&pack(samples)))).collect::<String>();
    frozen(name, &lines);
    let frozen: Vec<Vec<u8>> = golden(name).lines().map(bytes).collect();
    assert_eq!(frozen.len(), all.len(), "{name}");
    for (frozen, samples) in frozen.iter().zip(all) {
        assert_eq!(unpack(frozen).as_ref(), Ok(samples), "{name}");
    }
}

#[test]
fn packed_bodies_are_frozen() {
    let numbers: Vec<_> =
        contents::numbers().into_iter().map(|number| good(Some(Value::Float(number)))).collect();
    check_samples("codec/values.txt", &contents::values().into_iter().map(good).collect::<Vec<_>>());
    check_samples("codec/numbers.txt", &numbers);
    check_samples("codec/qualities.txt", &qualities());
    check_samples("codec/series.txt", &series());
    let name = "codec/rollups.txt";
    let lines =
        rollups().iter().map(|points| format!("{}\n", hex(&pack_rollups(points)))).collect::<String>();
    frozen(name, &lines);
    let frozen: Vec<Vec<u8>> = golden(name).lines().map(bytes).collect();
    assert_eq!(frozen.len(), rollups().len());
    for (frozen, points) in frozen.iter().zip(rollups()) {
        assert_eq!(unpack_rollups(frozen), Ok(points));
    }
    let names = ["values.txt", "numbers.txt", "qualities.txt", "series.txt", "rollups.txt"];
    only("codec", &names.map(str::to_owned));
}
