//! Readings of which nothing follows: they are taken over, few of them are recorded, and the record is replayed to the
//! same state all the same.

use linli_mode::record::{ModeEntry, ModeEvent};
use linli_mode::{Event, Fire, Phase, State, StepState, Truth, replay, replay_readings};

use super::Bench;
use crate::audit_log::entries_after;
use crate::mode::request::Operation;

const AIR: &str = "reading-air.ach >= 6";

async fn record(bench: &Bench) -> Vec<ModeEvent> {
    let lines = entries_after::<ModeEvent>(&bench.site.store.documents(), None, 10_000).await.unwrap();
    lines.iter().map(|line| serde_json::from_str::<ModeEntry>(line).unwrap().what).collect()
}

/// Where the record leads the room.
async fn followed(bench: &Bench) -> State {
    let mut state = State::default();
    for event in record(bench).await {
        match event {
            ModeEvent::Step { room, plan, event, state: recorded, .. } if room == bench.room().id => {
                let plan = bench.engine.setup.plan(&plan).unwrap();
                state = replay(&plan.resolved, &state, &event, &recorded).unwrap();
            }
            ModeEvent::Readings { room, truths, fire, state: recorded, .. } if room == bench.room().id => {
                state = replay_readings(&state, &truths, fire, &recorded).unwrap();
            }
            _ => {}
        }
    }
    state
}

#[tokio::test]
async fn a_reading_that_changes_all_the_time_does_not_fill_the_record() {
    let mut bench = Bench::lit().await;
    let before = record(&bench).await.len();
    for nth in 0..2001 {
        bench.read(AIR, (nth % 2 == 0).into()).await;
    }
    assert_eq!(bench.truth(AIR), Truth::True, "it is taken over");
    let grown = record(&bench).await.len() - before;
    assert!((250..=310).contains(&grown), "{grown} entries for 2001 changes");
    // Anything that follows is recorded, after how it stands.
    bench.act("sun", Operation::Stop).await.unwrap();
    bench.expect(Phase::Held);
    let readings = |events: &[ModeEvent]| {
        events.iter().filter(|event| matches!(event, ModeEvent::Readings { .. })).count()
    };
    let events = record(&bench).await;
    assert_eq!(readings(&events), 1);
    let [
        ..,
        ModeEvent::Readings { truths, fire: None, .. },
        ModeEvent::Step { event: Event::Stop { .. }, .. },
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!(*truths, [(bench.predicate(AIR), Truth::True)]);
    assert_eq!(followed(&bench).await, *bench.state());
    // It is said once.
    bench.act("zhao", Operation::Resume("done".to_owned())).await.unwrap();
    bench.tell(Event::Fire(Truth::True)).await;
    assert_eq!(readings(&record(&bench).await), 1);
}

#[tokio::test]
async fn a_panel_whose_line_comes_and_goes_does_not_fill_the_record() {
    let mut bench = Bench::open().await;
    for nth in 0..2001 {
        bench.tell(Event::Fire(if nth % 2 == 0 { Truth::False } else { Truth::Unknown })).await;
    }
    assert_eq!(bench.state().fire, Fire::Normal);
    assert!((250..=310).contains(&record(&bench).await.len()));
    bench.tell(Event::Fire(Truth::True)).await;
    assert_eq!(followed(&bench).await, *bench.state(), "a fire is always recorded");
    assert_eq!(bench.state().fire, Fire::Alarm);
    let before = record(&bench).await.len();
    bench.tell(Event::Fire(Truth::False)).await;
    assert_eq!(record(&bench).await.len(), before + 1, "and so is its end");
}

/// What is left out still counts: for the guards, and for the stop that follows.
#[tokio::test]
async fn a_reading_of_which_something_follows_is_never_left_out() {
    let mut bench = Bench::lit().await;
    for nth in 0..2000 {
        bench.read(AIR, (nth % 2 == 0).into()).await;
    }
    let before = record(&bench).await.len();
    bench.reads(&[&[("irradiance", super::OFF)]]).await;
    assert!(!matches!(bench.of("uv-dose"), StepState::Running), "the lamps went out");
    assert!(record(&bench).await.len() > before);
    assert_eq!(followed(&bench).await.hash(), bench.state().hash());
}
