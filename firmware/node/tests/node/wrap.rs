//! A board's milliseconds start over after 49.7 days, its microseconds after 71 minutes.

use linli_wire::map;
use linli_wire::point::{Point, address};

use crate::rig::Rig;

/// Just before the millisecond counter of the board starts over.
const BEFORE_US: u64 = (u32::MAX as u64 - 20_000) * 1000;

#[test]
fn leases_ages_and_uptime_go_on_when_milliseconds_start_over() {
    let mut rig = Rig::at("room", BEFORE_US);
    rig.pass_ms(1000);
    rig.write(map::outputs::OUTPUT, &[1, 40]).expect("a lease across the end");
    rig.pass_ms(30_000);
    assert!(rig.world.relay(0));
    let uptime = rig.input(map::identity::UPTIME);
    assert!((31..=32).contains(&uptime), "{uptime}");
    let words = rig.read(4, address(0), 4).expect("a point");
    let point = Point::decode(words.try_into().expect("four")).expect("of this version");
    assert!(point.age_s <= 1, "it still samples");
    rig.pass_ms(10_000);
    assert!(!rig.world.relay(0));
}

#[test]
fn fifty_days_go_by() {
    let mut rig = Rig::new("room");
    rig.world.set_temperature(0x48, Some(400));
    let mut seconds = 0;
    for _ in 0..50 {
        // A day in steps of a minute: coarse, but every counter passes its end.
        rig.pass(86_400_000_000, 60_000_000);
        seconds += 86_400;
        let uptime = rig.input(map::identity::UPTIME);
        assert!((seconds..seconds + 60).contains(&uptime), "{uptime} after {seconds}");
    }
    let age = rig.input(linli_wire::field::Field::<u16>::at(address(0) + 3));
    assert!(age <= 60);
}
