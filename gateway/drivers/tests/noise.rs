//! Damaged streams: cut, flipped, interleaved, ten minutes of noise. Never a false value, and a
//! whole frame is understood at the latest two frames later.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::time::Duration;

use fastrand::Rng;
use linli_domain::vital::{self, Measurement, Quantity, Reading, Taken};
use linli_domain::{ClockQuality, Timestamp};
use linli_drivers::health::models::{Decoded, MODELS, Model};
use linli_vitals::spot::Spot;
use tokio::time::Instant;

/// Ten minutes.
const LONG: u64 = 600;

/// A frame of each model that says 98 % and 72 per minute, or 138/88.
fn frame(model: &Model) -> Vec<u8> {
    match model.name.split('/').next().unwrap() {
        "contec" => vec![0x86, 0x3C, 0x05, 0x48, 0x62],
        "nonin" => b"SPO2=098 HR=072\r\n".to_vec(),
        "and" => {
            let mut packet = vec![0; 60];
            packet[0] = 2;
            packet[2] = 10;
            packet[6..8].copy_from_slice(&767_u16.to_le_bytes());
            packet[9..11].copy_from_slice(&2026_u16.to_le_bytes());
            packet[11..16].copy_from_slice(&[11, 23, 9, 30, 5]);
            packet[35..47].copy_from_slice(b"5070800001  ");
            packet.extend(b"8032583C69");
            packet
        }
        other => panic!("no frame of {other} is known here"),
    }
}

/// What is measured of a stream of so many seconds, its bytes spread evenly.
fn measured(model: &Model, bytes: &[u8], seconds: u64) -> Vec<Vec<Reading>> {
    let (mut decoder, mut spot, began) = ((model.decoder)(), Spot::default(), Instant::now());
    let mut all = Vec::new();
    for (at, byte) in (0_u32..).zip(bytes) {
        let share = f64::from(at) / f64::from(u32::try_from(bytes.len()).unwrap());
        #[expect(clippy::cast_precision_loss, reason = "a few hundred seconds")]
        let now = began + Duration::from_secs_f64(share * seconds as f64);
        match decoder.push(*byte) {
            None | Some(Decoded::Values(_)) => {}
            Some(Decoded::Moment(moment)) => {
                if let Some((saturation, pulse)) = spot.push(now, moment) {
                    all.push(vec![
                        Reading::of(Quantity::OxygenSaturation, saturation.into()),
                        Reading::of(Quantity::PulseRate, pulse.into()),
                    ]);
                }
            }
            Some(Decoded::Measured { readings, .. }) => all.push(readings),
        }
    }
    all
}

/// What the gateway would take of it.
fn taken(all: &[Vec<Reading>]) -> Vec<Vec<Option<f64>>> {
    let believed = |readings: &Vec<Reading>| {
        let taken = Taken { at: Timestamp(0), clock: ClockQuality::Synchronised, device: None };
        let mut measurement = Measurement::of(taken, readings.clone());
        vital::check(&mut measurement).is_ok().then(|| readings.iter().map(|r| r.value.ok()).collect())
    };
    all.iter()
        .filter_map(believed)
        .filter(|values: &Vec<Option<f64>>| values.iter().any(Option::is_some))
        .collect()
}

fn right(model: &Model) -> Vec<Option<f64>> {
    let mut decoder = (model.decoder)();
    let heard = frame(model).into_iter().find_map(|byte| decoder.push(byte)).expect("a whole frame");
    match heard {
        Decoded::Moment(Some((saturation, pulse))) => vec![Some(saturation.into()), Some(pulse.into())],
        Decoded::Measured { readings, .. } => readings.iter().map(|r| r.value.ok()).collect(),
        Decoded::Moment(None) | Decoded::Values(_) => panic!("the frame of {} has a reading", model.name),
    }
}

#[test]
fn ten_minutes_of_noise_are_no_measurement_and_the_second_frame_is_understood() {
    for model in MODELS {
        let mut noise = Rng::with_seed(7);
        let bytes: Vec<u8> = (0..u64::from(model.line.0) / 11 * LONG).map(|_| noise.u8(..)).collect();
        assert_eq!(taken(&measured(model, &bytes, LONG)), Vec::<Vec<_>>::new(), "{}", model.name);
        let mut decoder = (model.decoder)();
        bytes.iter().for_each(|byte| drop(decoder.push(*byte)));
        let frames = frame(model).repeat(3);
        let last: Vec<Decoded> = frames.into_iter().filter_map(|byte| decoder.push(byte)).collect();
        assert!(last.len() >= 2, "{} lost more than one frame after the noise", model.name);
    }
}

#[test]
fn a_stream_with_flipped_lost_and_doubled_bytes_gives_the_right_value_or_none() {
    for model in MODELS {
        let mut found = 0;
        for seed in 0..20 {
            let mut noise = Rng::with_seed(seed);
            let is_stream = model.quantities.len() == 2;
            let clean = frame(model).repeat(if is_stream { 60 * 20 } else { 1 });
            let mut bytes = Vec::with_capacity(clean.len());
            for byte in clean {
                match noise.u16(..400) {
                    0 => {}
                    1 => bytes.extend([byte, byte]),
                    2 => bytes.push(byte ^ 1 << noise.u8(..8)),
                    3 => bytes.extend([byte, noise.u8(..)]),
                    _ => bytes.push(byte),
                }
            }
            let all = taken(&measured(model, &bytes, 20));
            if is_stream {
                assert!(
                    all.iter().all(|values| *values == right(model)),
                    "{} seed {seed}: {all:?}",
                    model.name
                );
            }
            found += usize::from(!all.is_empty());
        }
        assert!(found > 0, "{} measured nothing in twenty streams", model.name);
    }
}

#[test]
fn a_frame_cut_short_is_nothing_and_the_next_one_is_whole() {
    for model in MODELS {
        let whole = frame(model);
        for cut in 0..whole.len() {
            let mut decoder = (model.decoder)();
            let heard: Vec<Decoded> = whole[..cut].iter().filter_map(|byte| decoder.push(*byte)).collect();
            assert!(heard.is_empty() || cut + 1 == whole.len(), "{} of {cut} bytes", model.name);
            let heard = whole.repeat(2).into_iter().filter_map(|byte| decoder.push(byte)).last();
            assert!(heard.is_some(), "{} cut after {cut} bytes", model.name);
        }
    }
}

#[test]
fn two_devices_on_one_wire_give_no_mixture() {
    let mut noise = Rng::with_seed(3);
    for model in MODELS.iter().filter(|model| model.quantities.len() == 2) {
        let other = if model.name.starts_with("contec") { &MODELS[2] } else { &MODELS[0] };
        let mut bytes = Vec::new();
        for _ in 0..60 * 20 {
            let (a, b) = (frame(model), frame(other));
            let cut = noise.usize(..a.len());
            let is_mixed = noise.bool();
            bytes.extend(if is_mixed { [&a[..cut], &b, &a[cut..]].concat() } else { a });
        }
        let all = taken(&measured(model, &bytes, 20));
        assert!(all.iter().all(|values| *values == right(model)), "{}: {all:?}", model.name);
    }
}
