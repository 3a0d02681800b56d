//! What is accepted is there, in order, until it is acknowledged, also after a restart.

use linli_domain::{DeviceClass, Lane, Timestamp};
use linli_store::{Row, Store};

use crate::support::{NOW, event, layout, number_of, numbered, open, settled, waiting};

/// Waits until so many records of the data lane are on the disk: that lane is written behind the other.
async fn committed(store: &Store, count: usize) -> Vec<Row> {
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let data = waiting(&store.outbox(), Lane::Data).await;
        if data.len() >= count || tokio::time::Instant::now() > until {
            return data;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn records_come_out_in_order_with_rising_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let (store, opening) = open(&dir.path().join("linli.db")).await;
    assert_eq!(opening.backlog, 0);
    let telemetry = layout("meter-1", DeviceClass::Telemetry, 3);
    let food = layout("fridge-1", DeviceClass::FoodSafety, 2);
    for number in 1..=1000 {
        let of = if number % 3 == 0 { &food } else { &telemetry };
        store.accept(numbered(of, number)).unwrap();
    }
    store.accept(event(1001)).unwrap();
    settled(&store).await;
    let data = committed(&store, 1000).await;
    let numbers: Vec<u32> = data.iter().filter_map(number_of).collect();
    assert_eq!(numbers, (1..=1000).collect::<Vec<_>>());
    assert!(data.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    assert_eq!(waiting(&store.outbox(), Lane::Urgent).await.len(), 2);
    store.close().await;
}

#[tokio::test]
async fn acknowledged_records_are_gone_and_numbers_are_never_given_twice() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, first) = open(&path).await;
    let device = layout("meter-1", DeviceClass::Telemetry, 1);
    for number in 1..=10 {
        store.accept_durably(numbered(&device, number)).await.unwrap();
    }
    store.outbox().acknowledge(vec![3, 1, 2, 5, 10, 77]).await;
    settled(&store).await;
    let left: Vec<u64> = waiting(&store.outbox(), Lane::Data).await.iter().map(|row| row.seq).collect();
    assert_eq!(left, [4, 6, 7, 8, 9]);
    assert_eq!(store.status().borrow().acknowledged, 5);
    store.outbox().acknowledge((1..=11).collect()).await;
    store.close().await;

    let (store, second) = open(&path).await;
    assert_eq!((second.epoch, second.backlog), (first.epoch, 0));
    assert_eq!(store.accept_durably(numbered(&device, 1)).await, Ok(12), "numbers go on after a restart");
    store.close().await;
}

#[tokio::test]
async fn a_dead_letter_is_kept_aside_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = open(&path).await;
    let seq = store.accept_durably(numbered(&layout("meter-1", DeviceClass::Kiosk, 1), 1)).await.unwrap();
    store.outbox().dead_letter(seq, "too large for the broker".to_owned()).await;
    settled(&store).await;
    assert!(waiting(&store.outbox(), Lane::Data).await.is_empty());
    let told = waiting(&store.outbox(), Lane::Urgent).await;
    let text = format!("{:?}", told[0].record);
    assert!(text.contains("dead_letter") && text.contains("too large"), "{text}");
    assert_eq!(linli_store::inspect(&path).await.unwrap().dead_letters, 1);
    store.close().await;
}

#[tokio::test]
async fn a_copy_taken_while_running_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("linli.db"), dir.path().join("copy.db"));
    let (store, _) = open(&path).await;
    let device = layout("meter-1", DeviceClass::Telemetry, 1);
    for number in 1..=100 {
        store.accept_durably(numbered(&device, number)).await.unwrap();
    }
    linli_store::backup(&path, &copy).await.unwrap();
    assert!(matches!(linli_store::backup(&path, &copy).await, Err(linli_store::BackupError::Exists(_))));
    store.close().await;
    let (restored, opening) = open(&copy).await;
    assert_eq!(opening.backlog, 100);
    assert_eq!(waiting(&restored.outbox(), Lane::Data).await.len(), 100);
    restored.close().await;
}

#[tokio::test]
async fn a_value_that_is_raised_travels_with_the_alarms() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("linli.db")).await;
    let device = layout("air-1", DeviceClass::Telemetry, 1);
    store.accept(numbered(&device, 1)).unwrap();
    store.accept_in(Lane::Urgent, numbered(&device, 2)).unwrap();
    // Commits, and is one of the urgent ones itself.
    settled(&store).await;
    let data = committed(&store, 1).await;
    let urgent = waiting(&store.outbox(), Lane::Urgent).await;
    assert_eq!((urgent.len(), data.len()), (2, 1));
    assert_eq!(urgent[0].record, numbered(&device, 2));
    assert!(urgent.iter().all(|row| row.lane == Lane::Urgent) && data[0].lane == Lane::Data);
    store.close().await;
}

#[tokio::test]
async fn a_dead_letter_is_sent_again_once_and_the_oldest_that_waits_is_known() {
    let (dir, layout) = (tempfile::tempdir().unwrap(), layout("fridge-1", DeviceClass::FoodSafety, 1));
    let (store, _) = open(&dir.path().join("linli.db")).await;
    let outbox = store.outbox();
    assert_eq!(outbox.oldest().await.unwrap(), None);
    let seq = store.accept_durably(numbered(&layout, 5)).await.unwrap();
    store.accept_durably(numbered(&layout, 7)).await.unwrap();
    assert_eq!(outbox.oldest().await.unwrap(), Some(Timestamp(NOW.0 + 5)));
    outbox.dead_letter(seq, "too large for the broker".to_owned()).await;
    store.accept_durably(numbered(&layout, 9)).await.unwrap();
    assert_eq!(outbox.oldest().await.unwrap(), Some(NOW), "what tells of it waits");
    assert_eq!(waiting(&outbox, Lane::Data).await.iter().filter_map(number_of).collect::<Vec<_>>(), [7, 9]);
    let letters = outbox.dead_letters(10).await.unwrap();
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!(
        (letter.seq, letter.detail.as_str(), letter.is_sent_again),
        (seq, "too large for the broker", false)
    );
    assert_eq!(letter.record, Some(numbered(&layout, 5)));
    let again = outbox.send_again(seq).await.unwrap();
    assert!(again.is_some_and(|again| again > seq), "{again:?}");
    let numbers: Vec<_> = waiting(&outbox, Lane::Data).await.iter().filter_map(number_of).collect();
    assert_eq!(numbers, [7, 9, 5], "it waits again, behind the others");
    assert_eq!(outbox.send_again(seq).await.unwrap(), None, "once only");
    assert_eq!(outbox.send_again(4711).await.unwrap(), None, "no such letter");
    assert!(outbox.dead_letters(10).await.unwrap()[0].is_sent_again);
}
