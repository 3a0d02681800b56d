//! A small store that one kind of document fills: the writer goes on, the file stays within its size, what
//! is urgent is taken, and what is not taken is refused with words.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use linli_domain::{Lane, Record, Topic};
use linli_store::{Kind, NotDurable, Store};

use crate::fillers::{self, CAP, Filler, small, urgent_things};
use crate::support::{self, settled, waiting};

/// The file may grow beyond the size by this much: the largest transaction of these tests.
const SLACK: u64 = 600 << 10;

/// Longest time in which a store must carry out what is urgent; a hung one never does.
const SOON: Duration = Duration::from_secs(60);

/// Bytes offered: twice what the store holds.
const OFFERED: usize = 2 * fillers::CAP_BYTES;

/// How often a store is read that makes room meanwhile.
const READINGS: usize = 5;

/// What filling came to.
struct Filled {
    taken: u64,
    refused: Option<NotDurable>,
}

/// Offers documents of a kind until one is refused or enough were offered.
async fn fill((store, path): (&Store, &Path), filler: Filler) -> Filled {
    let mut taken = 0;
    for number in 0.. {
        if number as usize * filler.size() > OFFERED {
            break;
        }
        match tokio::time::timeout(SOON, filler.offer((store, path), number)).await.expect("the writer hangs")
        {
            Ok(()) => taken += 1,
            Err(refused) => return Filled { taken, refused: Some(refused) },
        }
    }
    Filled { taken, refused: None }
}

fn file_bytes(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

/// Every number that was given out is there, or the ledger names it. Returns how many are gone.
///
/// The store makes room while it is read, page by page: what has gone meanwhile is named by the next
/// transaction, so a number that nothing names is looked for again.
async fn nothing_is_lost_without_an_entry(store: &Store) -> usize {
    let mut unexplained = Vec::new();
    for _ in 0..READINGS {
        let number;
        (number, unexplained) = gone(store).await;
        if unexplained.is_empty() {
            return number;
        }
    }
    panic!("gone and not in the ledger: {unexplained:?}");
}

/// How many numbers are gone, and those of them that no announcement names.
async fn gone(store: &Store) -> (usize, Vec<u64>) {
    let all = settled(store).await;
    let outbox = store.outbox();
    let data = waiting(&outbox, Lane::Data).await;
    let urgent = waiting(&outbox, Lane::Urgent).await;
    let there: BTreeSet<u64> = urgent.iter().chain(&data).map(|row| row.seq).collect();
    let ranges: Vec<(u64, u64)> = urgent
        .iter()
        .filter_map(|row| match &row.record {
            Record::Message(message) if message.topic == Topic::LedgerEvent => {
                let range = message.body.get("range")?;
                Some((range[0].as_u64()?, range[1].as_u64()?))
            }
            _ => None,
        })
        .collect();
    let gone: Vec<u64> = (1..=all).filter(|seq| !there.contains(seq)).collect();
    let is_named = |seq: &u64| ranges.iter().any(|(first, last)| (*first..=*last).contains(seq));
    (gone.len(), gone.iter().filter(|seq| !is_named(seq)).copied().collect())
}

/// Fills a store with one kind and checks everything that must hold then.
async fn holds_when_filled_with(filler: Filler) -> Filled {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = small(&path).await;
    fillers::prepare(&store).await;
    let filled = fill((&store, &path), filler).await;
    if let Some(refused) = &filled.refused {
        assert!(matches!(refused, NotDurable::Full(full) if Some(full.kind) == filler.kind()), "{refused:?}");
        assert!(
            store.status().borrow().full.contains(&filler.kind().unwrap()),
            "{:?}",
            store.status().borrow()
        );
    }
    for number in 0..3 {
        let urgent = tokio::time::timeout(SOON, urgent_things(&store, number));
        urgent.await.expect("the writer hangs").unwrap_or_else(|(what, error)| {
            panic!("{filler:?} fills the store and {what} is refused: {error}")
        });
    }
    let used = store.status().borrow().used_bytes;
    assert!(used <= CAP + SLACK, "{filler:?}: {used} bytes used");
    assert!(file_bytes(&path) <= CAP + SLACK, "{filler:?}: a file of {} bytes", file_bytes(&path));
    nothing_is_lost_without_an_entry(&store).await;
    let turns = store.status().borrow().turns;
    store.close().await;

    // A restart changes nothing of it.
    let (store, opening) = small(&path).await;
    assert!(opening.set_aside.is_none());
    assert!(turns > 0);
    tokio::time::timeout(SOON, urgent_things(&store, 9)).await.expect("hangs after a restart").unwrap();
    store.close().await;
    filled
}

/// Documents that are refused when their share is used up.
#[tokio::test]
async fn measurements_are_refused_when_their_share_is_used_up() {
    let filled = holds_when_filled_with(Filler::Measurement).await;
    assert!(filled.taken > 500, "{} taken", filled.taken);
    let words = filled.refused.expect("refused").to_string();
    assert!(words.contains("measurement") && words.contains("max_bytes"), "{words}");
}

#[tokio::test]
async fn visits_and_identities_are_refused_when_their_share_is_used_up() {
    let filled = holds_when_filled_with(Filler::Visit).await;
    assert!(filled.taken > 15 && filled.refused.is_some(), "{} taken", filled.taken);
}

#[tokio::test]
async fn audit_entries_are_refused_when_their_share_is_used_up() {
    let filled = holds_when_filled_with(Filler::Audit).await;
    assert!(filled.taken > 20 && filled.refused.is_some(), "{} taken", filled.taken);
}

#[tokio::test]
async fn documents_of_the_canteen_are_refused_when_their_share_is_used_up() {
    let filled = holds_when_filled_with(Filler::Canteen).await;
    assert!(filled.taken > 20 && filled.refused.is_some(), "{} taken", filled.taken);
}

/// An account that is stored again and again needs no more room than it has.
#[tokio::test]
async fn a_document_is_replaced_in_a_store_that_is_full_of_its_kind() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = small(&path).await;
    fill((&store, &path), Filler::Canteen).await.refused.expect("refused");
    for _ in 0..200 {
        Filler::Canteen.offer((&store, &path), 3).await.unwrap();
    }
    Filler::Canteen.offer((&store, &path), 1_000_000).await.expect_err("a new one");
    store.close().await;
}

