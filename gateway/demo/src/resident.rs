//! The residents who visit the simulated cabin, one after the other.

use fastrand::Rng;
use linli_cabin::{Identity, check_digit};

/// The vital signs that the devices of the cabin measure of one resident.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resident {
    /// SpO2 in %.
    pub saturation: u8,
    /// Beats per minute.
    pub pulse: u8,
    /// Pressure in mm\[Hg\].
    pub systolic: u16,
    /// Pressure in mm\[Hg\].
    pub diastolic: u16,
    /// Body temperature in °C.
    pub temperature: f64,
}

// === impl Resident ===

impl Resident {
    /// The nth resident of a day; the same seed gives the same residents.
    pub fn nth(seed: u64, nth: u64) -> Self {
        let mut random = drawn(seed, Purpose::Measurements, nth);
        let diastolic = random.u16(64..=98);
        Self {
            saturation: random.u8(93..=99),
            pulse: random.u8(56..=104),
            systolic: diastolic + random.u16(32..=62),
            diastolic,
            temperature: f64::from(random.u16(360..=377)) / 10.0,
        }
    }
}

/// The visit code printed on the slip of the nth resident.
pub fn code(nth: u64) -> String {
    format!("A{nth:03}")
}

/// Invented name and identity number of the nth resident. The check digit is valid (GB 11643).
pub fn identity(seed: u64, nth: u64) -> Identity {
    const FAMILY: [&str; 8] = ["欧阳", "司徒", "慕容", "上官", "诸葛", "东方", "令狐", "皇甫"];
    const GIVEN: [&str; 8] = ["晴川", "知秋", "若水", "听雨", "望舒", "乘风", "怀瑾", "采薇"];
    let mut random = drawn(seed, Purpose::Identity, nth);
    let (year, month, day) = (random.u16(1940..2000), random.u8(1..=12), random.u8(1..=28));
    let digits = format!("440305{year}{month:02}{day:02}{:03}", random.u16(0..1000));
    let number = format!("{digits}{}", check_digit(&digits).unwrap_or('0'));
    let name = format!("{}{}", FAMILY[random.usize(..FAMILY.len())], GIVEN[random.usize(..GIVEN.len())]);
    Identity { name, id_number: Some(number), ..Identity::default() }
}

/// What random numbers are drawn for: each purpose has a sequence of its own.
#[derive(Clone, Copy)]
enum Purpose {
    Measurements,
    Identity,
}

/// Random numbers for the nth resident of a day, the same for the same arguments.
fn drawn(seed: u64, purpose: Purpose, nth: u64) -> Rng {
    let mut day = Rng::with_seed(seed);
    let (measurements, identity) = (day.u64(..), day.u64(..));
    let first = match purpose {
        Purpose::Measurements => measurements,
        Purpose::Identity => identity,
    };
    Rng::with_seed(first.wrapping_add(nth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residents_differ_and_are_plausible() {
        let all: Vec<Resident> = (0..100).map(|nth| Resident::nth(7, nth)).collect();
        assert!(all.windows(2).any(|pair| pair[0] != pair[1]));
        assert!(all.iter().all(|r| r.systolic >= r.diastolic + 32 && (36.0..=37.7).contains(&r.temperature)));
        assert_eq!(Resident::nth(7, 3), Resident::nth(7, 3));
        let identities: Vec<Identity> = (0..100).map(|nth| identity(7, nth)).collect();
        assert!(identities.iter().all(|identity| identity.clone().checked().is_ok()));
        assert!(identities.windows(2).all(|pair| pair[0].id_number != pair[1].id_number));
    }
}
