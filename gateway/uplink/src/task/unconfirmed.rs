//! Records that have left and that nobody has stored yet: the broker has acknowledged them and the district has not
//! named them, or the broker had no subscriber for them.
//!
//! They are still in the outbox. Which of them are sent again is decided by evidence, not by time alone: a record is
//! repeated when it has waited for [`REPEAT_AFTER`] and one that was sent later has been stored since. While nothing is
//! stored at all, as when the district is down, only the oldest is sent again, at growing intervals: a broker that
//! keeps a queue for the district is not filled with repetitions.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use linli_domain::Lane;
use tokio::time::Instant;

use super::stored::Ranges;

/// A record that nobody has stored for this long may be sent again.
const REPEAT_AFTER: Duration = Duration::from_secs(30);

/// Longest pause between repetitions of the oldest record while nothing is stored.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// Pause between looks for records to repeat.
const LOOK: Duration = Duration::from_secs(1);

/// With so many records unconfirmed only urgent ones are sent: the others wait in the store, where they are safe.
const MOST: usize = 16_384;

/// Urgent records stop as well at this number, which bounds the memory.
const MOST_URGENT: usize = 2 * MOST;

/// Records that wait for one cause.
#[derive(Debug)]
struct Waiting {
    records: BTreeMap<u64, (Lane, Instant)>,
    /// When the latest record was sent of which is known that it was stored.
    evidence: Option<Instant>,
    repeat_oldest_at: Option<Instant>,
    pause: Duration,
}

/// Every record that has left and is not stored.
#[derive(Debug, Default)]
pub struct Unconfirmed {
    by_district: Waiting,
    by_subscriber: Waiting,
    again: VecDeque<(Lane, u64)>,
    looked: Option<Instant>,
}

// === impl Unconfirmed ===

impl Unconfirmed {
    /// The broker has acknowledged a record that the district has not named.
    pub fn wait_for_district(&mut self, seq: u64, lane: Lane, sent: Instant) {
        self.by_subscriber.proved(seq, sent);
        self.by_district.add(seq, lane, sent);
    }

    /// The broker has acknowledged a record for which it has no subscriber.
    pub fn wait_for_subscriber(&mut self, seq: u64, lane: Lane, sent: Instant) {
        self.by_district.records.remove(&seq);
        self.by_subscriber.add(seq, lane, sent);
    }

    /// A record has been taken for good. `sent` is when it was sent.
    pub fn taken(&mut self, seq: u64, sent: Instant) {
        self.by_subscriber.proved(seq, sent);
        self.by_district.records.remove(&seq);
    }

    /// The district has stored records: returns those among these that wait.
    pub fn stored(&mut self, ranges: &Ranges) -> Vec<u64> {
        let mut named = Vec::new();
        for waiting in [&mut self.by_district, &mut self.by_subscriber] {
            let mut latest = waiting.evidence;
            waiting.records.retain(|seq, (_, sent)| {
                let is_stored = ranges.contains(*seq);
                if is_stored {
                    named.push(*seq);
                    latest = latest.max(Some(*sent));
                }
                !is_stored
            });
            if latest > waiting.evidence {
                waiting.evidence = latest;
                waiting.pause = REPEAT_AFTER;
                waiting.repeat_oldest_at = None;
            }
        }
        named
    }

    /// The next record to send again; it counts as sent at that time.
    pub fn next_again(&mut self, now: Instant) -> Option<(Lane, u64)> {
        loop {
            let (lane, seq) = self.again.pop_front()?;
            for waiting in [&mut self.by_district, &mut self.by_subscriber] {
                if let Some(record) = waiting.records.get_mut(&seq) {
                    record.1 = now;
                    return Some((lane, seq));
                }
            }
        }
    }

    /// Puts back what the session did not take.
    pub fn put_back(&mut self, lane: Lane, seq: u64) {
        self.again.push_front((lane, seq));
    }

    /// The outbox no longer has a record: it was evicted, which its ledger tells.
    pub fn forget(&mut self, seq: u64) {
        self.by_district.records.remove(&seq);
        self.by_subscriber.records.remove(&seq);
    }

    /// Looks for records that are due.
    pub fn look(&mut self, now: Instant) {
        if self.looked.is_some_and(|looked| now < looked + LOOK) || !self.again.is_empty() {
            return;
        }
        self.looked = Some(now);
        for waiting in [&mut self.by_district, &mut self.by_subscriber] {
            waiting.due(now, &mut self.again);
        }
    }

    /// Whether a record waits here: it needs no sending on a new connection.
    pub fn has(&self, seq: u64) -> bool {
        self.by_district.records.contains_key(&seq) || self.by_subscriber.records.contains_key(&seq)
    }

    /// A new database: its numbers begin anew.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many the district has not named, and when the oldest of them was sent.
    pub fn of_district(&self) -> (usize, Option<Instant>) {
        let records = &self.by_district.records;
        (records.len(), records.values().map(|(_, sent)| *sent).min())
    }

    /// How many had no subscriber.
    pub fn without_subscriber(&self) -> usize {
        self.by_subscriber.records.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether only urgent records are sent.
    pub fn is_full(&self) -> bool {
        self.len() >= MOST
    }

    /// Whether nothing at all is sent.
    pub fn is_full_of_urgent(&self) -> bool {
        self.len() >= MOST_URGENT
    }

    fn len(&self) -> usize {
        self.by_district.records.len() + self.by_subscriber.records.len()
    }
}

// === impl Waiting ===

impl Default for Waiting {
    fn default() -> Self {
        Self { records: BTreeMap::new(), evidence: None, repeat_oldest_at: None, pause: REPEAT_AFTER }
    }
}

impl Waiting {
    fn add(&mut self, seq: u64, lane: Lane, sent: Instant) {
        self.records.insert(seq, (lane, sent));
    }

