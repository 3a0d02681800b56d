//! Modbus lines under any schedule of faults: no sample lies, and what lives is heard again.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use linli_drivers::modbus::plan::ModbusPlan;
use linli_tests::simulator::{Fault, Framing, Planned, Schedule, Trial, plan, profiles};

/// Schedules in virtual time over all framings, about a minute on two cores; `LINLI_SCHEDULES` asks for more,
/// `LINLI_SEED` for one.
const SCHEDULES: u64 = 10_000;

/// Schedules in real time over pseudo-terminals and sockets; `LINLI_REAL_SCHEDULES` asks for more.
const REAL_SCHEDULES: u64 = 300;

/// Schedules that run at once in real time.
const AT_ONCE: usize = 50;

/// Runs one seed; a failure says how to see it again, and the smallest schedule that fails as a test.
fn holds(plans: &[(Framing, Arc<ModbusPlan>)], seed: u64) -> Result<(), String> {
    let (framing, plan) = &plans[usize::try_from(seed).unwrap() % plans.len()];
    let schedule = Schedule::of(*framing, seed);
    let Err(violation) = Trial::run(&schedule, plan) else { return Ok(()) };
    let smaller = schedule.shrunk(|schedule| Trial::run(schedule, plan).is_err());
    let why = Trial::run(&smaller, plan).err().unwrap_or(violation).0;
    Err(format!("LINLI_SEED={seed}: {why}\n{}", smaller.as_test()))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn no_good_sample_lies_under_any_schedule_of_faults() {
    let profiles = profiles().unwrap();
    let plans = Framing::ALL.map(|framing| (framing, plan(framing, "", &profiles).unwrap()));
    if let Some(seed) = number("LINLI_SEED") {
        return assert_eq!(holds(&plans, seed), Ok(()));
    }
    let schedules = number("LINLI_SCHEDULES").unwrap_or(SCHEDULES);
    let (next, failures) = (AtomicU64::new(0), std::sync::Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= schedules || failures.lock().unwrap().len() >= 5 {
                        return;
                    }
                    if let Err(why) = holds(&plans, seed) {
                        failures.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_good_sample_lies_on_terminals_and_sockets() {
    let profiles = profiles().unwrap();
    let schedules = number("LINLI_REAL_SCHEDULES").unwrap_or(REAL_SCHEDULES);
    let mut seeds = 0..schedules;
    let mut running = tokio::task::JoinSet::new();
    let mut failures = Vec::new();
    loop {
        while running.len() < AT_ONCE
            && let Some(seed) = seeds.next()
        {
            let framing = Framing::ALL[usize::try_from(seed % 3).unwrap()];
            let (schedule, profiles) = (Schedule::of(framing, seed), profiles.clone());
            running.spawn(async move { (seed, Trial::run_real(&schedule, &profiles).await, schedule) });
        }
        let Some(ended) = running.join_next().await else { break };
        let (seed, outcome, schedule) = ended.unwrap();
        if let Err(violation) = outcome {
            failures.push(format!("seed {seed}: {}\n{}", violation.0, schedule.in_real_time().as_test()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn with_a_hundredth_of_each_fault_no_value_is_wrong_and_nine_tenths_arrive() {
    let profiles = profiles().unwrap();
    // Eight requests a second of the living devices, for an hour.
    let span = Duration::from_secs(3600);
    for framing in Framing::ALL {
        let schedule = Schedule::steady(framing, 7, 60_000, 10, 8);
        let rates = Trial::rates(&schedule, span, &profiles).expect("no wrong good value");
        println!("{framing:?}: {rates:?}");
        assert!(rates.faulty > 0.1, "the faults are on: {rates:?}");
        assert!(rates.good >= 0.9, "{framing:?}: {rates:?}");
    }
}

#[test]
fn a_failing_schedule_shrinks_to_a_test_that_can_be_pasted() {
    let schedule = Schedule::of(Framing::RtuOverTcp, 11);
    assert!(schedule.faults.len() > 1, "{schedule:?}");
    let last = *schedule.faults.last().unwrap();
    let smaller = schedule.shrunk(|tried| tried.faults.contains(&last));
    assert_eq!(smaller.faults, [last]);
    let faults = [(3, Fault::Delay(Duration::from_millis(120))), (4, Fault::WrongLength(-3))];
    let faults = faults.map(|(request, fault)| Planned { request, fault }).to_vec();
    let text = Schedule { framing: Framing::Rtu, faults }.as_test();
    let call = "carried_out(Framing::Rtu, &[(3, Fault::Delay(Duration::from_millis(120))), (4, Fault::WrongLength(-3))]);";
    assert!(text.contains(call), "{text}");
}

/// Carries out a schedule that a seed once found.
fn carried_out(framing: Framing, faults: &[(u32, Fault)]) {
    let faults = faults.iter().map(|(request, fault)| Planned { request: *request, fault: *fault }).collect();
    let plan = plan(framing, "", &profiles().unwrap()).unwrap();
    assert_eq!(Trial::run(&Schedule { framing, faults }, &plan), Ok(()));
}

#[test]
fn a_withheld_answer_before_a_damaged_one_is_not_taken_for_it() {
    carried_out(Framing::Rtu, &[(18, Fault::Merge), (19, Fault::WrongLength(-3))]);
}

#[test]
fn a_withheld_answer_before_one_of_another_unit_is_not_taken_for_it() {
    carried_out(Framing::Rtu, &[(13, Fault::Merge), (14, Fault::WrongUnit(222))]);
}

#[test]
fn an_answer_two_time_outs_late_is_not_good_for_another_block() {
    for framing in [Framing::Rtu, Framing::RtuOverTcp] {
        // The two blocks of equal length are the first requests of each round of eight.
        for late in [205, 230, 260, 290] {
            let late = Fault::Delay(Duration::from_millis(late));
            carried_out(framing, &[(8, late)]);
            carried_out(framing, &[(8, late), (9, late), (16, late), (24, Fault::Drop)]);
        }
    }
}

#[test]
fn a_request_that_waited_behind_a_slow_answer_has_its_own_time() {
    carried_out(Framing::Tcp, &[(13, Fault::Delay(Duration::from_millis(231)))]);
}

#[test]
fn one_zero_of_a_counter_is_no_reset() {
    for framing in Framing::ALL {
        // The counters are the third request of each round of four.
        carried_out(framing, &[(10, Fault::CounterReset), (18, Fault::CounterReset)]);
    }
}
