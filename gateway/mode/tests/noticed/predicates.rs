//! Comparisons of readings: each operator at its limit, and what is not known.

use std::collections::BTreeMap;

use linli_domain::Value;
use linli_domain::alarm::Source;
use linli_mode::facility::{Facility, ReadSource};
use linli_mode::{Claim, Literal, Op, Predicate, Readings, Truth};

use super::building::{facility, word};

struct Read(BTreeMap<String, Value>);

impl Readings for Read {
    fn value(&self, point: &Source) -> Option<Value> {
        self.0.get(&format!("{}.{}", point.device, point.point)).cloned()
    }
}

/// The truth of a comparison of one reading of the building.
fn truth(facility: &Facility, name: &str, claim: Claim, value: Option<Value>) -> Truth {
    let (of, what) = name.split_once('.').unwrap();
    let fixture = facility.fixture(of).unwrap();
    let read = facility.fixtures[fixture].reads.iter().position(|read| read.name == what).unwrap();
    let readings = Read(value.into_iter().map(|value| (name.to_owned(), value)).collect());
    Predicate { fixture, read, claim }.truth(facility, &readings)
}

#[test]
fn numbers_are_compared_as_written() {
    use Op::{AtLeast, AtMost, Equal, Less, More, Unequal};
    for (op, below, same, above) in [
        (Equal, false, true, false),
        (Unequal, true, false, true),
        (Less, true, false, false),
        (AtMost, true, true, false),
        (More, false, false, true),
        (AtLeast, false, true, true),
    ] {
        let claim = || Claim::Is(op, Literal::Number(5.0));
        for (number, expected) in [(4.9, below), (5.0, same), (5.1, above)] {
            let told = truth(&facility(), "tank.level", claim(), Some(Value::Float(number)));
            assert_eq!(told, expected.into(), "{number} {op} 5");
        }
        assert_eq!(truth(&facility(), "tank.level", claim(), None), Truth::Unknown);
    }
    for (number, expected) in [(1.9, false), (2.0, true), (3.0, true), (4.0, true), (4.1, false)] {
        let told = truth(&facility(), "tank.level", Claim::Within(2.0, 4.0), Some(Value::Float(number)));
        assert_eq!(told, expected.into(), "{number} in 2..4");
    }
}

#[test]
fn words_are_compared_by_their_values() {
    let contact = |op, text: &str, value: i64| {
        truth(&facility(), "lock.contact", Claim::Is(op, word(text)), Some(Value::Integer(value)))
    };
    assert_eq!(contact(Op::Equal, "closed", 0), Truth::True);
    assert_eq!(contact(Op::Equal, "closed", 1), Truth::False);
    assert_eq!(contact(Op::Unequal, "closed", 1), Truth::True);
    assert_eq!(contact(Op::Unequal, "closed", 0), Truth::False);
    for op in [Op::Equal, Op::Unequal] {
        assert_eq!(contact(op, "closed", 7), Truth::Unknown, "a value without a name says nothing");
    }
    let unnamed = Claim::Is(Op::Unequal, word("closed"));
    let ajar = Some(Value::Text("ajar".into()));
    assert_eq!(
        truth(&facility(), "lock.contact", unnamed, ajar),
        Truth::Unknown,
        "nor does a word it has not"
    );
    assert_eq!(contact(Op::Less, "closed", 0), Truth::Unknown);
    let number = Claim::Is(Op::Equal, Literal::Number(0.0));
    assert_eq!(truth(&facility(), "lock.contact", number, Some(Value::Integer(0))), Truth::Unknown);
}

#[test]
fn on_and_off_are_true_and_false() {
    let occupied = |text: &str, value: Value| {
        truth(&facility(), "pir-a.occupied", Claim::Is(Op::Equal, word(text)), Some(value))
    };
    assert_eq!(occupied("on", Value::Bool(true)), Truth::True);
    assert_eq!(occupied("true", Value::Bool(true)), Truth::True);
    assert_eq!(occupied("off", Value::Bool(true)), Truth::False);
    assert_eq!(occupied("off", Value::Bool(false)), Truth::True);
    assert_eq!(occupied("true", Value::Integer(1)), Truth::Unknown, "a number is no word");
}

#[test]
fn what_is_per_volume_needs_a_volume() {
    let mut facility = facility();
    let fan = facility.fixture("fan").unwrap();
    facility.fixtures[fan].reads[0].is_per_volume = true;
    let enough = || Claim::Is(Op::AtLeast, Literal::Number(6.0));
    let flow =
        |facility: &Facility, flow: f64| truth(facility, "fan.flow", enough(), Some(Value::Float(flow)));
    assert_eq!((flow(&facility, 899.0), flow(&facility, 900.0)), (Truth::False, Truth::True));
    for volume in [None, Some(0.0), Some(-1.0)] {
        facility.rooms[0].volume = volume;
        assert_eq!(flow(&facility, 900.0), Truth::Unknown, "{volume:?}");
    }
}

#[test]
fn what_is_known_by_the_building_needs_no_reading() {
    let mut facility = facility();
    let tank = facility.fixture("tank").unwrap();
    facility.fixtures[tank].reads[0].from = ReadSource::Constant(300.0);
    let claim = Claim::Is(Op::More, Literal::Number(299.0));
    assert_eq!(truth(&facility, "tank.level", claim, None), Truth::True);
}

#[test]
fn unknown_stays_unknown() {
    use Truth::{False, True, Unknown};
    for (one, other, both, any) in [
        (True, True, True, True),
        (True, False, False, True),
        (True, Unknown, Unknown, True),
        (False, False, False, False),
        (False, Unknown, False, Unknown),
        (Unknown, Unknown, Unknown, Unknown),
    ] {
        assert_eq!((one.and(other), other.and(one)), (both, both), "{one:?} {other:?}");
        assert_eq!((one.or(other), other.or(one)), (any, any), "{one:?} {other:?}");
    }
    assert_eq!([True.not(), False.not(), Unknown.not()], [False, True, Unknown]);
    assert_eq!([True.holds(), False.holds(), Unknown.holds()], [true, false, false]);
}
