//! Forms of alarms.

use std::time::Duration;

use super::{Event, Flood, Kept, Priority, Shelf, Source, State, Transition};
use crate::Id;
use linli_golden::{frozen, sent, stored, words};

#[test]
fn words_of_alarms() {
    words!(stored "alarm/state", State: Normal, Unacknowledged, Acknowledged, ReturnedUnacknowledged,
        LatchedUnacknowledged, LatchedAcknowledged, Shelved, Suppressed, OutOfService);
    let words: Vec<String> = State::ALL.iter().map(|state| format!("\"{}\"\n", state.as_str())).collect();
    frozen("alarm/state.jsonl", &words.concat());
    words!(stored "alarm/event", Event: Raised, Cleared, Acknowledge, Reset, Shelve, Unshelve, Suppress,
        Unsuppress, TakeOut, PutBack);
    words!(stored "alarm/priority", Priority: Low, Medium, High);
    words!(sent "alarm/flood", Flood: None, Flooding);
}

#[test]
fn what_survives_a_restart() {
    let shelf = Shelf { span: Duration::from_millis(3_600_250), is_one_shot: true };
    let whole = Kept {
        state: State::Shelved,
        is_active: true,
        shelf: Some(shelf),
        waited: Some(Duration::from_millis(1500)),
    };
    stored("alarm/kept", &[Kept::default(), whole]);
}

#[test]
fn steps_and_sources() {
    let id = |text| Id::new(text).unwrap();
    stored("alarm/source", &[Source { device: id("fridge-1"), point: id("product_temperature") }]);
    let step = Transition {
        alarm: id("fridge-1.warm"),
        from: State::Normal,
        to: State::Unacknowledged,
        event: Event::Raised,
        value: Some(9.5),
        is_first_out: true,
    };
    let least = Transition { value: None, is_first_out: false, ..step.clone() };
    sent("alarm/transition", &[step, least]);
}
