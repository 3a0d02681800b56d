//! The supported Bluetooth health profiles: their characteristics, and decoding of payloads.

use linli_domain::vital::{Caveat, NoReading, Quantity, Reading, convert, is_placeholder};
use linli_domain::{Civil, Timestamp};

use super::{
    BloodPressure, Continuous, Glucose, HeartRate, Oximetry, PulseRange, Real, Spot, Temperature, Truncated,
    Weight,
};
use crate::Decoded;

/// A profile. Numbers are those assigned by the Bluetooth SIG.
#[derive(Debug)]
pub struct Profile {
    /// The name in the configuration.
    pub name: &'static str,
    /// What it is, in English.
    pub title: &'static str,
    /// What it is, in Chinese.
    pub title_zh: &'static str,
    /// Characteristics that notify or indicate.
    pub characteristics: &'static [u16],
    /// The characteristic and the value to write so that the device sends stored measurements.
    pub recall: Option<(u16, &'static [u8])>,
    /// Quantities that it measures.
    pub quantities: &'static [Quantity],
}

const BLOOD_PRESSURE: u16 = 0x2A35;
const TEMPERATURE: u16 = 0x2A1C;
const SPOT_CHECK: u16 = 0x2A5E;
const CONTINUOUS: u16 = 0x2A5F;
const WEIGHT: u16 = 0x2A9D;
const GLUCOSE: u16 = 0x2A18;
const HEART_RATE: u16 = 0x2A37;

/// Highest heart rate that a living person has, per minute; the largest number of the field stands for none.
const HIGHEST_RATE: u16 = 300;

/// Record Access Control Point: report stored records, all of them.
const RECALL: (u16, &[u8]) = (0x2A52, &[1, 1]);

/// All supported profiles.
pub static PROFILES: &[Profile] = &[
    Profile {
        name: "bluetooth/blood-pressure",
        title: "Blood-pressure monitor (Bluetooth profile BLP)",
        title_zh: "蓝牙血压计",
        characteristics: &[BLOOD_PRESSURE],
        recall: None,
        quantities: &[Quantity::Systolic, Quantity::Diastolic, Quantity::MeanArterial, Quantity::PulseRate],
    },
    Profile {
        name: "bluetooth/thermometer",
        title: "Thermometer (Bluetooth profile HTP)",
        title_zh: "蓝牙体温计",
        characteristics: &[TEMPERATURE],
        recall: None,
        quantities: &[Quantity::Temperature],
    },
    Profile {
        name: "bluetooth/oximeter",
        title: "Pulse oximeter, spot checks and continuous (Bluetooth profile PLXP)",
        title_zh: "蓝牙血氧仪",
        characteristics: &[SPOT_CHECK, CONTINUOUS],
        recall: None,
        quantities: &[Quantity::OxygenSaturation, Quantity::PulseRate],
    },
    Profile {
        name: "bluetooth/weight-scale",
        title: "Weight scale (Bluetooth profile WSP)",
        title_zh: "蓝牙体重秤",
        characteristics: &[WEIGHT],
        recall: None,
        quantities: &[Quantity::Weight, Quantity::Height, Quantity::BodyMassIndex],
    },
    Profile {
        name: "bluetooth/glucose",
        title: "Glucose meter (Bluetooth profile GLP)",
        title_zh: "蓝牙血糖仪",
        characteristics: &[GLUCOSE],
        recall: Some(RECALL),
        quantities: &[Quantity::Glucose],
    },
    Profile {
        name: "bluetooth/heart-rate",
        title: "Heart-rate sensor (Bluetooth profile HRP)",
        title_zh: "蓝牙心率带",
        characteristics: &[HEART_RATE],
        recall: None,
        quantities: &[Quantity::PulseRate],
    },
];

/// Finds a profile by its name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.name == name)
}

