//! What a technician sees with any Modbus tool.

use linli_wire::identity::{BootState, Identity, reset, status};
use linli_wire::kind::KINDS;
use linli_wire::log::{Code, ENTRY_WORDS, Entry, WINDOW};
use linli_wire::map;
use linli_wire::point::{Point, address};
use linli_wire::quality::{Quality, Reason};
use linli_wire::selftest::{START, State, Verdict};

use crate::rig::Rig;

fn identity(rig: &mut Rig) -> Identity {
    let words = rig.read(4, 0, linli_wire::identity::WORDS).expect("the identity block");
    Identity::decode(&words).expect("a node")
}

fn point(rig: &mut Rig, index: u16) -> Point {
    let words = rig.read(4, address(index), 4).expect("a point");
    Point::decode(words.try_into().expect("four registers")).expect("of this version")
}

#[test]
fn every_kind_says_who_it_is_and_measures_what_it_should() {
    for kind in KINDS {
        let mut rig = Rig::new(kind.name);
        rig.pass_ms(1500);
        let found = identity(&mut rig);
        assert_eq!((found.kind, usize::from(found.points)), (kind.id, kind.points.len()));
        assert_eq!(
            (usize::from(found.inputs), usize::from(found.relays)),
            (kind.inputs.len(), kind.relays.len())
        );
        assert_eq!(found.boot, BootState::Confirmed.code());
        assert_eq!(found.reset_cause, reset::POWER_ON);
        assert_eq!(found.status, status::CONFIG_DEFAULT | status::WATCHDOG_RUNS);
        for index in 0..found.points {
            let point = point(&mut rig, index);
            assert_eq!((point.value, point.quality), (Some(400 + 100 * i32::from(index)), Quality::Good));
        }
        let none = point(&mut rig, found.points);
        assert_eq!((none.value, none.quality), (None, Quality::Bad(Reason::NotFitted)));
        let inputs = kind.inputs.len() as u8;
        assert!(rig.ask(2, &[0, 0, 0, inputs]).expect("an answer").is_ok());
        assert_eq!(rig.ask(2, &[0, 0, 0, inputs + 1]), Some(Err(2)));
        assert_eq!(rig.ask(1, &[0, 0, 0, kind.relays.len() as u8 + 1]), Some(Err(2)));
    }
}

#[test]
fn a_sensor_that_fails_has_no_value_and_comes_back() {
    let mut rig = Rig::new("fridge");
    rig.pass_ms(1500);
    rig.world.set_temperature(0x49, None);
    rig.pass_ms(1000);
    let doubtful = point(&mut rig, 1);
    assert_eq!((doubtful.value, doubtful.quality), (Some(500), Quality::Uncertain(Reason::NoAnswer)));
    rig.pass_ms(3000);
    let lost = point(&mut rig, 1);
    assert_eq!((lost.value, lost.quality), (None, Quality::Bad(Reason::NoAnswer)));
    assert!((3..=4).contains(&lost.age_s), "{}", lost.age_s);
    assert_eq!(point(&mut rig, 0).quality, Quality::Good, "the other goes on");
    assert_ne!(identity(&mut rig).status & status::SENSOR_FAULTY, 0);
    rig.world.set_temperature(0x49, Some(-1800));
    rig.pass_ms(1100);
    let back = point(&mut rig, 1);
    assert_eq!((back.value, back.quality), (Some(-1800), Quality::Good), "nothing of the past is left in it");
    assert_eq!(identity(&mut rig).status & status::SENSOR_FAULTY, 0);
}

#[test]
fn the_log_is_read_window_by_window() {
    let mut rig = Rig::new("fridge");
    rig.pass_ms(1500);
    for flip in 0..20 {
        rig.world.set_input(0, flip % 2 == 0);
        rig.pass_ms(100);
    }
    let head = rig.input(map::log::HEAD);
    let (mut cursor, mut codes) = (1, Vec::new());
    while cursor <= head {
        rig.write(map::control::CURSOR.address, &[(cursor >> 16) as u16, cursor as u16]).expect("the cursor");
        let count = rig.input(map::log::COUNT);
        let words = rig.read(4, map::log::ENTRY, WINDOW * ENTRY_WORDS).expect("the window");
        for entry in words.chunks_exact(ENTRY_WORDS.into()).take(count.into()) {
            let entry = Entry::decode(entry.try_into().expect("an entry")).expect("not empty");
            assert_eq!(entry.seq, cursor, "in order, none left out");
            codes.push(entry.code);
            cursor += 1;
        }
        assert!(count > 0);
    }
    assert_eq!(codes[1..3], [Code::Booted.code(), Code::Firmware.code()]);
    assert_eq!(codes.iter().filter(|code| **code == Code::InputChanged.code()).count(), 20);
    assert!(codes.contains(&Code::SelftestPassed.code()));
}

