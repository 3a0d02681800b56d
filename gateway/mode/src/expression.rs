//! The expression language of guards: one comparison, one range, or one named condition.
//!
//! ```text
//! door-main.contact == closed      ach.flow >= params.min_ach      climate.rh in 20..80
//! vacant(2)      exit_free      free_of(hot_food)      fire == normal
//! ```
//! Nothing can be defined in it and nothing executed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How two sides compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

/// A number or a word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Literal {
    /// A number.
    Number(f64),
    /// A word, such as `closed`, `on`, `true`.
    Word(String),
}

/// A name, such as `door-main.contact` or `params.min_ach`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Before the last dot.
    pub of: String,
    /// After it.
    pub what: String,
}

/// A side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Side {
    /// Something read, or a parameter.
    Name(Name),
    /// Something written down.
    Literal(Literal),
}

/// A parsed expression, not yet resolved against a building.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// `vacant(n)`: that many independent evidences that nobody is there.
    Vacant(u8),
    /// `exit_free`: a way out of the room is known to be free.
    ExitFree,
    /// `free_of(hot_food)`: somebody has taken it away.
    FreeOf(String),
    /// `fire == normal`.
    NoFire,
    /// A comparison.
    Compare {
        /// The reading.
        name: Name,
        /// How.
        op: Op,
        /// The other side.
        with: Side,
    },
    /// A range, both ends included.
    Within {
        /// The reading.
        name: Name,
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
}

/// Comparisons, the longer signs first.
const OPS: [(&str, Op); 6] = [
    ("==", Op::Equal),
    ("!=", Op::Unequal),
    ("<=", Op::AtMost),
    (">=", Op::AtLeast),
    ("<", Op::Less),
    (">", Op::More),
];

// === impl Parsed ===

impl Parsed {
    /// Parses an expression. The error says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "exit_free" {
            return Ok(Self::ExitFree);
        }
        if let Some(count) = call(text, "vacant") {
            let count = count.parse().ok().filter(|count| (1..=4).contains(count));
            return count.map(Self::Vacant).ok_or_else(|| "vacant(n) takes 1 to 4 evidences".to_owned());
        }
        if let Some(contents) = call(text, "free_of") {
            return Ok(Self::FreeOf(contents.to_owned()));
        }
        if let Some((sign, op)) = OPS.into_iter().find(|(sign, _)| text.contains(sign)) {
            let (left, right) = text.split_once(sign).unwrap_or_default();
            let (left, right) = (left.trim(), right.trim());
            if left == "fire" {
                return match (op, right) {
                    (Op::Equal, "normal") => Ok(Self::NoFire),
                    _ => Err("of fire only `fire == normal` can be asked".to_owned()),
                };
            }
            return Ok(Self::Compare { name: name(left)?, op, with: side(right)? });
        }
        if let Some((left, range)) = text.split_once(" in ") {
            let (low, high) = range.split_once("..").ok_or("a range is written `low..high`")?;
            let number = |text: &str| {
                text.trim()
                    .parse()
                    .ok()
                    .filter(|n: &f64| n.is_finite())
                    .ok_or(format!("{text:?} is no number"))
            };
            let (low, high) = (number(low)?, number(high)?);
            if low > high {
                return Err(format!("the range {low}..{high} is empty"));
            }
            return Ok(Self::Within { name: name(left.trim())?, low, high });
        }
        Err("expected a comparison such as `door-main.contact == closed`, a range such as \
             `climate.rh in 20..80`, vacant(n), exit_free, free_of(hot_food) or fire == normal"
            .to_owned())
    }
}

fn call<'t>(text: &'t str, function: &str) -> Option<&'t str> {
    Some(text.strip_prefix(function)?.trim_start().strip_prefix('(')?.strip_suffix(')')?.trim())
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
}

fn name(text: &str) -> Result<Name, String> {
    let (of, what) =
        text.rsplit_once('.').ok_or_else(|| format!("{text:?} is not a name such as `door-main.contact`"))?;
    if !of.split('.').all(is_name) || !is_name(what) {
        return Err(format!("{text:?} is not a name such as `door-main.contact`"));
    }
    Ok(Name { of: of.to_owned(), what: what.to_owned() })
}

fn side(text: &str) -> Result<Side, String> {
    if let Ok(number) = text.parse::<f64>() {
        return match number.is_finite() {
            true => Ok(Side::Literal(Literal::Number(number))),
            false => Err(format!("{text:?} is no number")),
        };
    }
    if is_name(text) {
        return Ok(Side::Literal(Literal::Word(text.to_owned())));
    }
    name(text).map(Side::Name).map_err(|_| format!("{text:?} is neither a number, a word nor a name"))
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.of, self.what)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(OPS.iter().find(|(_, op)| op == self).map_or("", |(sign, _)| sign))
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Word(word) => f.write_str(word),
        }
    }
}
