//! The state machine of an alarm against the table of ISA-18.2.

use linli_domain::alarm::{Event, State};

/// The table of the standard, row by row: states A to I, then what each event leads to with
/// and without a latch. `.` means nothing happens; `+` the condition holds, `-` it does not.
const TABLE: &str = "
    A  raised B B   shelve G G  suppress H H  take_out I I
    B  cleared D E  acknowledge C C  shelve G G  suppress H H  take_out I I
    C  cleared A F  shelve G G  suppress H H  take_out I I
    D  raised B B   acknowledge A A  shelve G G  suppress H H  take_out I I
    E  raised B B   acknowledge F F  shelve G G  suppress H H  take_out I I
    F  raised B B   reset- A A  shelve G G  suppress H H  take_out I I
    G  unshelve- A A  unshelve+ B B  take_out I I
    H  unsuppress- A A  unsuppress+ B B  take_out I I
    I  put_back- A A  put_back+ B B";

const EVENTS: [(Event, &str); 10] = [
    (Event::Raised, "raised"),
    (Event::Cleared, "cleared"),
    (Event::Acknowledge, "acknowledge"),
    (Event::Reset, "reset"),
    (Event::Shelve, "shelve"),
    (Event::Unshelve, "unshelve"),
    (Event::Suppress, "suppress"),
    (Event::Unsuppress, "unsuppress"),
    (Event::TakeOut, "take_out"),
    (Event::PutBack, "put_back"),
];

fn letter(state: State) -> char {
    let at = State::ALL.iter().position(|other| *other == state).unwrap();
    char::from(b'A' + u8::try_from(at).unwrap())
}

/// What the table says.
fn told(state: State, event: &str, is_latching: bool, is_active: bool) -> Option<char> {
    let row = TABLE.lines().map(str::trim).find(|row| row.starts_with(letter(state)))?;
    let words: Vec<&str> = row.split_whitespace().skip(1).collect();
    let signed = format!("{event}{}", if is_active { '+' } else { '-' });
    let cell = words.chunks(3).find(|cell| cell[0] == event || cell[0] == signed)?;
    cell[1 + usize::from(is_latching)].chars().next()
}

#[test]
fn every_state_and_every_event() {
    let mut moves = 0;
    for state in State::ALL {
        for (event, word) in EVENTS {
            for (is_latching, is_active) in [(false, false), (false, true), (true, false), (true, true)] {
                let next = state.next(event, is_latching, is_active);
                let expect = told(state, word, is_latching, is_active);
                assert_eq!(next.map(letter), expect, "{state:?} {word} {is_latching} {is_active}");
                moves += usize::from(next.is_some());
            }
        }
    }
    assert_eq!(moves, 130, "of 360");
}
