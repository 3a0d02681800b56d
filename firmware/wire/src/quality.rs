//! How good a point's value is, and why it is not better.
//!
//! High byte: 0 good, 1 uncertain, 2 bad. Low byte: the reason. The gateway shows the reason in
//! its own words; a code it does not know counts as bad.

codes! {
    /// Why a value is not good.
    Reason {
        Starting = 1 "starting" "刚上电，还没有测量" "just started, nothing measured yet";
        NoAnswer = 2 "no_answer" "传感器没有应答（断线或未安装）" "the sensor does not answer: wire broken or not fitted";
        BusFault = 3 "bus_fault" "传感器总线故障（短路或被占用）" "the sensors' bus is stuck or disturbed";
        OutOfRange = 4 "out_of_range" "读数超出传感器的物理量程" "outside what the sensor can physically measure";
        Jump = 5 "jump" "读数跳变，等待确认" "jumped further than plausible, not confirmed yet";
        Stale = 6 "stale" "读数太旧" "too old to be used";
        NotFitted = 7 "not_fitted" "本板没有这个传感器" "this board has no such sensor";
    }
}

/// Quality of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quality {
    /// Measured and plausible.
    Good,
    /// There is a value, with a doubt.
    Uncertain(Reason),
    /// There is no value that may be used.
    Bad(Reason),
}

// === impl Quality ===

impl Quality {
    /// As it travels.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Good => 0,
            Self::Uncertain(reason) => 0x0100 | reason as u16,
            Self::Bad(reason) => 0x0200 | reason as u16,
        }
    }

    /// Reverse of [`Quality::code`]; `None` for a code of a later version.
    #[must_use]
    pub const fn from_code(code: u16) -> Option<Self> {
        if code == 0 {
            return Some(Self::Good);
        }
        match (code >> 8, Reason::from_code(code & 0xFF)) {
            (1, Some(reason)) => Some(Self::Uncertain(reason)),
            (2, Some(reason)) => Some(Self::Bad(reason)),
            _ => None,
        }
    }

    /// Whether a value comes with it.
    #[must_use]
    pub const fn has_value(self) -> bool {
        !matches!(self, Self::Bad(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_comes_back_and_no_other_is_taken() {
        let known = (0..=u16::MAX).filter_map(|code| Quality::from_code(code).map(|quality| (code, quality)));
        let mut count = 0;
        for (code, quality) in known {
            assert_eq!(quality.code(), code);
            count += 1;
        }
        assert_eq!(count, 1 + 2 * Reason::ALL.len());
    }
}
