//! Sorts orders before they are judged: what people signed goes before what nobody signed, and a stop before
//! everything. It decides nothing else.

use std::collections::VecDeque;

use super::envelope::Envelope;
use super::key::Keyring;
use super::payload::{Authority, Kind};
use super::replay_guard::{ReplayGuard, Series};
use super::text;
use linli_domain::Id;

/// What orders are told apart by: the centre, its keys, and the orders accepted before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sorting {
    /// The centre.
    pub centre: Option<Id>,
    /// Its keys.
    pub keyring: Keyring,
    /// The orders accepted before.
    pub replay_guard: ReplayGuard,
}

/// Where an order waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// It stops something, and a key that is known here signed it.
    Stop,
    /// A key that is known here signed it, and it was not accepted before.
    Signed,
    /// Everything else: alert messages, repetitions, what nobody signed.
    Other,
}

/// The hash of an order's payload, and the keys whose signatures hold: the same order in another envelope is no other
/// one.
pub type Signature = ([u8; 32], Vec<String>);

/// Orders that wait, each in its lane.
#[derive(Debug)]
pub struct OrderLanes<T> {
    lanes: [VecDeque<(Option<Signature>, T)>; 3],
    most: usize,
}

// === impl OrderLanes ===

impl<T> OrderLanes<T> {
    /// Lanes in which at most so many wait each.
    #[must_use]
    pub fn of(most: usize) -> Self {
        Self { lanes: [VecDeque::new(), VecDeque::new(), VecDeque::new()], most }
    }

    /// Puts an order into its lane. One that people signed and that waits there already is not kept twice. Returns
    /// false if there is no room for it.
    pub fn put(&mut self, lane: Lane, signature: Option<Signature>, order: T) -> bool {
        let waiting = &mut self.lanes[lane as usize];
        if signature.is_some() && waiting.iter().any(|(other, _)| *other == signature) {
            return true;
        }
        let has_room = waiting.len() < self.most;
        if has_room {
            waiting.push_back((signature, order));
        }
        has_room
    }

    /// Whether anything waits in these lanes.
    #[must_use]
    pub fn has(&self, lanes: &[Lane]) -> bool {
        lanes.iter().any(|lane| !self.lanes[*lane as usize].is_empty())
    }

    /// Takes the next order of these lanes, the first lane first.
    pub fn next(&mut self, lanes: &[Lane]) -> Option<T> {
        lanes.iter().find_map(|lane| self.lanes[*lane as usize].pop_front()).map(|(_, order)| order)
    }
}

// === impl Envelope ===

impl Envelope {
    /// Reads an order of any form: COSE bytes or typed text.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read_any(bytes: &[u8]) -> Result<Self, String> {
        let typed = std::str::from_utf8(bytes).ok().filter(|typed| text::is_text(typed));
        match typed {
            Some(typed) => {
                let bytes = text::read(typed).map_err(|error| error.to_string())?;
                Self::read(&bytes).map_err(|error| error.to_string())
            }
            None => Self::read(bytes).map_err(|error| error.to_string()),
        }
    }
}

// === impl Sorting ===

