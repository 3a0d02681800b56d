//! Power cuts at every write of a commit, trials that end either way, the stored bytes.

use linli_wire::config::Baud;
use linli_wire::kind::KINDS;

use super::*;
use crate::copies::{InEeprom, InNor};
use crate::sim::{Eeprom, Flash, Power};

fn factory() -> Config {
    Config::factory(&KINDS[0])
}

struct Bench<C> {
    copies: C,
    power: Power,
    memory: Retained,
}

fn eeprom() -> Bench<InEeprom<Eeprom>> {
    let power = Power::default();
    Bench { copies: InEeprom::new(Eeprom::new(1024, power.clone()), 0), power, memory: Retained::new() }
}

fn nor() -> Bench<InNor<Flash<8, 2048>>> {
    let power = Power::default();
    Bench { copies: InNor::new(Flash::new(2, power.clone()), 0), power, memory: Retained::new() }
}

impl<C: Copies> Bench<C> {
    fn load(&mut self) -> Settings {
        Settings::load(factory(), &mut self.copies, &mut self.memory)
    }

    fn command(&mut self, settings: &mut Settings, command: u16, now: Ms) -> Result<Changed, Refusal> {
        settings.command(command, now, &mut self.copies, &mut self.memory)
    }

    /// Changes the sample period and commits.
    fn set_sample(&mut self, settings: &mut Settings, sample_ms: u16) -> Result<Changed, Refusal> {
        settings.write_shadow(5, &[sample_ms]);
        self.command(settings, COMMIT, 0)
    }
}

/// Three commits, each cut at every change of the memory: afterwards the old or the new one is
/// there, whole; and the next commit works.
fn survives_every_cut<C: Copies>(fresh: impl Fn() -> Bench<C>) {
    for before in 0..3_u16 {
        for cut in 0.. {
            let mut bench = fresh();
            let mut settings = bench.load();
            for n in 0..before {
                bench.set_sample(&mut settings, 1001 + n).expect("power is on");
            }
            let old = settings.active().sample_ms;
            bench.power.cut_at(cut);
            let committed = bench.set_sample(&mut settings, 2000);
            let was_cut = bench.power.is_off();
            bench.power.restore();
            let mut after = bench.load();
            let now = after.active().sample_ms;
            assert!(now == 2000 || now == old, "{now} after cut {cut} behind {before} commits");
            // What was answered as done stays done; where nothing was ever stored, the factory's holds.
            assert!(committed.is_err() || now == 2000, "cut {cut} behind {before}: a commit was lost");
            bench.set_sample(&mut after, 3000).expect("power is on");
            assert_eq!(bench.load().active().sample_ms, 3000);
            assert_eq!(bench.load().found(), Found::Both, "both copies are whole again");
            if !was_cut {
                assert!(cut > 1, "the walk went through the commit");
                break;
            }
        }
    }
}

#[test]
fn a_power_cut_at_any_write_leaves_a_whole_configuration_in_an_eeprom() {
    survives_every_cut(eeprom);
}

#[test]
fn a_power_cut_at_any_write_or_erase_leaves_a_whole_configuration_in_flash() {
    survives_every_cut(nor);
}

#[test]
fn a_copy_that_aged_is_repaired_from_the_other() {
    for copy in 0..2 {
        for byte in 0..CHECKED + 4 {
            let power = Power::default();
            let memory = Eeprom::new(1024, power.clone());
            let copies = InEeprom::new(memory.clone(), 0);
            let mut bench = Bench { copies, power, memory: Retained::new() };
            let mut settings = bench.load();
            bench.set_sample(&mut settings, 4321).expect("it works");
            memory.damage(copy * 256 + byte);
            let settings = bench.load();
            assert_eq!((settings.active().sample_ms, settings.found()), (4321, Found::One), "{copy}/{byte}");
            assert_eq!(bench.load().found(), Found::Both);
            assert_eq!(bench.memory.counter(Counter::ConfigRepairs), 1);
        }
    }
}

#[test]
fn generations_may_start_over() {
    let mut bench = eeprom();
    let old = Config { sample_ms: 700, ..factory() };
    let new = Config { sample_ms: 800, ..factory() };
    write(&mut bench.copies, 0, u32::MAX, &old).expect("it works");
    write(&mut bench.copies, 1, 0, &new).expect("it works");
    assert_eq!(bench.load().active().sample_ms, 800);
}

