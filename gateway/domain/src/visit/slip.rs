//! How a result slip is printed: the paper, and whether it names the resident.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Size of the paper.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Paper {
    /// A5, 148 mm by 210 mm (ISO 216).
    #[default]
    #[serde(rename = "a5")]
    A5,
    /// A roll 80 mm wide.
    #[serde(rename = "80")]
    Roll80,
    /// A roll 58 mm wide.
    #[serde(rename = "58")]
    Roll58,
}

/// How the resident is named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Naming {
    /// Not at all: values only.
    #[default]
    None,
    /// The first character of the name.
    Masked,
    /// In full.
    Full,
}

/// It is none of the words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not one of {words}")]
pub struct NoSuchWord {
    given: String,
    words: &'static str,
}

// === impl Paper ===

impl Paper {
    /// The word in configuration and requests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A5 => "a5",
            Self::Roll80 => "80",
            Self::Roll58 => "58",
        }
    }

    /// Width in millimetres, and height where the paper has one.
    #[must_use]
    pub const fn millimetres(self) -> (u16, Option<u16>) {
        match self {
            Self::A5 => (148, Some(210)),
            Self::Roll80 => (80, None),
            Self::Roll58 => (58, None),
        }
    }
}

impl FromStr for Paper {
    type Err = NoSuchWord;

    fn from_str(text: &str) -> Result<Self, NoSuchWord> {
        let all = [Self::A5, Self::Roll80, Self::Roll58];
        let unknown = || NoSuchWord { given: text.to_owned(), words: "a5, 80, 58" };
        all.into_iter().find(|paper| paper.as_str() == text).ok_or_else(unknown)
    }
}

// === impl Naming ===

impl Naming {
    /// The word in requests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Masked => "masked",
            Self::Full => "full",
        }
    }
}

impl FromStr for Naming {
    type Err = NoSuchWord;

    fn from_str(text: &str) -> Result<Self, NoSuchWord> {
        let all = [Self::None, Self::Masked, Self::Full];
        let unknown = || NoSuchWord { given: text.to_owned(), words: "none, masked, full" };
        all.into_iter().find(|naming| naming.as_str() == text).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for paper in [Paper::A5, Paper::Roll80, Paper::Roll58] {
            assert_eq!(paper.as_str().parse(), Ok(paper));
            assert_eq!(serde_json::to_value(paper).unwrap(), paper.as_str());
        }
        for naming in [Naming::None, Naming::Masked, Naming::Full] {
            assert_eq!(naming.as_str().parse(), Ok(naming));
            assert_eq!(serde_json::to_value(naming).unwrap(), naming.as_str());
        }
        let error = "a4".parse::<Paper>().unwrap_err().to_string();
        assert_eq!(error, "\"a4\" is not one of a5, 80, 58");
    }
}
