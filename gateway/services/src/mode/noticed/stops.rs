//! A stop: at once, whatever else is under way, and nothing is written on again afterwards.

use std::time::Duration;

use linli_mode::{Cause, Event, Phase, StepState, Truth};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::{Bench, LAMPS, does};
use crate::mode::request::{Asked, Operation};

const LATER: Duration = Duration::from_secs(3600);

/// Requests wait in the queue of the engine.
fn asks(bench: &mut Bench, operations: Vec<Operation>) -> mpsc::Sender<Asked> {
    let (asked, queue) = mpsc::channel(8);
    for operation in operations {
        let request = Asked {
            caller: linli_domain::caller::Caller::local("lin"),
            what: does("sun", operation),
            reply: oneshot::channel().0,
        };
        asked.try_send(request).unwrap();
    }
    bench.engine.deps.asked = queue;
    asked
}

#[tokio::test]
async fn lamps_are_written_on_until_a_stop_and_never_after() {
    let mut bench = Bench::lit().await;
    bench.engine.renew_leases(bench.room, Instant::now() + LATER);
    let renewed = bench.commands();
    assert_eq!((renewed.len(), renewed[0].is_first, renewed[0].point.as_str()), (1, false, LAMPS));
    assert_eq!(renewed[0].value, true);
    bench.act("sun", Operation::Stop).await.unwrap();
    assert!(renewed[0].taken_back.is_cancelled(), "a renewal that was not sent yet is withdrawn");
    let safe = bench.commands();
    assert!(safe.iter().all(|sent| sent.is_first));
    assert!(safe.iter().any(|sent| sent.point == LAMPS && sent.value == false));
    bench.engine.renew_leases(bench.room, Instant::now() + LATER * 2);
    assert!(bench.commands().is_empty(), "written on again");
    assert!(bench.room().leases.is_empty());
}

#[tokio::test]
async fn a_lease_is_renewed_three_times_before_it_would_run_out() {
    let mut bench = Bench::lit().await;
    let due = bench.room().due().unwrap();
    bench.engine.renew_leases(bench.room, due - Duration::from_millis(1));
    assert!(bench.commands().is_empty(), "before it is due");
    bench.engine.renew_leases(bench.room, due);
    let renewed = bench.commands();
    assert_eq!(renewed.len(), 1);
    // The plan's lease is 10 s.
    let next = bench.room().leases.values().next().unwrap().0;
    assert_eq!((next - due).as_millis(), 3333);
    bench.engine.renew_leases(bench.room, next);
    let again = bench.commands();
    assert_ne!(again[0].id, renewed[0].id, "each is a command of its own");
}

#[tokio::test]
async fn an_action_that_was_not_sent_is_withdrawn() {
    let mut bench = Bench::switched().await;
    let sent = bench.commands();
    let lamps = sent.iter().find(|sent| sent.point == LAMPS && sent.value == true).expect("lamps on");
    assert!(!lamps.is_first && !lamps.taken_back.is_cancelled());
    bench.act("sun", Operation::Stop).await.unwrap();
    assert!(lamps.taken_back.is_cancelled());
    bench.expect(Phase::Held);
}

#[tokio::test]
async fn a_stop_acts_while_something_else_is_being_stored() {
    let mut bench = Bench::lit().await;
    bench.engine.renew_leases(bench.room, Instant::now() + LATER);
    let renewed = bench.commands();
    let _asked = asks(&mut bench, vec![Operation::Stop]);
    bench.learns_something().await;
    // Not served yet, and done already.
    assert!(bench.engine.stopped.contains(&bench.room));
    assert!(renewed[0].taken_back.is_cancelled() && bench.room().leases.is_empty());
    let safe = bench.commands();
    assert!(safe.iter().any(|sent| sent.is_first && sent.point == LAMPS && sent.value == false));
    assert_eq!(bench.engine.waiting.len(), 1);
    let asked = bench.engine.waiting.pop_front().unwrap();
    bench.engine.serve(asked).await;
    bench.expect(Phase::Held);
    assert!(bench.state().run.as_ref().unwrap().causes.contains(&Cause::Stop));
    assert!(!bench.engine.stopped.contains(&bench.room), "what follows may act again");
}

#[tokio::test]
async fn nothing_is_begun_while_a_stop_waits() {
    let mut bench = Bench::switched().await;
    let _asked = asks(&mut bench, vec![Operation::Stop]);
    let own = bench.ended("uv-dose", true);
    bench.finish(own, Vec::new()).await;
    assert_eq!(*bench.of("uv-dose"), StepState::Sent(1));
    assert!(bench.room().leases.is_empty(), "no lease begins");

    let mut bench = Bench::open().await;
    let order = super::enter(&bench.engine);
    super::switch(&mut bench.engine, &order).await;
    bench.act("sun", Operation::Stop).await.unwrap();
    bench.act("zhao", Operation::Resume("it is over".to_owned())).await.unwrap();
    bench.commands();
    bench.act("qian", Operation::Confirm("notice".to_owned())).await.unwrap();
    bench.act("qian", Operation::Confirm("sweep".to_owned())).await.unwrap();
    for predicate in 0..bench.plan().predicates.len() {
        let is_danger =
            bench.plan().occupied.contains(&predicate) || bench.plan().opened.contains(&predicate);
        bench.tell(Event::Truth(predicate, (!is_danger).into())).await;
    }
    let _asked = asks(&mut bench, vec![Operation::Stop]);
    bench.act("sun", Operation::Confirm("sweep".to_owned())).await.unwrap();
    assert!(bench.commands().iter().all(|sent| sent.is_first), "lamps are not switched on any more");
}

#[tokio::test]
async fn other_requests_wait_their_turn() {
    let mut bench = Bench::lit().await;
    let _asked = asks(&mut bench, vec![Operation::Commit]);
    bench.learns_something().await;
    assert!(bench.engine.stopped.is_empty());
    assert_eq!(bench.engine.waiting.len(), 1);
    assert!(!bench.room().leases.is_empty());
}

#[tokio::test]
async fn a_fire_needs_nobody() {
    let mut bench = Bench::lit().await;
    bench.tell(Event::Fire(Truth::True)).await;
    bench.expect(Phase::Held);
    assert!(bench.commands().iter().any(|sent| sent.is_first && sent.point == LAMPS && sent.value == false));
    bench.engine.renew_leases(bench.room, Instant::now() + LATER);
    assert!(bench.commands().is_empty());
}
