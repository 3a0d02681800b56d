//! Noise, half frames, new addresses on trial, leases of a gateway that died.

use linli_node::sim::Power;
use linli_wire::config::{COMMIT, CONFIRM, CommitState};
use linli_wire::health::Counter;
use linli_wire::map;
use proptest::prelude::*;

use crate::rig::{Rig, framed, write_body};

#[test]
fn a_new_address_is_kept_only_when_it_is_confirmed_there() {
    for confirms in [true, false] {
        let mut rig = Rig::new("fridge");
        rig.pass_ms(100);
        rig.write(map::config::UNIT.address, &[17]).expect("the shadow");
        rig.write(map::commit::COMMIT.address, &[COMMIT]).expect("answered from the old address");
        assert_eq!(rig.ask(4, &[0, 0, 0, 1]), None, "the old address is silent");
        rig.unit = 17;
        assert_eq!(rig.holding(map::commit::COMMIT), CommitState::Trial.code());
        if confirms {
            rig.write(map::commit::COMMIT.address, &[CONFIRM]).expect("confirmed");
        }
        rig.pass_ms(31_000);
        assert_eq!(rig.ask(4, &[0, 0, 0, 1]).is_some(), confirms);
        rig.unit = 247;
        assert_eq!(rig.ask(4, &[0, 0, 0, 1]).is_some(), !confirms);
        let now = rig.now_us;
        rig.node.power_cycle(now);
        assert_eq!(rig.ask(4, &[0, 0, 0, 1]).is_some(), !confirms, "also after a power cut");
    }
}

#[test]
fn relays_drop_exactly_when_the_gateway_has_been_dead_for_their_lease() {
    let mut rig = Rig::new("room");
    rig.pass_ms(50);
    rig.write(map::config::SAFE.address, &[0b10]).expect("the shadow");
    rig.write(map::commit::COMMIT.address, &[COMMIT]).expect("the commit");
    assert!(rig.world.relay(1), "on is its safe state");
    for _ in 0..20 {
        rig.write(map::outputs::OUTPUT, &[1, 5, 0, 7]).expect("both relays");
        rig.pass_ms(2000);
        assert!(rig.world.relay(0) && !rig.world.relay(1), "refreshed in time");
    }
    // The last order, and then nobody. The lease counts from the frame, which is served at its gap.
    let mut frame = vec![rig.unit, 16];
    frame.extend(write_body(map::outputs::OUTPUT, &[1, 5, 0, 7]));
    rig.put(&framed(&frame));
    let answered = rig.listen().map(|answer| rig.now_us - 1146 * answer.len() as u64);
    let from = answered.expect("an answer") / 1000 * 1000;
    let mut dropped = [None; 2];
    while rig.now_us < from + 8_000_000 {
        rig.now_us = (rig.now_us / 1000 + 1) * 1000;
        assert!(rig.node.poll(rig.now_us).is_none());
        for (index, at) in dropped.iter_mut().enumerate() {
            if at.is_none() && rig.world.relay(index) == (index == 1) {
                *at = Some(rig.now_us - from);
            }
        }
    }
    assert_eq!(dropped, [Some(5_000_000), Some(7_000_000)]);
}

#[test]
fn a_coil_takes_the_configured_lease_and_both_views_agree() {
    let mut rig = Rig::new("room");
    rig.pass_ms(50);
    assert!(rig.ask(5, &[0, 1, 0xFF, 0]).expect("an answer").is_ok());
    assert_eq!(rig.read(3, map::outputs::OUTPUT, 4), Ok(vec![0, 0, 1, 60]));
    assert_eq!(rig.ask(1, &[0, 0, 0, 2]), Some(Ok(vec![1, 0b10])));
    assert!(rig.write(map::outputs::OUTPUT + 3, &[2]).is_ok(), "a lease alone prolongs or shortens what is");
    rig.pass_ms(2100);
    assert!(!rig.world.relay(1));
    assert_eq!(rig.write(map::outputs::OUTPUT, &[2, 5]), Err(3));
    assert_eq!(rig.write(map::outputs::OUTPUT, &[1, 3601]), Err(3));
    assert_eq!(rig.write(map::outputs::OUTPUT, &[1, 5, 1, 9999]), Err(3));
    assert!(!rig.world.relay(0), "a write that is refused switches nothing");
    assert_eq!(rig.write(map::outputs::OUTPUT + 4, &[1]), Err(2));
}

#[test]
fn a_watchdog_that_loses_its_clock_is_not_fed() {
    let mut rig = Rig::new("room");
    rig.pass_ms(100);
    let before = rig.world.feeds();
    for _ in 0..1000 {
        rig.node.poll(rig.now_us);
    }
    assert_eq!(rig.world.feeds(), before);
    rig.pass_ms(10);
    assert!(rig.world.feeds() > before);
}

#[test]
fn a_memory_that_died_is_said() {
    let mut rig = Rig::new("room");
    rig.pass_ms(50);
    let power: Power = rig.node.disk().power.clone();
    power.cut_at(0);
    rig.write(map::config::SAMPLE.address, &[500]).expect("the shadow");
    assert_eq!(rig.write(map::commit::COMMIT.address, &[COMMIT]), Err(4));
    let status = rig.input(map::identity::STATUS);
    assert_ne!(status & linli_wire::identity::status::STORAGE_FAILED, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Noise, half frames and frames of others, in any order: never an answer, and the next request
    /// after a silence is answered.
    #[test]
    fn the_line_recovers_from_anything(pieces in proptest::collection::vec(
        (proptest::collection::vec(any::<u8>(), 0..80), 0_u64..6000, 0_usize..3), 1..12)) {
        let mut rig = Rig::new("fridge");
        rig.pass_ms(20);
        let whole = framed(&[247, 4, 0, 0, 0, 1]);
        for (noise, pause_us, kind) in pieces {
            let bytes = match kind {
                0 => noise,
                1 => whole[..noise.len().min(7)].to_vec(),
                _ => framed(&[&[12], &noise[..]].concat()),
            };
            rig.put(&bytes);
            rig.pass(pause_us, 1000);
        }
        rig.pass_ms(6);
        prop_assert_eq!(rig.ask(4, &[0, 0, 0, 1]), Some(Ok(vec![2, 0x4C, 0x4C])));
        let crc = Counter::CrcErrors.address();
        prop_assert!(rig.read(4, crc, 2).is_ok());
    }
}