#[test]
fn the_time_is_told_once_and_stands_in_the_log() {
    let mut rig = Rig::new("fridge");
    rig.pass_ms(1500);
    assert_eq!((rig.input(map::clock::NOW), rig.input(map::clock::SOURCE)), (0, 0));
    let told = linli_wire::clock::EARLIEST + 1000;
    let words = |unix: u32| [(unix >> 16) as u16, unix as u16];
    assert_eq!(rig.write(map::control::TIME.address, &words(12)), Err(3), "a clock nobody ever set");
    rig.write(map::control::TIME.address, &words(told)).expect("a time");
    let head = rig.input(map::log::HEAD);
    rig.pass_ms(10_000);
    let now = rig.holding(map::control::TIME);
    assert!((told + 10..=told + 11).contains(&now), "{now}");
    rig.write(map::control::TIME.address, &words(now + 1)).expect("a small correction");
    assert_eq!(rig.input(map::log::HEAD), head, "is not worth an entry");
}

#[test]
fn the_self_test_tells_what_is_broken() {
    let mut rig = Rig::new("room");
    rig.pass_ms(1500);
    assert_eq!(rig.input(map::selftest::STATE), State::Passed.code());
    rig.world.set_temperature(0x48, None);
    rig.pass_ms(4000);
    assert_eq!(rig.ask(6, &[0x01, 0x80, 0, 1]), Some(Err(3)), "only the magic number starts it");
    rig.write(map::control::SELFTEST.address, &[START]).expect("it starts");
    rig.pass_ms(100);
    assert_eq!(rig.input(map::selftest::STATE), State::Failed.code());
    let verdicts = rig.read(4, map::selftest::VERDICT, 8).expect("eight items");
    let of = |index: usize| Verdict::from_code(verdicts[index]);
    // The only probe is silent: the bus may be what is broken.
    assert_eq!((of(3), of(4)), (Some(Verdict::Fail), Some(Verdict::Warn)));
    assert_eq!((of(0), of(5), of(7)), (Some(Verdict::Pass), Some(Verdict::Pass), Some(Verdict::Pass)));
    assert_ne!(identity(&mut rig).status & status::SELFTEST_FAILED, 0);
}

#[test]
fn holes_and_other_units_are_refused_or_ignored() {
    let mut rig = Rig::new("room");
    for (function, address, count) in [(4, 0x17, 1), (4, 0x15, 3), (4, 0x1F, 2), (4, 0x0500, 1), (3, 0x28, 1)]
    {
        assert_eq!(rig.read(function, address, count), Err(2), "{address:#06x}");
    }
    // One request over two blocks that touch.
    assert!(rig.read(4, 0x20, 32).is_ok());
    assert_eq!(rig.write(0x27, &[0, 0]), Err(2), "a write stays within its block");
    rig.unit = 12;
    assert_eq!(rig.ask(4, &[0, 0, 0, 1]), None);
    rig.unit = 0;
    assert_eq!(rig.ask(6, &[1, 0, 0, 1]), None);
    assert!(!rig.world.relay(0), "a broadcast switches nothing");
}

#[test]
fn a_configured_offset_shows_and_a_new_kind_starts_anew() {
    let mut rig = Rig::new("fridge");
    rig.pass_ms(1500);
    rig.write(map::config::OFFSETS, &[(-30_i16).cast_unsigned()]).expect("the shadow");
    assert_eq!(point(&mut rig, 0).value, Some(400), "not before the commit");
    rig.write(map::commit::COMMIT.address, &[linli_wire::config::COMMIT]).expect("the commit");
    assert_eq!(point(&mut rig, 0).value, Some(370));
    assert_eq!(rig.holding(map::commit::GENERATION), 1);
    rig.write(map::config::KIND.address, &[3]).expect("the shadow");
    rig.write(map::commit::COMMIT.address, &[linli_wire::config::COMMIT]).expect("the commit");
    rig.pass_ms(100);
    assert_eq!((identity(&mut rig).kind, identity(&mut rig).relays), (3, 2));
    rig.write(map::config::SAMPLE.address, &[1]).expect("the shadow takes anything");
    assert_eq!(rig.write(map::commit::COMMIT.address, &[linli_wire::config::COMMIT]), Err(3));
    assert_eq!(rig.holding(map::commit::REASON), linli_wire::config::Refusal::Sample.code());
    let now = rig.now_us;
    rig.node.power_cycle(now);
    rig.pass_ms(100);
    assert_eq!(identity(&mut rig).kind, 3, "it was stored");
}
