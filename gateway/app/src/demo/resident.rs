//! The residents who visit the simulated cabin, one after the other.

use linli_services::cabin::{Identity, check_digit};

/// What would be measured of one of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resident {
    /// Per cent.
    pub saturation: u8,
    /// Per minute.
    pub pulse: u8,
    /// mm\[Hg\].
    pub systolic: u16,
    /// mm\[Hg\].
    pub diastolic: u16,
    /// Cel.
    pub temperature: f64,
}

// === impl Resident ===

impl Resident {
    /// The nth of a day. The same seed gives the same residents.
    pub fn nth(seed: u64, nth: u64) -> Self {
        let draw = |what: u64, from: u16, to: u16| {
            let mixed = mix(seed
                ^ nth.wrapping_mul(0x9E37_79B9_7F4A_7C15)
                ^ what.wrapping_mul(0xD1B5_4A32_D192_ED03));
            from + u16::try_from(mixed % u64::from(to - from + 1)).unwrap_or(0)
        };
        let diastolic = draw(3, 64, 98);
        Self {
            saturation: u8::try_from(draw(1, 93, 99)).unwrap_or(97),
            pulse: u8::try_from(draw(2, 56, 104)).unwrap_or(70),
            systolic: diastolic + draw(4, 32, 62),
            diastolic,
            temperature: f64::from(draw(5, 360, 377)) / 10.0,
        }
    }
}

/// The number on the nth resident's slip.
pub fn code(nth: u64) -> String {
    format!("A{:03}", nth % 1000)
}

/// Name and identity number of the nth resident: invented, with a true check digit.
pub fn identity(seed: u64, nth: u64) -> Identity {
    const FAMILY: [&str; 8] = ["欧阳", "司徒", "慕容", "上官", "诸葛", "东方", "令狐", "皇甫"];
    const GIVEN: [&str; 8] = ["晴川", "知秋", "若水", "听雨", "望舒", "乘风", "怀瑾", "采薇"];
    let mixed = mix(seed ^ nth.wrapping_mul(0xA076_1D64_78BD_642F));
    let pick = |from: &[&'static str; 8], shift: u32| from[usize::try_from(mixed >> shift & 7).unwrap_or(0)];
    let (year, month, day) = (1940 + (mixed >> 8) % 60, 1 + (mixed >> 16) % 12, 1 + (mixed >> 24) % 28);
    let digits = format!("440305{year}{month:02}{day:02}{:03}", (mixed >> 32) % 1000);
    let number = format!("{digits}{}", check_digit(&digits).unwrap_or('0'));
    let name = format!("{}{}", pick(&FAMILY, 0), pick(&GIVEN, 3));
    Identity { name, id_number: Some(number), card: None, phone: None }
}

/// SplitMix64's finaliser.
fn mix(mut value: u64) -> u64 {
    value = (value ^ value >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ value >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ value >> 31
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
        assert!((0..100).all(|nth| identity(7, nth).checked().is_ok()));
    }
}
