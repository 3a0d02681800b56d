//! A tamper-evident log: every line contains the hash of the one before, and one root hash
//! covers all of them (Merkle tree as in RFC 9162 §2.1.1, SHA-256).

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Timestamp;

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry<T> {
    /// Its number, from 0.
    pub n: u64,
    /// Hash of the entry before, hexadecimal.
    pub prev: String,
    /// When, Unix milliseconds UTC.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub what: T,
}

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The state of a log: enough to append to it, whatever its length.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Number of lines.
    pub count: u64,
    /// Hash of the last line; zeros before the first.
    pub last: Hash,
    /// Roots of the complete subtrees, the largest first.
    peaks: Vec<(u32, Hash)>,
}

/// The tree head of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of lines.
    pub count: u64,
    /// The root hash, hexadecimal.
    pub root: String,
}

/// The first line of a log whose earlier entries have left it: enough to verify what follows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Version of this form, 1.
    pub v: u8,
    /// The state of the log after the last entry that has left.
    pub earlier: Chain,
    /// When that entry was written, Unix milliseconds UTC.
    pub until: Timestamp,
}

/// Why lines do not form an intact log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The line is not an entry.
    #[error("line {line} is not a line of a record: {why}")]
    NotALine {
        /// Line number, from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// A line is missing or out of order.
    #[error("line {line} has the number {n}, {expected} was due: lines are missing, or were moved")]
    Gap {
        /// Line number, from 1.
        line: u64,
        /// The number in the line.
        n: u64,
        /// The expected number.
        expected: u64,
    },
    /// It is the beginning of another log.
    #[error("line {line} begins a log after {earlier} entries that are not those before it")]
    OtherBase {
        /// Line number, from 1.
        line: u64,
        /// Entries before that beginning.
        earlier: u64,
    },
    /// The line before it was changed.
    #[error("line {line} does not follow from the one before: that one was changed")]
    Changed {
        /// Line number, from 1.
        line: u64,
    },
}

/// The members of a line that link it to the one before.
#[derive(Debug, Deserialize)]
struct Link {
    n: u64,
    prev: String,
}

// === impl Head ===

impl Head {
    /// Returns the root hash; `None` if it is not 64 hexadecimal digits.
    #[must_use]
    pub fn root_bytes(&self) -> Option<Hash> {
        unhex(&self.root)?.try_into().ok()
    }
}

// === impl Base ===

impl Base {
    /// The version of its form.
    pub const VERSION: u8 = 1;

    /// Reads a line; `None` if it is an entry, or a form of the future.
    #[must_use]
    pub fn of_line(line: &str) -> Option<Self> {
        serde_json::from_str::<Self>(line).ok().filter(|base| base.v == Self::VERSION)
    }
}

/// Returns the number of the entry after a line; `None` if it is no line of a log.
#[must_use]
pub fn number_after(line: &str) -> Option<u64> {
    if let Some(base) = Base::of_line(line) {
        return Some(base.earlier.count);
    }
    let link: Link = serde_json::from_str(line).ok()?;
    link.n.checked_add(1)
}

// === impl Chain ===

impl Chain {
    /// A log that goes on after entries that are not here: so many, the last with that hash. Its head covers
    /// only what is appended from now on.
    #[must_use]
    pub const fn resumed(count: u64, last: Hash) -> Self {
        Self { count, last, peaks: Vec::new() }
    }

    /// Returns the members `n` and `prev` of the next line: its number and the hash of the line before.
    #[must_use]
    pub fn next(&self) -> (u64, String) {
        (self.count, hex(&self.last))
    }

    /// Appends a line that contains what [`Chain::next`] returned.
    pub fn append(&mut self, line: &str) {
        self.last = leaf(line);
        self.count += 1;
        let (mut height, mut root) = (0, self.last);
        while let Some((_, left)) = self.peaks.pop_if(|(below, _)| *below == height) {
            root = node(&left, &root);
            height += 1;
        }
        self.peaks.push((height, root));
    }

    /// Returns the tree head over all lines so far.
    #[must_use]
    pub fn head(&self) -> Head {
        let mut peaks = self.peaks.iter().rev().map(|(_, root)| *root);
        let root = peaks.next().map_or_else(
            || Sha256::digest([]).into(),
            |first| peaks.fold(first, |right, left| node(&left, &right)),
        );
        Head { count: self.count, root: hex(&root) }
    }

    /// Verifies a line against the one before and appends it. The beginning of a log whose earlier entries have left
    /// it is taken over where no line came before, and must fit those that did.
    pub fn follow(&mut self, line: &str) -> Result<(), Broken> {
        let at = self.count + 1;
        if let Some(Base { earlier, .. }) = Base::of_line(line) {
            return match self.count == 0 || *self == earlier {
                true => {
                    *self = earlier;
                    Ok(())
                }
                false => Err(Broken::OtherBase { line: at, earlier: earlier.count }),
            };
        }
        let link: Link = serde_json::from_str(line)
            .map_err(|error| Broken::NotALine { line: at, why: error.to_string() })?;
        if link.n != self.count {
            return Err(Broken::Gap { line: at, n: link.n, expected: self.count });
        }
        if link.prev != hex(&self.last) {
            return Err(Broken::Changed { line: at });
        }
        self.append(line);
        Ok(())
    }
}