#[tokio::test]
async fn documents_of_kiosks_are_refused_when_their_share_is_used_up() {
    let filled = holds_when_filled_with(Filler::Kiosk).await;
    assert!(filled.taken > 2 && filled.refused.is_some(), "{} taken", filled.taken);
}

#[tokio::test]
async fn documents_of_nodes_are_refused_when_their_share_is_used_up() {
    let filled = holds_when_filled_with(Filler::Node).await;
    assert!(filled.taken > 5 && filled.refused.is_some(), "{} taken", filled.taken);
}

#[tokio::test]
async fn open_commands_are_refused_beyond_twice_their_share_and_those_of_the_mode_switch_are_not() {
    let filled = holds_when_filled_with(Filler::OpenCommand).await;
    assert!(filled.taken > 10 && filled.refused.is_some(), "{} taken", filled.taken);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = small(&path).await;
    fill((&store, &path), Filler::OpenCommand).await.refused.expect("refused");
    for number in 0..20 {
        let begun = store.journal().begin(support::command(&format!("mode-{number}"))).await;
        assert_eq!(begun, Ok(linli_store::Begun::Fresh));
    }
    store.close().await;
}

/// Documents of which the oldest go.
#[tokio::test]
async fn expired_commands_make_room_for_new_ones() {
    assert!(holds_when_filled_with(Filler::ExpiredCommand).await.refused.is_none());
}

#[tokio::test]
async fn seen_ids_make_room_for_new_ones() {
    assert!(holds_when_filled_with(Filler::Seen).await.refused.is_none());
}

#[tokio::test]
async fn state_changes_of_alarms_make_room_for_new_ones() {
    assert!(holds_when_filled_with(Filler::AlarmStep).await.refused.is_none());
}

#[tokio::test]
async fn notifications_make_room_for_new_ones() {
    assert!(holds_when_filled_with(Filler::Notification).await.refused.is_none());
}

#[tokio::test]
async fn dead_letters_and_their_ledger_entries_make_room_for_new_ones() {
    assert!(holds_when_filled_with(Filler::DeadLetter).await.refused.is_none());
}

#[tokio::test]
async fn the_states_of_alarms_are_always_taken() {
    assert!(holds_when_filled_with(Filler::AlarmState).await.refused.is_none());
}

/// Acknowledgements are always taken, with their audit entries; the oldest of these go, and those of the cabin stay.
#[tokio::test]
async fn audit_entries_of_alarms_make_room_for_new_ones_and_those_of_the_cabin_stay() {
    assert!(holds_when_filled_with(Filler::AuditOfAlarms).await.refused.is_none());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = small(&path).await;
    let of_cabin = fill((&store, &path), Filler::Audit).await;
    of_cabin.refused.expect("refused");
    assert!(fill((&store, &path), Filler::AuditOfAlarms).await.refused.is_none());
    settled(&store).await;
    let entries = store.cabin().audit(100_000).await.unwrap();
    let kept = entries.iter().filter(|entry| entry.what == "identity.reveal").count();
    assert_eq!(kept as u64, of_cabin.taken, "none of the cabin's went");
    assert!(entries.len() > kept, "the newest of the alarms are there");
    store.close().await;
}