/// Decodes a payload of a characteristic. Returns `None` for an unknown characteristic.
pub fn hear(characteristic: u16, payload: &[u8]) -> Result<Option<Decoded>, Truncated> {
    Ok(Some(match characteristic {
        BLOOD_PRESSURE => blood_pressure(&BloodPressure::decode(payload)?),
        TEMPERATURE => {
            let Temperature { unit, value, time, site } = Temperature::decode(payload)?;
            measured(vec![Reading { site, ..reading(Quantity::Temperature, value, unit) }], time, None)
        }
        SPOT_CHECK => spot(&Spot::decode(payload)?),
        CONTINUOUS => {
            let measurement = Continuous::decode(payload)?;
            let is_usable = measurement.status.is_usable() && measurement.sensor.is_usable();
            let is_doubted =
                measurement.status.caveats().chain(measurement.sensor.caveats()).next().is_some();
            match whole(&measurement.reading).filter(|_| is_usable) {
                Some(reading) if is_doubted => Decoded::Doubted(reading),
                reading => Decoded::Moment(reading),
            }
        }
        WEIGHT => weight(&Weight::decode(payload)?),
        GLUCOSE => glucose(&Glucose::decode(payload)?),
        HEART_RATE => {
            let HeartRate { rate, contact, .. } = HeartRate::decode(payload)?;
            let is_usable = (1..=HIGHEST_RATE).contains(&rate) && contact != Some(false);
            Decoded::Values(vec![(Quantity::PulseRate, is_usable.then_some(f64::from(rate)))])
        }
        _ => return Ok(None),
    }))
}

fn blood_pressure(measurement: &BloodPressure) -> Decoded {
    let mut readings = vec![
        reading(Quantity::Systolic, measurement.systolic, measurement.unit),
        reading(Quantity::Diastolic, measurement.diastolic, measurement.unit),
        reading(Quantity::MeanArterial, measurement.mean, measurement.unit),
    ];
    readings.extend(measurement.pulse.map(|pulse| reading(Quantity::PulseRate, pulse, "/min")));
    let out_of_range = (measurement.pulse_range != PulseRange::Within).then_some(Caveat::PulseOutOfRange);
    doubt(&mut readings, measurement.caveats.iter().copied().chain(out_of_range));
    measured(readings, measurement.time, measurement.user)
}

fn spot(measurement: &Spot) -> Decoded {
    let is_usable = measurement.status.is_usable() && measurement.sensor.is_usable();
    let mut readings = vec![
        reading(Quantity::OxygenSaturation, measurement.reading.saturation, "%"),
        reading(Quantity::PulseRate, measurement.reading.pulse, "/min"),
    ];
    if !is_usable {
        readings.iter_mut().for_each(|reading| reading.value = Err(NoReading::NotPerformed));
    }
    doubt(&mut readings, measurement.status.caveats().chain(measurement.sensor.caveats()));
    // The time of a clock that was never set says nothing, and not even that it was measured now.
    if measurement.is_clock_unset {
        doubt(&mut readings, std::iter::once(Caveat::TimeUnclear));
    }
    measured(readings, measurement.time.filter(|_| !measurement.is_clock_unset), None)
}

fn weight(measurement: &Weight) -> Decoded {
    let in_unit = |quantity, (value, unit): (f64, &str)| match convert(quantity, value, unit) {
        Ok(value) => Reading::of(quantity, value),
        Err(_) => Reading::none(quantity, NoReading::Error),
    };
    let unsuccessful = || Reading::none(Quantity::Weight, NoReading::NotPerformed);
    let mut readings =
        vec![measurement.weight.map_or_else(unsuccessful, |weight| in_unit(Quantity::Weight, weight))];
    readings.extend(measurement.height.map(|height| in_unit(Quantity::Height, height)));
    readings.extend(measurement.body_mass_index.map(|index| Reading::of(Quantity::BodyMassIndex, index)));
    measured(readings, measurement.time, measurement.user)
}

fn glucose(measurement: &Glucose) -> Decoded {
    let mut reading = match measurement.concentration {
        Some((value, unit)) => reading(Quantity::Glucose, value, unit),
        None => Reading::none(Quantity::Glucose, NoReading::NotPerformed),
    };
    if let Some(why) = measurement.absent() {
        reading.value = Err(why);
    }
    measurement.caveats().for_each(|caveat| reading.doubt(caveat));
    if measurement.is_control() {
        reading.doubt(Caveat::ControlSolution);
    }
    let wall = measurement.wall_ms().map(|at| Civil::of(Timestamp(at)));
    let time = wall.or(Some(measurement.base_time));
    // The sequence number and base time identify a measurement permanently.
    let key = wall.is_some().then(|| format!("{}/{}", measurement.base_time, measurement.sequence));
    Decoded::Measured { readings: vec![reading], time, key, user: None }
}

