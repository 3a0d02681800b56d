//! The command journal and the trends.

use linli_domain::command::State;
use linli_domain::rollup::{Gatherer, Rollup};
use linli_domain::{DeviceClass, Id, Lane, Record, Timestamp};
use linli_store::Begun;

use crate::support::{NOW, command, event, layout, numbered, open, settled, waiting};

#[tokio::test]
async fn a_command_is_the_same_for_ever_and_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = open(&path).await;
    let journal = store.journal();
    assert_eq!(journal.begin(command("a")).await, Ok(Begun::Fresh));
    assert_eq!(journal.begin(command("a")).await, Ok(Begun::Known(State::Accepted)));
    assert_eq!(journal.begin(command("b")).await, Ok(Begun::Fresh));
    journal.advance("a", &State::Sent, NOW).await.unwrap();
    journal.advance_with("b", &State::Done, NOW, event(7)).await.unwrap();
    store.close().await;

    let (store, _) = open(&path).await;
    let open_ones = store.journal().unfinished().await.unwrap();
    assert_eq!(open_ones, [(command("a"), State::Sent)]);
    assert_eq!(store.journal().begin(command("b")).await, Ok(Begun::Known(State::Done)));
    assert_eq!(waiting(&store.outbox(), Lane::Urgent).await.len(), 1, "the answer came with the state");
    store.close().await;
}

#[tokio::test]
async fn partial_minutes_are_merged() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("linli.db")).await;
    let device = layout("meter-1", DeviceClass::Telemetry, 2);
    for part in [[1, 5], [3, 2]] {
        let mut gatherer = Gatherer::default();
        for number in part {
            let Record::Samples(batch) = numbered(&device, number) else { unreachable!("samples") };
            gatherer.add(&batch);
        }
        store.history().add(gatherer.take()).await;
    }
    settled(&store).await;
    let point = Id::new("p1").unwrap();
    let minutes =
        store.history().read(&device.device, &point, Timestamp(0), Timestamp(i64::MAX)).await.unwrap();
    let expect = Rollup { min: 1.0, max: 5.0, sum: 11.0, count: 4, last: 2.0 };
    assert_eq!(minutes, [(NOW.minute(), expect)]);
    store.close().await;
}
