//! What stays over a warm reset, over a power cut, and over the end of the process.

use linli_node::sim::{Disk, Options, SoftwareNode, World};
use linli_wire::config::COMMIT;
use linli_wire::field::Field;
use linli_wire::health::Counter;
use linli_wire::identity::{reset, status};
use linli_wire::kind::Kind;
use linli_wire::log::{Code, Entry};
use linli_wire::map;

use crate::rig::{Rig, keys};

fn counter(rig: &mut Rig, counter: Counter) -> u32 {
    rig.input(Field::<u32>::at(counter.address()))
}

#[test]
fn a_watchdog_reset_keeps_the_log_and_drops_the_relays() {
    let mut rig = Rig::new("room");
    rig.pass_ms(1500);
    rig.write(map::outputs::OUTPUT, &[1, 600]).expect("a relay");
    let head = rig.input(map::log::HEAD);
    let now = rig.now_us;
    rig.node.restart(now, reset::WATCHDOG);
    assert!(!rig.world.relay(0), "nobody has ordered it in this run");
    rig.pass_ms(1500);
    assert_eq!(rig.input(map::identity::RESET_CAUSE), reset::WATCHDOG);
    assert_ne!(rig.input(map::identity::STATUS) & status::WATCHDOG, 0);
    assert_eq!((counter(&mut rig, Counter::WatchdogResets), counter(&mut rig, Counter::Resets)), (1, 2));
    rig.write(map::control::CURSOR.address, &[0, head as u16]).expect("the cursor");
    let words = rig.read(4, map::log::ENTRY, 28).expect("four entries");
    let entries: Vec<Entry> = words
        .chunks_exact(7)
        .filter_map(|entry| Entry::decode(entry.try_into().expect("seven registers")))
        .collect();
    assert_eq!(
        (entries[0].seq, entries[0].code),
        (head, Code::RelaySet.code()),
        "the last of the run before"
    );
    let boot = entries.iter().find(|entry| entry.code == Code::Booted.code()).expect("the reset is told");
    assert_eq!((boot.uptime_s, boot.argument), (0, u32::from(reset::WATCHDOG)));
}

#[test]
fn a_brown_out_is_counted_and_a_power_cut_empties_the_log_only() {
    let mut rig = Rig::new("room");
    rig.pass_ms(100);
    rig.write(map::config::LEASE.address, &[77]).expect("the shadow");
    rig.write(map::commit::COMMIT.address, &[COMMIT]).expect("the commit");
    let now = rig.now_us;
    rig.node.restart(now, reset::BROWN_OUT);
    rig.pass_ms(100);
    assert_eq!(counter(&mut rig, Counter::BrownOuts), 1);
    let now = rig.now_us;
    rig.node.power_cycle(now);
    rig.pass_ms(100);
    assert_eq!((counter(&mut rig, Counter::BrownOuts), counter(&mut rig, Counter::Resets)), (0, 1));
    assert_eq!(rig.holding(map::config::LEASE), 77);
    assert_eq!(rig.input(map::log::OLDEST), 1, "a new log begins");
}

#[test]
fn a_software_node_goes_on_after_its_process_was_killed() {
    let dir = tempfile::tempdir().expect("a directory");
    let start = || {
        let kind = Kind::from_name("fridge").expect("a kind");
        let disk = Disk::in_dir(dir.path()).expect("its files");
        let world = World::default();
        let node = SoftwareNode::new(Options::new(kind, keys()), world.clone(), disk, 0);
        Rig { node, world, now_us: 0, unit: 247 }
    };
    let mut rig = start();
    rig.pass_ms(100);
    rig.write(map::config::SERIAL.address, &[0, 0, 0, 4711]).expect("the shadow");
    rig.write(map::commit::COMMIT.address, &[COMMIT]).expect("the commit");
    drop(rig);
    let mut rig = start();
    rig.pass_ms(100);
    assert_eq!(rig.input(map::identity::SERIAL), 4711);
    assert_eq!(rig.input(map::identity::STATUS) & status::CONFIG_DEFAULT, 0);
}
