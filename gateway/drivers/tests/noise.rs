//! Damaged streams: cut, flipped, interleaved, ten minutes of noise. Never a false value, and a
//! whole frame is understood at the latest two frames later.

use std::time::Duration;

use fastrand::Rng;
use linli_domain::vital::{self, Measurement, Quantity, Reading, Taken};
use linli_domain::{ClockQuality, Timestamp};
use linli_drivers::health::bluetooth::profiles::hear;
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
            None | Some(Decoded::Values(_) | Decoded::Doubted(_)) => {}
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
        vital::sift(&mut measurement);
        Some(measurement.readings.iter().map(|reading| reading.value.ok()).collect())
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
        Decoded::Moment(None) | Decoded::Values(_) | Decoded::Doubted(_) => {
            panic!("the frame of {} has a reading", model.name)
        }
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

/// A payload of each Bluetooth characteristic with everything in it, as published or built by its layout.
const PAYLOADS: [(u16, &[u8]); 7] = [
    (0x2A35, &[0x1E, 0x8A, 0, 0x58, 0, 0x78, 0, 0xEA, 7, 4, 0x11, 0x14, 0x29, 0x3B, 0x3C, 0, 1, 0x27, 0]),
    (0x2A1C, &[0x06, 0xB0, 0x0E, 0, 0xFE, 0xDC, 7, 12, 5, 11, 50, 27, 4]),
    (0x2A5E, &[0x0F, 97, 0, 72, 0, 0xEA, 7, 11, 24, 9, 30, 0, 0x20, 0, 0x20, 0, 0, 5, 0]),
    (0x2A5F, &[0x1F, 97, 0, 72, 0, 98, 0, 73, 0, 96, 0, 71, 0, 0x20, 0, 0x20, 0, 0, 5, 0]),
    (0x2A9D, &[0x0E, 0xB0, 0x36, 0xEA, 7, 11, 24, 9, 30, 0, 1, 229, 0, 0xD6, 6]),
    (0x2A18, &[0x0F, 1, 0, 0xEA, 7, 11, 24, 7, 0, 0, 0xFB, 0xFF, 56, 0xC0, 0x11, 0, 0]),
    (0x2A37, &[0x1F, 72, 0, 0x32, 1, 1, 0, 2, 1]),
];

#[test]
fn a_bluetooth_payload_cut_at_each_byte_says_nothing_and_more_than_is_promised_says_the_same() {
    for (characteristic, payload) in PAYLOADS {
        let whole = hear(characteristic, payload).unwrap().expect("a known characteristic");
        assert_eq!(hear(characteristic, payload).unwrap(), Some(whole.clone()), "repeated it is the same");
        for length in 0..payload.len() {
            // The intervals between beats are as many as there are.
            if characteristic == 0x2A37 && length >= 5 && length % 2 == 1 {
                continue;
            }
            assert!(hear(characteristic, &payload[..length]).is_err(), "{characteristic:04X} {length}");
        }
        if characteristic != 0x2A37 {
            let longer = [payload, &[0xFF; 3]].concat();
            assert_eq!(hear(characteristic, &longer).unwrap(), Some(whole), "{characteristic:04X}");
        }
    }
}

#[test]
fn a_serial_record_cut_at_each_byte_gives_no_other_value_and_costs_no_record_after_the_next() {
    for model in MODELS {
        let (record, right) = (frame(model), right(model));
        for length in 0..=record.len() {
            for from in 0..=length {
                let mut decoder = (model.decoder)();
                let bytes = [&record[from..length], &record.repeat(3)].concat();
                let heard: Vec<Decoded> = bytes.iter().filter_map(|byte| decoder.push(*byte)).collect();
                let values: Vec<Vec<Option<f64>>> = heard
                    .into_iter()
                    .map(|heard| match heard {
                        Decoded::Moment(moment) => moment
                            .map_or_else(Vec::new, |(one, two)| vec![Some(one.into()), Some(two.into())]),
                        Decoded::Measured { readings, .. } => readings.iter().map(|r| r.value.ok()).collect(),
                        other => panic!("{other:?}"),
                    })
                    .collect();
                assert!(
                    values.iter().filter(|values| **values == right).count() >= 2,
                    "{} {from}..{length}",
                    model.name
                );
                for values in values {
                    // A record that begins in what was cut may be known for one without a value.
                    let is_nothing = values.iter().all(Option::is_none);
                    assert!(is_nothing || values == right, "{} {from}..{length}: {values:?}", model.name);
                }
            }
        }
    }
}
