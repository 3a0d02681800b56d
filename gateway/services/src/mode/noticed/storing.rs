//! A disk that hangs: what is executed, answered and set aside while something is being stored.

use linli_domain::{Batch, Value};
use linli_mode::order::Kind;
use linli_mode::{Cause, Class, Fire, Phase, StepState};
use linli_uplink::InboundOrder;
use serde_json::{Value as Json, json};
use tokio::sync::{mpsc, oneshot};

use super::{Bench, LAMPS, batch_of, does};
use crate::error::ServiceError;
use crate::mode::actuator::{Done, Task};
use crate::mode::deferred_queue::DeferredQueue;
use crate::mode::order_tests::{order, signed};
use crate::mode::request::{Asked, Operation};

type Answer = oneshot::Receiver<Result<Json, ServiceError>>;

fn stop(bench: &mut Bench) -> Answer {
    let (sender, queue) = mpsc::channel(8);
    let (reply, answer) = oneshot::channel();
    let what = does("sun", Operation::Stop);
    sender.try_send(Asked { caller: linli_domain::caller::Caller::local("lin"), what, reply }).unwrap();
    bench.engine.deps.asked = queue;
    answer
}

fn panel(is_alarm: bool) -> Batch {
    batch_of("reading-mode", &[("fire_alarm", Value::Bool(is_alarm))])
}

fn report(bench: &mut Bench, batches: impl IntoIterator<Item = Batch>) {
    let (sender, queue) = mpsc::channel(8);
    batches.into_iter().for_each(|batch| sender.try_send(batch).unwrap());
    bench.engine.batches = DeferredQueue::new(queue);
}

/// The results of the commands that make the moved outputs safe.
fn results(bench: &mut Bench, why: Option<&str>) {
    let (sender, queue) = mpsc::channel(8);
    for output in bench.state().run.as_ref().unwrap().moved.clone() {
        let (room, serial) = (bench.room, bench.room().serial);
        let task = Task { room, serial, act: None, safe: Some(output), touches: Vec::new() };
        let done = Done { task, is_done: why.is_none(), why: why.map(str::to_owned) };
        sender.try_send(done).unwrap();
    }
    bench.engine.done = DeferredQueue::new(queue);
}

fn lamps_are_off(bench: &mut Bench) -> bool {
    bench.commands().iter().any(|sent| sent.is_first && sent.point == LAMPS && sent.value == false)
}

/// The disk answers once the stop is answered.
async fn hang_until(bench: &mut Bench, answer: Answer) -> Json {
    let (release, released) = oneshot::channel();
    let hears = async {
        let answer = answer.await.unwrap().unwrap();
        release.send(()).unwrap();
        answer
    };
    tokio::time::pause();
    let (_, answer) = tokio::join!(bench.engine.while_storing(released), hears);
    tokio::time::resume();
    answer
}

#[tokio::test]
async fn a_stop_is_answered_while_the_disk_hangs_with_what_became_of_each_output() {
    for (why, state) in [(None, "made_safe"), (Some("no answer"), "not_written")] {
        let mut bench = Bench::lit().await;
        let answer = stop(&mut bench);
        results(&mut bench, why);
        let shown = hang_until(&mut bench, answer).await;
        assert!(lamps_are_off(&mut bench));
        assert_eq!(shown["stop"]["recorded"], false, "{shown}");
        assert_eq!(shown["stop"]["is_safe"], why.is_none());
        let did = shown["stop"]["outputs"].as_array().unwrap();
        assert!(!did.is_empty());
        assert!(did.iter().all(|did| did["state"] == state), "{did:?}");
        assert!(shown["stop"]["text"].as_str().unwrap().contains("not on record yet"));
        // It is decided and stored in its turn.
        let asked = bench.engine.waiting.pop_front().unwrap();
        bench.engine.serve(asked).await;
        bench.expect(Phase::Held);
        assert_eq!(bench.entries().await.pop().unwrap(), ("stop".to_owned(), "held".to_owned()));
        assert!(bench.engine.done.has_deferred(), "results are handled after it");
    }
}

#[tokio::test]
async fn commands_without_a_result_are_told_as_such() {
    let mut bench = Bench::lit().await;
    let answer = stop(&mut bench);
    let shown = hang_until(&mut bench, answer).await;
    assert_eq!(shown["stop"]["outputs"][0]["state"], "asked", "{shown}");
    assert_eq!(shown["stop"]["is_safe"], false);
}