/// A value in the name of a measurement. A hash of the name is stored: a measurement that version 0.1
/// took is known again by the same words.
fn named(reading: &Reading) -> String {
    match reading.value {
        Ok(value) => format!("Ok({value:?})"),
        Err(NoReading::NotANumber) => "Err(NotANumber)".to_owned(),
        Err(NoReading::PositiveInfinity) => "Err(PositiveInfinity)".to_owned(),
        Err(NoReading::NegativeInfinity) => "Err(NegativeInfinity)".to_owned(),
        Err(NoReading::NotPerformed) => "Err(NotPerformed)".to_owned(),
        Err(NoReading::Error) => "Err(Error)".to_owned(),
    }
}

/// A measurement that is identified by its time and values. A time that is none is kept: who takes it marks that it is
/// not known when.
fn measured(readings: Vec<Reading>, time: Option<Civil>, user: Option<u8>) -> Decoded {
    let key = time.filter(|time| time.timestamp().is_some()).map(|time| {
        let user = user.map_or_else(|| "None".to_owned(), |user| format!("Some({user})"));
        format!("{time}/{user}/{}", readings.iter().map(named).collect::<Vec<_>>().join(","))
    });
    Decoded::Measured { readings, time, key, user }
}

fn reading(quantity: Quantity, real: Real, unit: &str) -> Reading {
    match real.value.map(|sent| (sent, convert(quantity, sent, unit))) {
        // A mean pressure or a pulse of 0: the device has none.
        Ok((sent, Ok(value))) if is_placeholder(quantity, sent, value) => {
            Reading::none(quantity, NoReading::NotPerformed)
        }
        Ok((_, Ok(value))) => Reading::of(quantity, value),
        Ok((_, Err(_))) => Reading::none(quantity, NoReading::Error),
        Err(why) => Reading::none(quantity, why),
    }
}

fn doubt(readings: &mut [Reading], caveats: impl Iterator<Item = Caveat>) {
    for caveat in caveats {
        readings.iter_mut().for_each(|reading| reading.doubt(caveat));
    }
}

