//! A record that nobody changes unseen: every line names the hash of the one before, and one root
//! stands for all of them (a Merkle tree as in RFC 9162 §2.1.1, SHA-256).

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A hash.
pub type Hash = [u8; 32];

/// The state of a record: enough to go on with it, whatever its length.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// How many lines there are.
    pub count: u64,
    /// Hash of the last one; zeros before the first.
    pub last: Hash,
    /// Roots of the whole subtrees, the largest first.
    peaks: Vec<(u32, Hash)>,
}

/// What stands for a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// How many lines.
    pub count: u64,
    /// The root over them, hexadecimal.
    pub root: String,
}

/// Why lines are not the record they claim to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Not a line at all.
    #[error("line {line} is not a line of a record: {why}")]
    NotALine {
        /// Which, from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// A line is missing, or stands elsewhere.
    #[error("line {line} has the number {n}, {expected} was due: lines are missing, or were moved")]
    Gap {
        /// Which, from 1.
        line: u64,
        /// Its number.
        n: u64,
        /// The number that was due.
        expected: u64,
    },
    /// A line before it was changed.
    #[error("line {line} does not follow from the one before: that one was changed")]
    Changed {
        /// Which, from 1.
        line: u64,
    },
}

/// The part of a line that makes it one of a chain.
#[derive(Debug, Deserialize)]
struct Link {
    n: u64,
    prev: String,
}

// === impl Head ===

impl Head {
    /// The root, if it is one.
    #[must_use]
    pub fn root_bytes(&self) -> Option<Hash> {
        unhex(&self.root)?.try_into().ok()
    }
}

// === impl Chain ===

impl Chain {
    /// The head of the next line: its number and the hash of the one before.
    #[must_use]
    pub fn next(&self) -> (u64, String) {
        (self.count, hex(&self.last))
    }

    /// Adds a line, which begins with [`Chain::next`].
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

    /// What stands for all lines so far.
    #[must_use]
    pub fn head(&self) -> Head {
        let mut peaks = self.peaks.iter().rev().map(|(_, root)| *root);
        let root = peaks.next().map_or_else(
            || Sha256::digest([]).into(),
            |first| peaks.fold(first, |right, left| node(&left, &right)),
        );
        Head { count: self.count, root: hex(&root) }
    }

    /// Adds a line that somebody else wrote, if it follows.
    pub fn follow(&mut self, line: &str) -> Result<(), Broken> {
        let at = self.count + 1;
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

/// Hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal digits, two for each and nothing else.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? * 16 + digit(*low)?)).collect();
    if rest.is_empty() { bytes } else { None }
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
    fn hexadecimal_digits_are_read_strictly() {
        assert_eq!(unhex("00fFa9"), Some(vec![0, 255, 169]));
        for wrong in ["0", "+f", "0x", "g0", "邻"] {
            assert_eq!(unhex(wrong), None, "{wrong}");
        }
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
