//! Long lists come in pages: so many rows, and where the next page begins. A row that is added or removed
//! meanwhile shifts nothing.

use std::fmt;
use std::str::FromStr;

use sqlx::sqlite::SqliteRow;

use crate::undecodable::column;

/// Where a page begins: after the row with that number, or with that time and id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor {
    number: i64,
    id: String,
}

/// Which page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    /// Most rows.
    pub limit: u32,
    /// Where it begins; `None`: at the beginning of the list.
    pub after: Option<Cursor>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// Its rows.
    pub items: Vec<T>,
    /// Where the next one begins; `None` when this is the last.
    pub next: Option<Cursor>,
}

/// A text that is no [`Cursor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is none that a page named")]
pub struct NoCursor;

// === impl Cursor ===

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id.as_str() {
            "" => write!(f, "{}", self.number),
            id => write!(f, "{}.{id}", self.number),
        }
    }
}

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let (number, id) = text.split_once('.').unwrap_or((text, ""));
        if id.len() > 64 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(NoCursor);
        }
        Ok(Self { number: number.parse().map_err(|_| NoCursor)?, id: id.to_owned() })
    }
}

// === impl Paging ===

impl Paging {
    /// The first rows.
    #[must_use]
    pub const fn first(limit: u32) -> Self {
        Self { limit, after: None }
    }

    /// One more row than asked for: it says that there is a next page.
    pub(crate) fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The time and id after which the page begins.
    pub(crate) fn after(&self) -> (i64, &str) {
        self.after.as_ref().map_or((i64::MIN, ""), |cursor| (cursor.number, cursor.id.as_str()))
    }

    /// The number before which the page begins, where the newest come first.
    pub(crate) fn before(&self) -> i64 {
        self.after.as_ref().map_or(i64::MAX, |cursor| cursor.number)
    }

    /// The page of rows, whose columns from `at` on are the number, or the time and the id.
    pub(crate) fn page<T>(
        &self,
        rows: &[SqliteRow],
        at: usize,
        decode: impl FnMut(&SqliteRow) -> Option<T>,
    ) -> Listing<T> {
        let limit = self.limit as usize;
        let cursor = |row: &SqliteRow| Cursor {
            number: column(row, at).unwrap_or_default(),
            id: column(row, at + 1).unwrap_or_default(),
        };
        let last = rows.len().min(limit).checked_sub(1).and_then(|last| rows.get(last));
        let next = if rows.len() > limit { last.map(cursor) } else { None };
        Listing { items: rows.iter().take(limit).filter_map(decode).collect(), next }
    }
}

// === impl Listing ===

impl<T> Listing<T> {
    /// The same page with other rows.
    #[must_use]
    pub fn with<U>(self, items: Vec<U>) -> Listing<U> {
        Listing { items, next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written() {
        for text in ["7", "-7", "1795428000123.v-0011", "0.m-b"] {
            assert_eq!(text.parse::<Cursor>().unwrap().to_string(), text);
        }
        for none in ["", ".", "x", "7.ü", "7.a b", "7.a.b", "99999999999999999999", "7.v'--"] {
            assert!(none.parse::<Cursor>().is_err(), "{none}");
        }
        assert!(format!("7.{}", "v".repeat(65)).parse::<Cursor>().is_err());
    }
}