#[tokio::test]
async fn a_stop_that_is_stored_says_nothing_of_the_disk() {
    let mut bench = Bench::lit().await;
    let (reply, mut answer) = oneshot::channel();
    let outputs = bench.state().run.as_ref().unwrap().moved.clone();
    let what = does("sun", Operation::Stop);
    bench.engine.serve(Asked { caller: linli_domain::caller::Caller::local("lin"), what, reply }).await;
    assert!(answer.try_recv().is_err(), "the commands are under way");
    for output in outputs {
        let (room, serial) = (bench.room, bench.room().serial);
        let task = Task { room, serial, act: None, safe: Some(output), touches: Vec::new() };
        bench.finish(Done { task, is_done: true, why: None }, Vec::new()).await;
    }
    bench.engine.answer_stops();
    let shown = answer.try_recv().unwrap().unwrap();
    assert_eq!((&shown["stop"]["recorded"], &shown["stop"]["is_safe"]), (&Json::Null, &json!(true)));
}

#[tokio::test]
async fn a_fire_makes_safe_while_the_disk_hangs() {
    let mut bench = Bench::lit().await;
    report(&mut bench, [panel(true), panel(true)]);
    // Something else is stored meanwhile.
    bench.learns_something().await;
    let (release, released) = oneshot::channel::<()>();
    let is_off = async {
        while bench.first.is_empty() {
            tokio::task::yield_now().await;
        }
        release.send(()).unwrap();
    };
    let (_, ()) = tokio::join!(bench.engine.while_storing(released), is_off);
    let sent = bench.commands();
    let off = sent.iter().filter(|sent| sent.is_first && sent.point == LAMPS && sent.value == false);
    assert_eq!(off.count(), 1, "once, however often it is reported");
    assert!(bench.room().leases.is_empty());
    assert!(bench.engine.burning.contains(&bench.room));
    // It is decided in its turn; nothing begins before.
    let own = bench.ended("uv-dose", true);
    bench.finish(own, Vec::new()).await;
    assert!(bench.room().leases.is_empty());
    let first = bench.engine.batches.next_waiting().unwrap();
    bench.engine.read_batches(first).await;
    bench.expect(Phase::Held);
    assert_eq!(bench.state().fire, Fire::Alarm);
    assert!(bench.state().run.as_ref().unwrap().causes.contains(&Cause::Fire));
    assert!(bench.engine.burning.is_empty(), "what follows may act again");
}

/// What is stored first after a start is the restart itself: until then the room's state is as it was stored.
#[tokio::test]
async fn a_fire_and_a_stop_make_safe_while_the_restart_is_stored() {
    for is_fire in [true, false] {
        let mut bench = Bench::lit().await;
        let (again, [usual, first], _) = super::engine(&bench.site).await;
        (bench.engine, bench.usual, bench.first) = (again, usual, first);
        if is_fire {
            report(&mut bench, [panel(true)]);
        } else {
            drop(stop(&mut bench));
        }
        bench.engine.begin().await;
        assert!(lamps_are_off(&mut bench), "fire {is_fire}");
    }
}

/// An order to stop that arrives while the disk hangs makes safe at once, once, and is decided in its turn; one that
/// would not be accepted does nothing.
#[tokio::test]
async fn an_order_to_stop_makes_safe_while_the_disk_hangs() {
    let mut bench = Bench::lit().await;
    let stop = order(&bench.engine, 2, Kind::Stop, Class::Actual, &[]);
    let inbound = |people| InboundOrder { payload: signed(&stop, people).bytes(), retained: false };
    for (order, is_good) in [(inbound(0), false), (inbound(1), true)] {
        let (sender, queue) = mpsc::channel(8);
        sender.try_send(order.clone()).unwrap();
        sender.try_send(order.clone()).unwrap();
        bench.engine.stop_orders = DeferredQueue::new(queue);
        let (release, released) = oneshot::channel::<()>();
        let is_taken = async {
            while sender.capacity() < sender.max_capacity() {
                tokio::task::yield_now().await;
            }
            release.send(()).unwrap();
        };
        let (_, ()) = tokio::join!(bench.engine.while_storing(released), is_taken);
        assert_eq!(lamps_are_off(&mut bench), is_good);
        assert_eq!(bench.engine.stopped.contains(&bench.room), is_good);
        let first = bench.engine.stop_orders.next_waiting().unwrap();
        assert_eq!(first, order);
        assert!(bench.engine.stop_orders.next_waiting().is_none(), "the same order waits once");
        bench.engine.receive_order(&first).await;
        assert!(bench.engine.stopped.is_empty());
    }
    bench.expect(Phase::Held);
    assert!(bench.state().run.as_ref().unwrap().causes.contains(&Cause::Stop));
    assert_eq!(bench.entries().await.pop().unwrap(), ("stop".to_owned(), "held".to_owned()));
}

#[tokio::test]
async fn readings_without_an_alarm_only_wait() {
    let mut bench = Bench::lit().await;
    report(&mut bench, [panel(false)]);
    bench.learns_something().await;
    assert!(!lamps_are_off(&mut bench));
    assert!(bench.engine.burning.is_empty() && bench.engine.batches.next_waiting().is_some());
    assert!(matches!(bench.of("uv-dose"), StepState::Running | StepState::Sent(_)));
}