/// Returns saturation in percent and pulse rate per minute, if both are in a possible range.
fn whole(reading: &Oximetry) -> Option<(u16, u16)> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 1 to 500")]
    let number = |real: Real, most: f64| {
        real.value.ok().map(f64::round).filter(|value| (1.0..=most).contains(value)).map(|value| value as u16)
    };
    Some((number(reading.saturation, 100.0)?, number(reading.pulse, 500.0)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_domain::vital::Site;

    fn values(heard: Decoded) -> (Vec<Option<f64>>, Option<String>) {
        match heard {
            Decoded::Measured { readings, key, .. } => (readings.iter().map(|r| r.value.ok()).collect(), key),
            other => panic!("{other:?} is no measurement"),
        }
    }

    #[test]
    fn pressures_in_either_unit_and_without_a_value() {
        // 120/80, mean 93 mm[Hg], 2026-11-24 09:30:00, pulse 72.
        let payload = [0x06, 120, 0, 80, 0, 93, 0, 0xEA, 0x07, 11, 24, 9, 30, 0, 72, 0];
        let (all, key) = values(hear(BLOOD_PRESSURE, &payload).unwrap().unwrap());
        assert_eq!(all, [Some(120.0), Some(80.0), Some(93.0), Some(72.0)]);
        assert_eq!(key.unwrap(), "2026-11-24T09:30:00/None/Ok(120.0),Ok(80.0),Ok(93.0),Ok(72.0)");
        // 16.0 kPa, not a number, not at this resolution.
        let (all, key) =
            values(hear(BLOOD_PRESSURE, &[0x01, 160, 0xF0, 0xFF, 0x07, 0x00, 0x08]).unwrap().unwrap());
        assert!((all[0].unwrap() - 120.0).abs() < 0.1);
        assert_eq!((&all[1..], key), ([None, None].as_slice(), None));
        assert!(hear(BLOOD_PRESSURE, &payload[..9]).is_err());
    }

    #[test]
    fn a_meter_that_tells_its_memory_names_each_measurement() {
        let payload = |sequence| [0x06, sequence, 0, 0xEA, 0x07, 11, 24, 7, 0, 0, 56, 0xC0, 0x11];
        let (all, first) = values(hear(GLUCOSE, &payload(1)).unwrap().unwrap());
        let (_, again) = values(hear(GLUCOSE, &payload(1)).unwrap().unwrap());
        let (_, next) = values(hear(GLUCOSE, &payload(2)).unwrap().unwrap());
        assert!((all[0].unwrap() - 5.6).abs() < 1e-9, "{all:?}");
        assert_eq!(first, again);
        assert_ne!(first, next);
    }

    #[test]
    fn zero_is_no_value_and_costs_no_neighbour() {
        // 120/80, mean 0 mm[Hg], pulse 0.
        let (all, _) = values(hear(BLOOD_PRESSURE, &[0x04, 120, 0, 80, 0, 0, 0, 0, 0]).unwrap().unwrap());
        assert_eq!(all, [Some(120.0), Some(80.0), None, None]);
        let (all, _) = values(hear(SPOT_CHECK, &[0, 97, 0, 0, 0]).unwrap().unwrap());
        assert_eq!(all, [Some(97.0), None]);
    }

    #[test]
    fn a_meter_that_names_an_error_gives_no_number() {
        let told = |status: u16| {
            let [low, high] = status.to_le_bytes();
            let payload = [0x0E, 1, 0, 0xEA, 0x07, 11, 24, 7, 0, 0, 56, 0xC0, 0x11, low, high];
            let Decoded::Measured { readings, .. } = hear(GLUCOSE, &payload).unwrap().unwrap() else {
                panic!()
            };
            (readings[0].value, readings[0].caveats.clone())
        };
        assert!(told(0).0.is_ok() && told(1).0.is_ok(), "a low battery is no error");
        for (bit, caveat) in [
            (1, Caveat::DeviceFault),
            (2, Caveat::SampleTooSmall),
            (3, Caveat::StripError),
            (4, Caveat::StripError),
            (7, Caveat::TemperatureOutOfRange),
            (9, Caveat::Interrupted),
            (10, Caveat::DeviceFault),
        ] {
            assert_eq!(told(1 << bit), (Err(NoReading::Error), vec![caveat]), "bit {bit}");
        }
        assert_eq!(told(1 << 5), (Err(NoReading::PositiveInfinity), vec![]));
        assert_eq!(told(1 << 6), (Err(NoReading::NegativeInfinity), vec![]));
        assert_eq!(told(1 << 11).1, [Caveat::ClockSkew], "only its time is wrong");
    }

    #[test]
    fn the_site_of_a_temperature_is_kept() {
        let payload = [0x04, 0x6C, 0x01, 0x00, 0xFF, 0x03];
        let Decoded::Measured { readings, .. } = hear(TEMPERATURE, &payload).unwrap().unwrap() else {
            panic!()
        };
        assert_eq!(
            (readings[0].value.map(|v| (v * 10.0).round()), readings[0].site),
            (Ok(364.0), Some(Site::Ear))
        );
    }

    #[test]
    fn every_special_value_is_none_and_costs_no_neighbour() {
        for special in [0x07FF_u16, 0x07FE, 0x0802, 0x0800, 0x0801] {
            let [low, high] = special.to_le_bytes();
            for at in [1, 3, 5, 7] {
                let mut payload = [0x04, 120, 0, 80, 0, 93, 0, 72, 0];
                payload[at..at + 2].copy_from_slice(&[low, high]);
                let (all, _) = values(hear(BLOOD_PRESSURE, &payload).unwrap().unwrap());
                let there = all.iter().filter(|value| value.is_some()).count();
                assert_eq!((all[(at - 1) / 2], there), (None, 3), "{special:04X} at {at}");
            }
            let (all, _) = values(hear(SPOT_CHECK, &[0, low, high, 72, 0]).unwrap().unwrap());
            assert_eq!(all, [None, Some(72.0)]);
        }
        let body = |weight: u16, bmi: u16, height: u16| {
            let [a, b] = weight.to_le_bytes();
            let [c, d] = bmi.to_le_bytes();
            let [e, f] = height.to_le_bytes();
            values(hear(WEIGHT, &[0x08, a, b, c, d, e, f]).unwrap().unwrap()).0
        };
        assert_eq!(body(0, 0xFFFF, 0xFFFF), [None], "neither zero nor the largest number is a weight");
        assert_eq!(body(14_000, 0xFFFF, 1750).len(), 2, "the height is kept without the index");
    }

    #[test]
    fn a_clock_that_was_never_set_is_not_now() {
        let told = |payload: &[u8]| match hear(BLOOD_PRESSURE, payload).unwrap().unwrap() {
            Decoded::Measured { time, key, .. } => (time.map(|time| time.timestamp()), key),
            other => panic!("{other:?}"),
        };
        // 0-04-17 20:41:59: the year is not known.
        let payload = [0x02, 120, 0, 80, 0, 93, 0, 0, 0, 4, 17, 20, 41, 59];
        assert_eq!(told(&payload), (Some(None), None), "a time, and none that can be right");
        assert_eq!(told(&[0, 120, 0, 80, 0, 93, 0]), (None, None), "it has no clock");
        let payload = [0x11, 97, 0, 72, 0, 0xEA, 0x07, 11, 24, 9, 30, 0];
        let Decoded::Measured { readings, .. } = hear(SPOT_CHECK, &payload).unwrap().unwrap() else {
            panic!()
        };
        assert!(readings.iter().all(|reading| reading.caveats == [Caveat::TimeUnclear]), "{readings:?}");
        let payload = [0x02, 1, 0, 0, 0, 0, 0, 0, 0, 0, 56, 0xC0, 0x11];
        let Decoded::Measured { time, key, .. } = hear(GLUCOSE, &payload).unwrap().unwrap() else { panic!() };
        assert_eq!((time.map(|time| time.timestamp()), key), (Some(None), None));
    }

    #[test]
    fn weight_height_and_pulse() {
        // 70.0 kg, user 1, index 22.9, 1.75 m.
        let payload = [0x0C, 0xB0, 0x36, 1, 229, 0, 0xD6, 0x06];
        let (all, _) = values(hear(WEIGHT, &payload).unwrap().unwrap());
        assert_eq!(all.iter().map(|v| v.unwrap().round()).collect::<Vec<_>>(), [70.0, 175.0, 23.0]);
        assert_eq!(values(hear(WEIGHT, &[0, 0xFF, 0xFF]).unwrap().unwrap()).0, [None]);
        let pulse = hear(HEART_RATE, &[0x06, 64]).unwrap();
        assert_eq!(pulse, Some(Decoded::Values(vec![(Quantity::PulseRate, Some(64.0))])));
        let off = hear(HEART_RATE, &[0x04, 64]).unwrap();
        assert_eq!(off, Some(Decoded::Values(vec![(Quantity::PulseRate, None)])), "no skin contact");
        assert_eq!(hear(0x2A00, &[1]), Ok(None));
    }

    #[test]
    fn an_oximeter_checks_once_or_streams() {
        let (all, _) = values(hear(SPOT_CHECK, &[0, 97, 0, 72, 0]).unwrap().unwrap());
        assert_eq!(all, [Some(97.0), Some(72.0)]);
        assert_eq!(hear(CONTINUOUS, &[0, 97, 0, 72, 0]).unwrap(), Some(Decoded::Moment(Some((97, 72)))));
        assert_eq!(hear(CONTINUOUS, &[0, 0xFF, 0x07, 72, 0]).unwrap(), Some(Decoded::Moment(None)));
        let weak = [0x08, 97, 0, 72, 0, 0x20, 0, 0];
        assert_eq!(hear(CONTINUOUS, &weak).unwrap(), Some(Decoded::Doubted((97, 72))), "low perfusion");
    }
}