impl AsRef<Self> for Chain {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl AsMut<Self> for Chain {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

fn leaf(line: &str) -> Hash {
    Sha256::new().chain_update([0]).chain_update(line).finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// Returns the bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// Decodes hexadecimal digits of either case; `None` for an odd number of digits or anything else.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9162 §2.1.1, written as it stands there.
    fn root(lines: &[String]) -> Hash {
        match lines {
            [] => Sha256::digest([]).into(),
            [line] => leaf(line),
            _ => {
                let half = 1 << (usize::BITS - 1 - (lines.len() - 1).leading_zeros());
                node(&root(&lines[..half]), &root(&lines[half..]))
            }
        }
    }

    fn record(lines: u64) -> (Vec<String>, Chain) {
        let (mut all, mut chain) = (Vec::new(), Chain::default());
        for index in 0..lines {
            let (n, prev) = chain.next();
            let line = format!(r#"{{"n":{n},"prev":"{prev}","what":{index}}}"#);
            chain.append(&line);
            all.push(line);
        }
        (all, chain)
    }

    fn followed(lines: &[String]) -> Result<Chain, Broken> {
        let mut chain = Chain::default();
        lines.iter().try_for_each(|line| chain.follow(line)).map(|()| chain)
    }

    #[test]
    fn the_root_is_that_of_the_standard_at_every_length() {
        for length in 0..40 {
            let (lines, chain) = record(length);
            assert_eq!(chain.head().root, hex(&root(&lines)), "{length} lines");
            let kept: Chain = serde_json::from_str(&serde_json::to_string(&chain).unwrap()).unwrap();
            assert_eq!(kept, chain);
            assert_eq!(followed(&lines).unwrap().head(), chain.head());
        }
    }

    #[test]
    fn a_log_whose_beginning_is_gone_is_followed_from_its_first_line() {
        let (lines, chain) = record(9);
        let first: AuditEntry<serde_json::Value> =
            serde_json::from_str(&lines[4].replace("\"what\"", "\"at\":0,\"x\"")).unwrap();
        let before = unhex(&first.prev).unwrap().try_into().unwrap();
        let mut rest = Chain::resumed(first.n, before);
        lines[4..].iter().for_each(|line| rest.follow(line).unwrap());
        assert_eq!((rest.count, rest.last), (chain.count, chain.last));
    }

    #[test]
    fn hexadecimal_digits_are_read_strictly() {
        assert_eq!(unhex("00fFa9"), Some(vec![0, 255, 169]));
        for wrong in ["0", "+f", "0x", "g0", "邻"] {
            assert_eq!(unhex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_log_without_its_earlier_entries_has_the_same_heads() {
        let (lines, chain) = record(37);
        for earlier in 1..37 {
            let base = Base { v: Base::VERSION, earlier: record(earlier).1, until: Timestamp(7) };
            let base = serde_json::to_string(&base).unwrap();
            let position = usize::try_from(earlier).unwrap();
            let (left, kept) = lines.split_at(position);
            let kept = [std::slice::from_ref(&base), kept].concat();
            assert_eq!(followed(&kept).unwrap().head(), chain.head(), "{earlier}");
            // Both parts, one after the other, are one log.
            assert_eq!(followed(&[left, &kept].concat()).unwrap().head(), chain.head());
            let fewer = [&left[..position - 1], &kept].concat();
            let told = followed(&fewer);
            assert!(earlier == 1 || matches!(told, Err(Broken::OtherBase { .. })), "{earlier}: {told:?}");
            assert_eq!((number_after(&base), number_after(&kept[1])), (Some(earlier), Some(earlier + 1)));
        }
        let future = r#"{"v":2,"earlier":{"count":0,"last":[],"peaks":[]},"until":0}"#;
        assert!(Base::of_line(future).is_none() && number_after("{}").is_none());
    }

    #[test]
    fn a_line_changed_removed_or_moved_is_found() {
        let (lines, chain) = record(12);
        for at in 0..lines.len() {
            let mut changed = lines.clone();
            changed[at] = changed[at].replace("\"what\":", "\"what\":9");
            // The last line is followed by none: the head tells it.
            let told = followed(&changed).map(|found| found.head() == chain.head());
            assert_ne!(told, Ok(true), "line {at}");
            let mut removed = lines.clone();
            removed.remove(at);
            let told = followed(&removed).map(|found| found.head() == chain.head());
            assert_ne!(told, Ok(true), "line {at}");
        }
        let mut moved = lines.clone();
        moved.swap(3, 4);
        assert!(matches!(followed(&moved), Err(Broken::Gap { line: 4, n: 4, expected: 3 })));
        assert!(matches!(followed(&["{}".to_owned()]), Err(Broken::NotALine { line: 1, .. })));
    }
}