#[test]
fn new_line_settings_fall_back_exactly_when_nobody_confirms() {
    let mut bench = eeprom();
    let mut settings = bench.load();
    settings.write_shadow(0, &[17, Baud::B115200.code()]);
    assert_eq!(bench.command(&mut settings, COMMIT, 1000), Ok(Changed::Active));
    assert_eq!((settings.active().unit, settings.active().baud), (17, Baud::B115200));
    assert_eq!(settings.commit_words(1000)[..3], [CommitState::Trial.code(), 0, 30]);
    assert_eq!(bench.command(&mut settings, COMMIT, 1000), Err(Refusal::TrialRuns));
    assert!(!settings.tick(30_999, &mut bench.memory));
    assert!(settings.tick(31_000, &mut bench.memory));
    assert_eq!((settings.active().unit, settings.active().baud), (247, Baud::B9600));
    assert_eq!(settings.commit_words(31_000)[0], CommitState::FellBack.code());
    assert_eq!(bench.load().active().unit, 247, "nothing of a trial is stored");
    assert_eq!(bench.command(&mut settings, CONFIRM, 31_000), Err(Refusal::NoTrial));
}

#[test]
fn confirmed_line_settings_stay() {
    let mut bench = eeprom();
    let mut settings = bench.load();
    settings.write_shadow(0, &[17]);
    bench.command(&mut settings, COMMIT, 0).expect("allowed");
    assert_eq!(bench.load().active().unit, 247, "a power cut in a trial goes back");
    bench.command(&mut settings, CONFIRM, 29_999).expect("in time");
    assert!(!settings.tick(30_000, &mut bench.memory));
    assert_eq!(bench.load().active().unit, 17);
}

#[test]
fn what_breaks_a_rule_changes_nothing_and_says_why() {
    let mut bench = eeprom();
    let mut settings = bench.load();
    let before = *settings.active();
    settings.write_shadow(5, &[1]);
    assert_eq!(bench.command(&mut settings, COMMIT, 0), Err(Refusal::Sample));
    let said = [CommitState::Refused.code(), Refusal::Sample.code()];
    assert_eq!(settings.commit_words(0)[..2], said);
    assert_eq!(*settings.active(), before);
    assert_eq!(bench.command(&mut settings, 0x1234, 0), Err(Refusal::Command));
    bench.command(&mut settings, DISCARD, 0).expect("allowed");
    assert_eq!(settings.shadow(), &before.encode());
    assert!(!settings.write_shadow(39, &[0, 0]), "nothing lies behind the shadow");
}

#[test]
fn a_serial_number_is_given_once_and_survives_the_factory() {
    let mut bench = eeprom();
    let mut settings = bench.load();
    settings.write_shadow(12, &[0, 0, 0, 99]);
    settings.write_shadow(32, &[7]);
    bench.command(&mut settings, COMMIT, 0).expect("the first time");
    settings.write_shadow(12, &[0, 0, 0, 98]);
    assert_eq!(bench.command(&mut settings, COMMIT, 0), Err(Refusal::Serial));
    bench.command(&mut settings, FACTORY, 0).expect("allowed");
    bench.command(&mut settings, COMMIT, 0).expect("allowed");
    assert_eq!((settings.active().serial, settings.active().offsets[0]), (99, 7));
}

#[test]
fn a_memory_that_does_not_answer_is_said_and_the_factory_s_values_are_used() {
    let mut bench = eeprom();
    bench.power.cut_at(0);
    let _ = bench.copies.write(0, &[0; BYTES]);
    let mut settings = bench.load();
    assert_eq!((settings.found(), *settings.active()), (Found::Broken, factory()));
    assert_eq!(bench.set_sample(&mut settings, 500), Err(Refusal::Storage));
    assert_eq!(settings.active().sample_ms, 1000, "what is not stored is not used");
}

/// If this test fails, do not change the test: nodes in the field hold these bytes.
#[test]
fn the_stored_form_is_the_one_of_version_1() {
    let mut config = Config { unit: 12, serial: 0x0102_0304_0506_0708, ..factory() };
    config.set_name("冷柜").expect("it fits");
    config.offsets[1] = -25;
    let bytes = encode(7, &config);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        "4c43000100000007000c000300000000000103e8001e003c00000000001e0000
         0102030405060708e586b7e69f9c000000000000000000000000000000000000
         00000000000000000000ffe7000000000000000000000000dc31073affffffff"
            .replace(char::is_whitespace, "")
    );
    assert_eq!(decode(&bytes), Some((7, config)));
}