#[tokio::test]
async fn entries_of_the_ledger_make_room_for_new_ones() {
    assert!(holds_when_filled_with(Filler::Ledger).await.refused.is_none());
}

#[tokio::test]
async fn rows_that_cannot_be_decoded_make_room_for_new_ones() {
    assert!(holds_when_filled_with(Filler::Undecodable).await.refused.is_none());
}

#[tokio::test]
async fn urgent_records_make_room_for_new_ones() {
    assert!(holds_when_filled_with(Filler::Urgent).await.refused.is_none());
}

#[tokio::test]
async fn data_makes_room_for_new_data() {
    assert!(holds_when_filled_with(Filler::Data).await.refused.is_none());
}

#[tokio::test]
async fn trends_make_room_for_new_ones() {
    assert!(holds_when_filled_with(Filler::History).await.refused.is_none());
}

/// The record of the mode switch may use the reserve, which it does not use up in this test.
#[tokio::test]
async fn the_record_of_the_mode_switch_is_taken_from_the_reserve() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = small(&path).await;
    fillers::prepare(&store).await;
    fill((&store, &path), Filler::Measurement).await.refused.expect("refused");
    // More than its own share.
    for number in 0..(CAP / 100 * 8) / Filler::Mode.size() as u64 {
        Filler::Mode.offer((&store, &path), number as u32).await.unwrap();
    }
    store.close().await;
    holds_when_filled_with(Filler::Mode).await.refused.expect("share and reserve are used up");
}

/// What the mode switch can do without takes nothing from the reserve, which is left for what moves something.
#[tokio::test]
async fn what_is_dispensable_takes_nothing_from_the_reserve() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = small(&path).await;
    let filled = fill((&store, &path), Filler::Refusal).await;
    filled.refused.expect("its share is used up");
    assert!(!store.status().borrow().full.contains(&Kind::Mode), "the mode switch has its reserve");
    for number in 0..(CAP / 100 * 6) / Filler::Mode.size() as u64 {
        Filler::Mode.offer((&store, &path), number as u32).await.unwrap();
    }
    store.close().await;
}

/// A store that is full of measurements still takes log-ins.
#[tokio::test]
async fn documents_of_accounts_are_taken_from_the_reserve() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = small(&path).await;
    fillers::prepare(&store).await;
    fill((&store, &path), Filler::Measurement).await.refused.expect("refused");
    // More than its own share.
    for number in 0..(CAP / 100 * 3) / Filler::Account.size() as u64 {
        Filler::Account.offer((&store, &path), number as u32).await.unwrap();
    }
    store.close().await;
    holds_when_filled_with(Filler::Account).await.refused.expect("share and reserve are used up");
}

/// Everything at once, again and again.
#[tokio::test]
async fn a_store_that_everything_fills_still_takes_what_is_urgent() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = small(&path).await;
    fillers::prepare(&store).await;
    let mut refused = BTreeSet::new();
    for number in 0..300 {
        for filler in
            Filler::ALL.into_iter().filter(|filler| !matches!(filler, Filler::Mode | Filler::Account))
        {
            let offered = tokio::time::timeout(SOON, filler.offer((&store, &path), number))
                .await
                .expect("the writer hangs");
            if let Err(NotDurable::Full(full)) = offered {
                refused.insert(full.kind);
            }
        }
        if number % 20 == 0 {
            tokio::time::timeout(SOON, urgent_things(&store, number)).await.expect("hangs").unwrap();
        }
    }
    let expected = [Kind::Visit, Kind::Audit, Kind::Canteen, Kind::Kiosk, Kind::Node];
    assert!(expected.iter().all(|kind| refused.contains(kind)), "{refused:?}");
    assert!(file_bytes(&path) <= CAP + SLACK, "a file of {} bytes", file_bytes(&path));
    nothing_is_lost_without_an_entry(&store).await;
    store.close().await;
}

/// A measurement is taken again after visits were erased.
#[tokio::test]
async fn erasing_makes_room() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = small(&path).await;
    fillers::prepare(&store).await;
    let filled = fill((&store, &path), Filler::Measurement).await;
    filled.refused.expect("refused");
    for number in 0..filled.taken as u32 / 4 {
        fillers::erase_measurement(&store, number).await.unwrap();
    }
    // The kind is measured again at most every ten seconds.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    Filler::Measurement.offer((&store, &path), 1_000_000).await.unwrap();
    settled(&store).await;
    assert!(!store.status().borrow().full.contains(&Kind::Measurement));
    store.close().await;
}
