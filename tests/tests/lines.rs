//! Modbus lines under any schedule of faults: no sample lies, and what lives is heard again.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use linli_drivers::modbus::plan::ModbusPlan;
use linli_tests::simulator::{Fault, Framing, Planned, Schedule, Trial, plan, profiles};

/// Schedules over all media, about a minute on two cores; `LINLI_SCHEDULES` asks for more, `LINLI_SEED` for one.
const SCHEDULES: u64 = 1_500;

/// Runs one seed; a failure says how to see it again.
fn holds(plans: &[(Framing, Arc<ModbusPlan>)], seed: u64) -> Result<(), String> {
    let (framing, plan) = &plans[usize::try_from(seed).unwrap() % plans.len()];
    let schedule = Schedule::of(*framing, seed);
    let Err(violation) = Trial::run(&schedule, plan) else { return Ok(()) };
    let smaller = schedule.shrunk(|schedule| Trial::run(schedule, plan).is_err());
    let why = Trial::run(&smaller, plan).err().unwrap_or(violation).0;
    Err(format!("LINLI_SEED={seed}: {why}\n{smaller:?}"))
}

#[test]
fn no_good_sample_lies_under_any_schedule_of_faults() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
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
