//! What binds rooms together: one air handler, one fire panel.

use linli_mode::{Direction, Fire, Plan, Pressure, Truth, air_conflict, flows};

use super::building::{back, facility, id, plan, sheet};

#[test]
fn news_of_the_panel_is_what_changes_something() {
    for (fire, told, is_news) in [
        (Fire::Unknown, Truth::True, true),
        (Fire::Unknown, Truth::False, true),
        (Fire::Unknown, Truth::Unknown, false),
        (Fire::Normal, Truth::True, true),
        (Fire::Normal, Truth::False, false),
        (Fire::Normal, Truth::Unknown, true),
        (Fire::Alarm, Truth::True, false),
        (Fire::Alarm, Truth::False, true),
        (Fire::Alarm, Truth::Unknown, false),
    ] {
        assert_eq!(fire.is_news(told), is_news, "{fire:?} {told:?}");
    }
}

#[test]
fn a_room_on_its_way_back_still_flows_as_it_was_entered() {
    use Pressure::{Negative, Neutral, Positive};
    let enter = Plan { pressure: Negative, ..plan(vec![sheet()]) };
    let other = Plan { id: id("other"), pressure: Positive, return_plan: None, ..plan(vec![sheet()]) };
    let back = Plan { pressure: Neutral, ..back() };
    let all = || [&enter, &other, &back];
    assert_eq!(flows(&back, all()), [Neutral, Negative]);
    assert_eq!(flows(&enter, all()), [Negative]);
    // A plan that is entered has no way back to anything.
    let entered = Plan { direction: Direction::Enter, ..back.clone() };
    assert_eq!(flows(&entered, all()), [Neutral]);
}

#[test]
fn rooms_of_one_air_handler_do_not_flow_against_each_other() {
    use Pressure::{Negative, Neutral, Positive};
    let mut facility = facility();
    let mut room = |zone: Option<&str>| {
        let room = facility.rooms[0].clone();
        facility.rooms.push(linli_mode::facility::Room { air_zone: zone.map(id), ..room });
    };
    room(Some("ahu-1"));
    room(Some("ahu-2"));
    room(None);
    facility.rooms[0].air_zone = Some(id("ahu-1"));
    let conflict = |pressure, other: usize, flows: &[Pressure]| {
        air_conflict(&facility, 0, pressure, [(other, flows.to_vec())])
    };
    assert_eq!(conflict(Negative, 1, &[Positive]), Some(1));
    assert_eq!(conflict(Positive, 1, &[Neutral, Negative]), Some(1), "any of its pressures");
    assert_eq!(conflict(Negative, 1, &[Negative, Neutral]), None);
    assert_eq!(conflict(Negative, 2, &[Positive]), None, "another air handler");
    assert_eq!(conflict(Negative, 3, &[Positive]), None, "none");
    assert_eq!(conflict(Negative, 0, &[Positive]), None, "the room itself");
    assert_eq!(air_conflict(&facility, 3, Negative, [(1, vec![Positive])]), None);
}
