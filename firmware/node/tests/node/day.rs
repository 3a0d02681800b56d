//! Twenty-four hours of an ordinary line: noise, wires that break and heal, a gateway that asks.

use fastrand::Rng;
use linli_wire::health::Counter;
use linli_wire::map;
use linli_wire::point::{Point, address};
use linli_wire::quality::Quality;

use crate::rig::{Rig, framed};

#[test]
fn a_day_of_noise_and_faults_loses_no_poll_for_longer_than_the_noise() {
    let mut rig = Rig::new("fridge");
    let mut random = Rng::with_seed(0x1234_5678_9ABC_DEF1);
    let (mut asked, mut spoiled, mut faults, mut broken_s) = (0, 0, 0, 0);
    rig.pass_ms(1500);
    while rig.now_us < 24 * 3_600_000_000 {
        match random.u8(..40) {
            // Noise on the idle line, up to a hundred bytes.
            0 => {
                let mut noise = vec![0; random.usize(..100)];
                random.fill(&mut noise);
                rig.put(&noise);
                rig.pass_ms(6);
            }
            // A request that is cut short or has a bit turned round.
            1 => {
                let mut frame = framed(&[rig.unit, 4, 0, 0x20, 0, 8]);
                let at = random.usize(..frame.len());
                if random.bool() {
                    frame.truncate(at.max(1));
                } else {
                    frame[at] ^= 1 << random.u8(..8);
                }
                rig.put(&frame);
                assert_eq!(rig.listen(), None, "a damaged frame is never answered");
                spoiled += 1;
            }
            2 => {
                let sensor = 0x48 + random.u8(..2);
                rig.world.set_temperature(sensor, None);
                rig.pass(10_000_000, 50_000);
                let index = u16::from(sensor - 0x48);
                let words = rig.read(4, address(index), 4).expect("a point");
                let point = Point::decode(words.try_into().expect("four")).expect("of this version");
                assert!(matches!(point.quality, Quality::Bad(_)) && point.value.is_none());
                rig.world.set_temperature(sensor, Some(400 + 100 * i32::from(index)));
                faults += 1;
                broken_s += 10;
                rig.pass(2_000_000, 50_000);
            }
            _ => {}
        }
        let words = rig.read(4, 0x20, 8).expect("the poll behind it is answered");
        for (index, words) in words.chunks_exact(4).enumerate() {
            let point = Point::decode(words.try_into().expect("four")).expect("of this version");
            assert_eq!(point.value, Some(400 + 100 * index as i32), "at {} s", rig.now_us / 1_000_000);
            assert_eq!(point.quality, Quality::Good);
        }
        asked += 1;
        rig.pass(5_000_000, 50_000);
    }
    assert!(asked > 14_000 && spoiled > 200 && faults > 200, "{asked} {spoiled} {faults}");
    let counters = rig.read(4, map::health::COUNTER, 48).expect("the counters");
    let of = |counter: Counter| {
        let at = 2 * usize::from(counter.code());
        u32::from(counters[at]) << 16 | u32::from(counters[at + 1])
    };
    assert_eq!(of(Counter::Exceptions), 0);
    assert!(of(Counter::CrcErrors) + of(Counter::Fragments) + of(Counter::OtherUnits) >= spoiled);
    assert!(
        of(Counter::SensorErrors) >= broken_s - faults && of(Counter::I2cNacks) == of(Counter::SensorErrors)
    );
    let uptime = rig.input(map::identity::UPTIME);
    assert!((86_399..86_430).contains(&uptime), "{uptime}");
}
