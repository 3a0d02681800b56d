//! Results of commands: of this run only, and proven by what is read after them.

use linli_mode::{Event, StepState, Truth};

use super::{Bench, LAMPS, OFF};
use crate::mode::actuator::{Done, Task};

#[tokio::test]
async fn results_of_an_earlier_run_change_nothing() {
    let mut bench = Bench::switched().await;
    let serial = bench.room().serial;
    assert!(serial > 0, "each run has a number");
    for is_done in [true, false] {
        let mut late = bench.ended("uv-dose", is_done);
        late.task.serial = serial - 1;
        bench.finish(late, Vec::new()).await;
        assert_eq!(*bench.of("uv-dose"), StepState::Intent(1));
    }
    let own = bench.ended("uv-dose", true);
    bench.finish(own, Vec::new()).await;
    assert_eq!(*bench.of("uv-dose"), StepState::Sent(1));
}

#[tokio::test]
async fn a_failed_command_fails_its_step() {
    let mut bench = Bench::switched().await;
    let failed = bench.ended("uv-dose", false);
    bench.finish(failed, Vec::new()).await;
    assert_eq!(*bench.of("uv-dose"), StepState::Stuck);
}

#[tokio::test]
async fn several_results_of_one_room_are_all_applied() {
    let mut bench = Bench::switched().await;
    let serial = bench.room().serial;
    let touches = vec![bench.predicate("reading-uv.power == off")];
    let task = Task { room: bench.room, serial, act: None, safe: Some(0), touches };
    let safe = Done { task, is_done: true, why: None };
    let own = bench.ended("uv-dose", true);
    bench.finish(safe, vec![own]).await;
    assert_eq!(*bench.of("uv-dose"), StepState::Sent(1));
}

#[tokio::test]
async fn what_is_read_during_an_action_proves_nothing() {
    let mut bench = Bench::switched().await;
    bench.reads(&[&[]]).await;
    assert_eq!(bench.truth("reading-uv.irradiance == on"), Truth::Unknown);
    let own = bench.ended("uv-dose", true);
    bench.finish(own, Vec::new()).await;
    bench.engine.evaluate(None).await;
    assert_eq!(*bench.of("uv-dose"), StepState::Sent(1), "it was read before the command ended");
    bench.reads(&[&[]]).await;
    assert_eq!(*bench.of("uv-dose"), StepState::Running);
}

#[tokio::test]
async fn an_output_is_safe_once_it_is_read_after_its_command() {
    let mut bench = Bench::lit().await;
    bench.tell(Event::Stop { by: "sun".to_owned() }).await;
    let is_unproven = |bench: &Bench| !bench.state().run.as_ref().unwrap().unproven.is_empty();
    bench.reads(&[&[(LAMPS, OFF)]]).await;
    assert!(is_unproven(&bench), "its command is under way");
    let safe = bench
        .plan()
        .safe
        .iter()
        .position(|safe| safe.proof == Some(bench.predicate("reading-uv.power == off")));
    let touches = bench.plan().safe[safe.unwrap()].touches.clone();
    let task = Task { room: bench.room, serial: bench.room().serial, act: None, safe, touches };
    let ended = Done { task, is_done: true, why: None };
    bench.finish(ended, Vec::new()).await;
    bench.engine.evaluate(None).await;
    assert!(is_unproven(&bench), "it was read before the command ended");
    bench.reads(&[&[(LAMPS, OFF)]]).await;
    assert!(!is_unproven(&bench));
}

#[tokio::test]
async fn the_end_of_the_lamps_is_written_first_and_withdrawn_by_nothing() {
    let mut bench = Bench::lit().await;
    let step = bench.step("uv-dose");
    bench.tell(Event::Elapsed(linli_mode::Timer::Dwell(step))).await;
    bench.read("reading-uv.irradiance == on", Truth::True).await;
    assert_eq!(*bench.of("uv-dose"), StepState::Ending);
    let sent = bench.commands();
    assert_eq!((sent.len(), sent[0].is_first, sent[0].point.as_str()), (1, true, LAMPS));
    assert_eq!(sent[0].value, false);
    assert!(bench.room().leases.is_empty());
    bench.tell(Event::Stop { by: "sun".to_owned() }).await;
    assert!(!sent[0].taken_back.is_cancelled());
}

#[tokio::test]
async fn a_new_order_ends_the_leases_of_the_run_before() {
    let mut bench = Bench::lit().await;
    let serial = bench.room().serial;
    let back = bench.engine.setup.plan("reading-room.from-sampling@1").unwrap().clone();
    let order = linli_mode::OrderRef {
        id: "0197f0c2-9".to_owned(),
        class: linli_mode::Class::Actual,
        direction: linli_mode::Direction::Return,
        plan: back.resolved.plan.key(),
    };
    let decision = bench.engine.decide(bench.room, Some(&back), Event::Order(order), None, None).unwrap();
    bench.engine.commit(vec![decision.unwrap()], Vec::new(), Vec::new(), Vec::new()).await.unwrap();
    assert!(bench.room().leases.is_empty());
    assert_eq!(bench.room().serial, serial + 1);
}
