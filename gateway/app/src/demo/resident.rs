//! The residents who visit the simulated cabin, one after the other.

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
    }
}
