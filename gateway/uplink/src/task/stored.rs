//! What the district says that it has stored: the payload of the topic `ack`.

use serde::Deserialize;

/// Ranges of sequence numbers of one database, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Ranges {
    /// The database they belong to.
    pub epoch: String,
    /// First and last number of each range.
    ranges: Vec<(u64, u64)>,
}

// === impl Ranges ===

impl Ranges {
    /// Reads a payload; `None` if it is none. Ranges need no order; one whose end is before its beginning is empty.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let mut read: Self = serde_json::from_slice(payload).ok()?;
        read.ranges.retain(|(first, last)| first <= last);
        read.ranges.sort_unstable();
        // Overlapping ones are joined, so that the last range that begins before a number decides about it.
        read.ranges.dedup_by(|next, range| {
            let is_joined = next.0 <= range.1.saturating_add(1);
            if is_joined {
                range.1 = range.1.max(next.1);
            }
            is_joined
        });
        Some(read)
    }

    /// Whether a number is named.
    pub fn contains(&self, seq: u64) -> bool {
        let after = self.ranges.partition_point(|(first, _)| *first <= seq);
        after > 0 && self.ranges.get(after - 1).is_some_and(|(_, last)| *last >= seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_name_their_numbers_and_no_others() {
        let text = br#"{"epoch":"e","ranges":[[7,7],[1,3],[9,8],[2,5],[20,18446744073709551615]],"more":1}"#;
        let ranges = Ranges::read(text).expect("ranges");
        let named: Vec<u64> = (0..25).filter(|seq| ranges.contains(*seq)).collect();
        assert_eq!(named, [1, 2, 3, 4, 5, 7, 20, 21, 22, 23, 24]);
        assert!(ranges.contains(u64::MAX));
        assert!(!Ranges::read(br#"{"epoch":"e","ranges":[]}"#).expect("none").contains(0));
    }

    #[test]
    fn rubbish_names_nothing() {
        for text in ["", "[]", "{}", r#"{"epoch":1,"ranges":[]}"#, r#"{"epoch":"e","ranges":[[-1,2]]}"#] {
            assert_eq!(Ranges::read(text.as_bytes()), None, "{text}");
        }
    }
}