impl Sorting {
    /// Returns the lane of an order, and what it is recognised by if people signed it.
    #[must_use]
    pub fn lane(&self, bytes: &[u8]) -> (Lane, Option<Signature>) {
        const OTHER: (Lane, Option<Signature>) = (Lane::Other, None);
        if bytes.trim_ascii_start().starts_with(b"<") {
            return OTHER;
        }
        let (Ok(envelope), Some(centre)) = (Envelope::read_any(bytes), &self.centre) else { return OTHER };
        let (order, series) = (&envelope.order, Series::of(&envelope.order));
        let used = self.replay_guard.with_number(series, order.seq);
        let is_above = self.replay_guard.highest(series).is_none_or(|last| order.seq > last);
        let is_new = is_above || used.is_some_and(|hash| hash != envelope.hash);
        if !is_new || order.authority == Authority::Local || order.target(centre).is_none() {
            return OTHER;
        }
        match envelope.signers(&self.keyring) {
            Ok(signers) if !signers.is_empty() => {
                let keys = signers.iter().map(|signed| signed.key.to_string()).collect();
                let lane = if order.kind == Kind::Stop { Lane::Stop } else { Lane::Signed };
                (lane, Some((envelope.hash, keys)))
            }
            _ => OTHER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::{Key, SecretKey};
    use super::super::payload::{Order, Target};
    use super::*;
    use crate::Class;
    use crate::order::sign;
    use linli_domain::Timestamp;

    fn order(seq: u64, kind: Kind) -> Order {
        let centre = Id::new("xinghe").unwrap();
        Order {
            id: format!("o-{seq}"),
            seq,
            kind,
            class: Class::Actual,
            authority: Authority::District,
            targets: vec![Target { centre, site: None, plans: Vec::new(), snapshot: None }],
            mode: "epidemic.sampling".to_owned(),
            not_before: Timestamp(0),
            expires: Timestamp(1),
            sent: Timestamp(0),
            reference: None,
            supersedes: Vec::new(),
            cap: None,
        }
    }

    fn bytes(order: &Order, seeds: &[u8]) -> Vec<u8> {
        let keys = seeds.iter().map(|seed| SecretKey::from_seed([*seed; 32]));
        keys.fold(Envelope::of(order.clone()), |envelope, key| sign(&envelope, &key)).bytes()
    }

    fn sorting() -> Sorting {
        let key = |seed: u8| Key {
            person: Id::new(&format!("p{seed}")).unwrap(),
            roles: Vec::new(),
            class: Class::Actual,
            public: SecretKey::from_seed([seed; 32]).public(),
            from: None,
            until: None,
            revoked: None,
        };
        let accepted = order(5, Kind::Enter);
        let hash = Envelope::of(accepted.clone()).hash;
        Sorting {
            centre: Some(Id::new("xinghe").unwrap()),
            keyring: Keyring { keys: [1, 2].map(key).into() },
            replay_guard: ReplayGuard::default().with(&accepted, hash, true),
        }
    }

    #[test]
    fn only_what_people_signed_and_was_not_accepted_before_goes_first() {
        let lane = |order: &Order, seeds: &[u8]| sorting().lane(&bytes(order, seeds)).0;
        let enter = order(6, Kind::Enter);
        assert_eq!(lane(&order(6, Kind::Stop), &[1]), Lane::Stop);
        assert_eq!(lane(&enter, &[1, 2]), Lane::Signed);
        assert_eq!(lane(&enter, &[9]), Lane::Other, "by nobody");
        assert_eq!(lane(&order(6, Kind::Stop), &[]), Lane::Other);
        assert_eq!(lane(&order(5, Kind::Enter), &[1, 2]), Lane::Other, "it was accepted");
        assert_eq!(lane(&order(4, Kind::Enter), &[1, 2]), Lane::Other, "it is old");
        let other = Order { id: "other".to_owned(), ..order(5, Kind::Enter) };
        assert_eq!(lane(&other, &[1, 2]), Lane::Signed, "an equivocation is told");
        let local = Order { authority: Authority::Local, ..enter.clone() };
        assert_eq!(lane(&local, &[1, 2]), Lane::Other);
        let centre = Id::new("yonghe").unwrap();
        let targets = vec![Target { centre, ..enter.targets[0].clone() }];
        assert_eq!(lane(&Order { targets, ..enter.clone() }, &[1, 2]), Lane::Other);
        let typed = text::write(&bytes(&enter, &[1, 2]));
        assert_eq!(sorting().lane(typed.as_bytes()).0, Lane::Signed);
        // The same order in another envelope is known again; with another signature it is not the same.
        let known = |seeds: &[u8]| sorting().lane(&bytes(&enter, seeds)).1.unwrap();
        assert_eq!(known(&[1]), known(&[1, 9]));
        assert_ne!(known(&[1]), known(&[1, 2]));
    }

    #[test]
    fn a_signed_order_waits_once_and_takes_no_more_places() {
        let mut lanes = OrderLanes::of(2);
        let known = |key: &str| Some(([7; 32], vec![key.to_owned()]));
        assert!(lanes.put(Lane::Signed, known("a"), 1) && lanes.put(Lane::Signed, known("a"), 2));
        assert!(lanes.put(Lane::Signed, known("b"), 3) && !lanes.put(Lane::Signed, known("c"), 4));
        assert!(lanes.put(Lane::Other, None, 5) && lanes.put(Lane::Other, None, 6));
        assert!(!lanes.put(Lane::Other, None, 7) && !lanes.has(&[Lane::Stop]));
        let all = [Lane::Stop, Lane::Signed, Lane::Other];
        let taken: Vec<i32> = std::iter::from_fn(|| lanes.next(&all)).collect();
        assert_eq!(taken, [1, 3, 5, 6]);
    }
}
