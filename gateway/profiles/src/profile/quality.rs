//! A register in which the device reports the quality of a value.

use std::collections::BTreeMap;

use linli_domain::{Quality, Reason};

/// Where the register is, and what its codes mean.
#[derive(Debug, Clone, PartialEq)]
pub struct QualityRule {
    /// Its distance from the point's first register.
    pub offset: u16,
    codes: BTreeMap<u16, Quality>,
}

// === impl QualityRule ===

impl QualityRule {
    /// From what a profile says: codes to words such as `good` and `bad:sensor_fault`.
    pub(super) fn new(offset: u16, codes: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut rule = Self { offset, codes: BTreeMap::new() };
        for (code, word) in codes {
            let number = super::vectors::parse_address(code)
                .ok_or_else(|| format!("quality code {code:?} is not 0 to 65535"))?;
            let quality = word
                .parse::<Quality>()
                .map_err(|_| format!("{word:?} is not a quality such as \"good\" or \"bad:sensor_fault\""))?;
            rule.codes.insert(number, quality);
        }
        if rule.codes.values().any(|quality| quality.is_good()) {
            Ok(rule)
        } else {
            Err("quality needs a code that means \"good\"".to_owned())
        }
    }

    /// What a code means; an unknown one is a device that is newer than its profile.
    #[must_use]
    pub fn quality(&self, code: u16) -> Quality {
        self.codes.get(&code).copied().unwrap_or(Quality::Bad(Reason::Undecodable))
    }
}
