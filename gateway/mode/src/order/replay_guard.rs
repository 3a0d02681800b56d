//! Which orders were accepted, so that none is accepted twice: the highest number of each authority and
//! class, and the last orders.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::payload::{Authority, Order};
use crate::Class;

/// Accepted orders that are stored to detect repetitions.
const REMEMBERED: usize = 256;

/// How far the number of an order may be above the highest accepted one.
pub const WINDOW: u64 = 1 << 20;

/// Orders of one authority and class are numbered by themselves. As text: `district.Actual`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Series {
    /// The authority.
    pub authority: Authority,
    /// The class.
    pub class: Class,
}

/// The highest accepted number of each series.
pub type Numbers = BTreeMap<Series, u64>;

/// An accepted order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedOrder {
    /// Its authority and class.
    pub series: Series,
    /// Its number.
    pub seq: u64,
    /// Its id.
    pub id: String,
    /// SHA-256 of its payload.
    pub hash: [u8; 32],
}

/// The orders accepted before: prevents replays. Stored durably with each acceptance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayGuard {
    /// The highest number per authority that version 0.1 accepted, of either class.
    pub last: BTreeMap<Authority, u64>,
    /// Orders that version 0.1 accepted: authority, number, id and hash, oldest first.
    pub accepted: Vec<(Authority, u64, String, [u8; 32])>,
    /// The highest number per authority and class.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: Numbers,
    /// Accepted orders, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<AcceptedOrder>,
    /// Whether earlier numbers were lost: a series without a number is then unknown, not new.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_lost: bool,
}

// === impl Series ===

impl Series {
    /// All series.
    pub const EACH: [Self; 4] = [
        Self { authority: Authority::District, class: Class::Actual },
        Self { authority: Authority::District, class: Class::Exercise },
        Self { authority: Authority::Local, class: Class::Actual },
        Self { authority: Authority::Local, class: Class::Exercise },
    ];

    /// The series of an order.
    #[must_use]
    pub const fn of(order: &Order) -> Self {
        Self { authority: order.authority, class: order.class }
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.authority.as_str(), self.class)
    }
}

impl From<Series> for String {
    fn from(series: Series) -> Self {
        series.to_string()
    }
}

impl TryFrom<String> for Series {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let found = Self::EACH.into_iter().find(|series| series.to_string() == text);
        found.ok_or_else(|| format!("{text:?} is no authority and class such as district.Actual"))
    }
}

// === impl ReplayGuard ===

impl ReplayGuard {
    /// A guard that knows of no number, because what was known is lost.
    #[must_use]
    pub fn lost() -> Self {
        Self { is_lost: true, ..Self::default() }
    }

    /// Returns the highest accepted number of a series, 0 when none was accepted yet; `None` when it
    /// is not known.
    #[must_use]
    pub fn highest(&self, series: Series) -> Option<u64> {
        let number = self.numbers.get(&series).or_else(|| self.last.get(&series.authority));
        let before = self.last.get(&series.authority).copied().unwrap_or_default();
        match number {
            Some(number) => Some((*number).max(before)),
            None => (!self.is_lost).then_some(0),
        }
    }

    /// Returns the highest numbers of every series in which an order was accepted.
    #[must_use]
    pub fn numbers(&self) -> Numbers {
        let known = |series| self.highest(series).filter(|number| *number > 0).map(|number| (series, number));
        Series::EACH.into_iter().filter_map(known).collect()
    }

    /// Returns the hash of the accepted order with this number.
    #[must_use]
    pub fn with_number(&self, series: Series, seq: u64) -> Option<[u8; 32]> {
        let of_0_1 = self.accepted.iter();
        let mut of_0_1 =
            of_0_1.filter(|(authority, number, ..)| (*authority, *number) == (series.authority, seq));
        let found = self.orders.iter().find(|order| (order.series, order.seq) == (series, seq));
        found.map(|order| order.hash).or_else(|| of_0_1.next().map(|(.., hash)| *hash))
    }

    /// Returns the hash of the accepted order with this id.
    #[must_use]
    pub fn with_id(&self, id: &str) -> Option<[u8; 32]> {
        let of_0_1 = self.accepted.iter().map(|(_, _, id, hash)| (id, hash));
        let mut all = self.orders.iter().map(|order| (&order.id, &order.hash)).chain(of_0_1);
        all.find(|(known, _)| *known == id).map(|(_, hash)| *hash)
    }

    /// Returns the guard after an order was accepted. `keeps_number`: its number is the highest from
    /// now on.
    #[must_use]
    pub fn with(&self, order: &Order, hash: [u8; 32], keeps_number: bool) -> Self {
        let (mut guard, series) = (self.clone(), Series::of(order));
        if keeps_number {
            let highest = self.highest(series).unwrap_or_default().max(order.seq);
            guard.numbers.insert(series, highest);
        }
        guard.orders.push(AcceptedOrder { series, seq: order.seq, id: order.id.clone(), hash });
        while guard.orders.len() > REMEMBERED {
            guard.orders.remove(0);
        }
        guard
    }

    /// Returns the guard with the higher of its numbers and these, which were kept elsewhere.
    #[must_use]
    pub fn raised(mut self, numbers: &Numbers) -> Self {
        for (series, number) in numbers {
            let slot = self.numbers.entry(*series).or_default();
            *slot = (*slot).max(*number);
        }
        self
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