    /// A record that waited here has been taken after it was sent at that time: others may be taken as well.
    fn proved(&mut self, seq: u64, sent: Instant) {
        if self.records.remove(&seq).is_some() {
            self.evidence = self.evidence.max(Some(sent));
            self.pause = REPEAT_AFTER;
            self.repeat_oldest_at = None;
        }
    }

    fn due(&mut self, now: Instant, again: &mut VecDeque<(Lane, u64)>) {
        let late = |sent: Instant| sent + REPEAT_AFTER <= now;
        let before = again.len();
        if let Some(evidence) = self.evidence {
            let overtaken = self.records.iter().filter(|(_, (_, sent))| *sent < evidence && late(*sent));
            again.extend(overtaken.map(|(seq, (lane, _))| (*lane, *seq)));
        }
        if again.len() > before {
            return;
        }
        let Some((seq, (lane, sent))) = self.records.iter().min_by_key(|(_, (_, sent))| *sent) else {
            self.repeat_oldest_at = None;
            return;
        };
        let at = *self.repeat_oldest_at.get_or_insert(*sent + self.pause);
        if at <= now {
            again.push_back((*lane, *seq));
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            self.repeat_oldest_at = Some(now + self.pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(text: &str) -> Ranges {
        Ranges::read(format!("{{\"epoch\":\"e\",\"ranges\":{text}}}").as_bytes()).expect("ranges")
    }

    /// Everything due at that time, as if it were sent then.
    fn due(unconfirmed: &mut Unconfirmed, now: Instant) -> Vec<u64> {
        unconfirmed.look(now);
        std::iter::from_fn(|| unconfirmed.next_again(now)).map(|(_, seq)| seq).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_named_is_gone_and_what_is_overtaken_is_sent_again() {
        let (start, mut unconfirmed) = (Instant::now(), Unconfirmed::default());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        for seq in 1..=9 {
            unconfirmed.wait_for_district(seq, Lane::Data, at(0));
        }
        assert_eq!(unconfirmed.stored(&ranges("[[1,3],[8,20]]")), [1, 2, 3, 8, 9]);
        assert_eq!(unconfirmed.of_district().0, 4);
        // What was sent at the same time proves nothing: it may still be under way.
        assert_eq!(due(&mut unconfirmed, at(29)), Vec::<u64>::new());
        unconfirmed.wait_for_district(10, Lane::Urgent, at(10));
        assert_eq!(unconfirmed.stored(&ranges("[[10,10]]")), [10]);
        assert_eq!(due(&mut unconfirmed, at(29) + LOOK), [4, 5, 6, 7]);
        assert!(!unconfirmed.has(10) && unconfirmed.has(4));
    }

    #[tokio::test(start_paused = true)]
    async fn while_nothing_is_stored_only_the_oldest_is_sent_again_ever_more_seldom() {
        let (start, mut unconfirmed) = (Instant::now(), Unconfirmed::default());
        for seq in 1..=1000 {
            unconfirmed.wait_for_district(seq, Lane::Data, start);
        }
        let mut repeated = Vec::new();
        for second in 0..3600 {
            let now = start + Duration::from_secs(second);
            for seq in due(&mut unconfirmed, now) {
                assert_eq!(seq, 1, "the oldest");
                repeated.push(second);
                unconfirmed.wait_for_district(seq, Lane::Data, start);
            }
        }
        assert!(repeated.len() > 5 && repeated.len() < 14, "{repeated:?}");
        // The district is back: one answer, and the others follow.
        unconfirmed.wait_for_district(1, Lane::Data, start + Duration::from_secs(3600));
        assert_eq!(unconfirmed.stored(&ranges("[[1,1]]")), [1]);
        assert_eq!(due(&mut unconfirmed, start + Duration::from_secs(3602)).len(), 999);
    }

    #[tokio::test(start_paused = true)]
    async fn what_had_no_subscriber_waits_for_proof_of_its_own() {
        let (start, mut unconfirmed) = (Instant::now(), Unconfirmed::default());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        unconfirmed.wait_for_subscriber(1, Lane::Urgent, at(0));
        unconfirmed.wait_for_subscriber(2, Lane::Urgent, at(0));
        // Others are taken: that says nothing about these topics.
        unconfirmed.taken(3, at(20));
        assert_eq!(due(&mut unconfirmed, at(31)), [1]);
        unconfirmed.taken(1, at(31));
        assert_eq!(due(&mut unconfirmed, at(33)), [2]);
        unconfirmed.taken(2, at(33));
        assert!(unconfirmed.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn too_many_stop_data_first_and_urgent_records_last() {
        let (start, mut unconfirmed) = (Instant::now(), Unconfirmed::default());
        for seq in 0..MOST_URGENT as u64 {
            assert_eq!(unconfirmed.is_full(), seq >= MOST as u64);
            assert!(!unconfirmed.is_full_of_urgent());
            unconfirmed.wait_for_district(seq, Lane::Urgent, start);
        }
        assert!(unconfirmed.is_full_of_urgent());
        unconfirmed.clear();
        assert!(unconfirmed.is_empty());
    }
}
