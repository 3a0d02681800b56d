//! What lines do: late answers, closed connections, silence, echoes, other units.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_answer_after_its_time_out_is_not_the_next_requests() {
    for kind in EACH {
        for late in [320, 450, 590] {
            let other_end = act(move |request| match (request.start(), request.at.as_secs() % 3) {
                (100, 0) => vec![Step::Send(late, request.answer())],
                _ => vec![Step::Send(20, request.answer())],
            });
            let mut bench = Bench::run(kind, "", TWO, &[1], other_end);
            sleep(Duration::from_secs(60)).await;
            let heard = bench.heard();
            assert_true(&heard);
            assert!(good(&heard, "d1.second") > 30, "{} {late}: {heard:?}", kind.kind());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_two_time_outs_late_is_not_that_of_a_block_that_looks_the_same() {
    for kind in SERIAL {
        for late in [610, 700, 890] {
            // A device answers one request after the other.
            let other_end = act(move |request| {
                let is_slow = request.start() == 100 && request.at.as_secs().is_multiple_of(4);
                vec![Step::Send(if is_slow { late } else { 20 }, request.answer())]
            });
            let mut bench = Bench::run(kind, "", TWO, &[1], other_end);
            sleep(Duration::from_secs(60)).await;
            let heard = bench.heard();
            assert_true(&heard);
            assert!(good(&heard, "d1.second") > 40, "{} {late}: {heard:?}", kind.kind());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_after_a_silent_poll_is_read_back_and_not_doubted() {
    for kind in SERIAL {
        let (mut level, mut reads) = (5, 0);
        let other_end = act(move |request| match request.body[0] {
            6 => {
                level = request.count();
                vec![Step::Send(5, request.framed(1, &request.body[..5]))]
            }
            // The first poll is not answered.
            _ => {
                reads += 1;
                let answer = Step::Send(5, request.framed(1, &request.words(|_| level)));
                if reads == 1 { Vec::new() } else { vec![answer] }
            }
        });
        let bench = Bench::run(kind, "", LEVEL, &[1], other_end);
        sleep(Duration::from_millis(310)).await;
        let outcome = bench.command(0, Value::Integer(7)).await;
        assert_eq!(outcome, CommandOutcome::Done { read_back: Value::Integer(7) }, "{}", kind.kind());
    }
}

/// A point that can be written.
const LEVEL: &str = r#"
[[point]]
name = "level"
holding = 100
type = "u16"
unit = "1"
write = { min = 0, max = 9 }
[[test]]
holding = { 100 = "0005" }
expect = { level = 5 }
"#;

#[tokio::test(start_paused = true)]
async fn what_lies_in_the_buffer_before_a_request_is_not_its_answer() {
    for kind in SERIAL {
        // 300 ms after the last answer of each round, while nothing is asked, another one arrives.
        let other_end = act(|request| match request.start() {
            100 => vec![Step::Send(5, request.answer())],
            _ => {
                let stale = request.framed(1, &request.words(|_| 7));
                vec![Step::Send(5, request.answer()), Step::Send(300, stale)]
            }
        });
        let mut bench = Bench::run(kind, "", TWO, &[1], other_end);
        sleep(Duration::from_secs(60)).await;
        let heard = bench.heard();
        assert_true(&heard);
        assert!(good(&heard, "d1.first") > 50, "{}: {}", kind.kind(), good(&heard, "d1.first"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_earlier_answer_that_comes_twice_is_not_that_of_the_request_after_it() {
    for kind in SERIAL {
        // While the second block is asked, the answer to the first arrives once more, right before the right one.
        let mut before = Vec::new();
        let other_end = act(move |request| {
            let again = std::mem::replace(&mut before, request.answer());
            match request.start() {
                200 => vec![Step::Send(40, again), Step::Send(1, request.answer())],
                _ => vec![Step::Send(20, request.answer())],
            }
        });
        let mut bench = Bench::run(kind, "", TWO, &[1], other_end);
        sleep(Duration::from_secs(60)).await;
        let heard = bench.heard();
        assert_true(&heard);
        assert!(good(&heard, "d1.second") > 50, "{}: {heard:?}", kind.kind());
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_idle_connections_is_no_fault() {
    for (kind, in_flight) in [(&TCP, false), (&TCP, true), (&RTU_OVER_TCP, false), (&RTU_OVER_TCP, true)] {
        // Closed a little later, or when the next request arrives.
        let mut answered = 0;
        let other_end = act(move |request| {
            answered += 1;
            match (answered % 4, in_flight) {
                (0, false) => vec![Step::Send(5, request.answer()), Step::Close(100)],
                (0, true) => vec![Step::Close(0)],
                _ => vec![Step::Send(5, request.answer())],
            }
        });
        let mut bench = Bench::run(kind, "", TWO, &[1], other_end);
        sleep(Duration::from_secs(60)).await;
        let (heard, events) = (bench.heard(), bench.events());
        assert_true(&heard);
        assert_eq!(bad(&heard, "d1.first"), Vec::<String>::new(), "{in_flight}");
        assert!(good(&heard, "d1.first") >= 59, "{in_flight}: {}", good(&heard, "d1.first"));
        assert!(!was_down(&events), "{events:?}");
        assert_eq!(events.iter().filter(|event| event.device.is_some()).count(), 1, "{events:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_after_every_answer_is_read_at_the_full_rate() {
    for more in ["", "close_after_answer = true"] {
        for kind in [&TCP, &RTU_OVER_TCP] {
            let other_end = act(|request| vec![Step::Send(5, request.answer()), Step::Close(0)]);
            let mut bench = Bench::run(kind, more, TWO, &[1, 2], other_end);
            sleep(Duration::from_secs(60)).await;
            let (heard, events) = (bench.heard(), bench.events());
            assert!(
                good(&heard, "d2.second") >= 59 && bad(&heard, "d2.second").is_empty(),
                "{more}: {heard:?}"
            );
            assert!(!was_down(&events), "{events:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_on_a_closed_connection_is_sent_once_and_read_back() {
    let writes = |bench: &Bench| bench.seen().iter().filter(|request| request.body[0] == 5).count();
    // It was executed, and the connection closed instead of an answer.
    let executed = relay(|_, is_on| {
        *is_on = true;
        vec![Step::Close(0)]
    });
    let mut bench = Bench::run(&TCP, "", SWITCH, &[1], executed);
    sleep(Duration::from_millis(1500)).await;
    let outcome = bench.command(0, Value::Bool(true)).await;
    assert_eq!((outcome, writes(&bench)), (CommandOutcome::Done { read_back: Value::Bool(true) }, 1));
    assert!(!was_down(&bench.events()));
    // It was not: the device says so, and nothing is written a second time.
    let lost = relay(|_, _| vec![Step::Close(0)]);
    let bench = Bench::run(&TCP, "", SWITCH, &[1], lost);
    sleep(Duration::from_millis(1500)).await;
    let outcome = bench.command(0, Value::Bool(true)).await;
    assert!(matches!(outcome, CommandOutcome::Failed { .. }), "{outcome:?}");
    assert_eq!(writes(&bench), 1);
    // The connection had been closed before: nothing of it can have arrived.
    let idle = act(|request| match request.body[0] {
        5 => vec![Step::Send(5, request.answer())],
        _ => vec![Step::Send(5, request.framed(1, &[1, 1, 1])), Step::Close(100)],
    });
    let bench = Bench::run(&TCP, "", SWITCH, &[1], idle);
    sleep(Duration::from_millis(1500)).await;
    let outcome = bench.command(0, Value::Bool(true)).await;
    assert_eq!((outcome, writes(&bench)), (CommandOutcome::Done { read_back: Value::Bool(true) }, 1));
}

#[tokio::test(start_paused = true)]
async fn a_silent_block_turns_its_own_points_bad_and_is_named() {
    for kind in EACH {
        let other_end = act(|request| match (request.start(), request.at.as_secs()) {
            (200, 10..40) => Vec::new(),
            _ => vec![Step::Send(5, request.answer())],
        });
        let mut bench = Bench::run(kind, "", TWO, &[1], other_end);
        sleep(Duration::from_millis(9_900)).await;
        bench.heard();
        sleep(Duration::from_secs(2)).await;
        assert_eq!(bad(&bench.heard(), "d1.second")[0], "bad:silent", "with the first missed poll");
        sleep(Duration::from_secs(28)).await;
        let (heard, events) = (bench.heard(), bench.events());
        assert!(good(&heard, "d1.first") >= 26, "{}: {}", kind.kind(), good(&heard, "d1.first"));
        assert_eq!(good(&heard, "d1.second"), 0);
        let named = details(&events).into_iter().filter(|detail| detail.contains("holding 200 (second)"));
        assert_eq!(named.count(), 1, "once: {events:?}");
        assert!(events.iter().all(|event| event.state == DeviceState::Online), "{events:?}");
        let asked = bench.seen().iter().filter(|r| r.start() == 200 && r.at.as_secs() >= 10).count();
        assert!(asked < 10, "asked less often: {asked}");
        sleep(Duration::from_secs(61)).await;
        assert!(good(&bench.heard(), "d1.second") > 0, "and heard again");
        assert!(details(&bench.events()).iter().any(|detail| detail.ends_with("again")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_does_not_reach_a_unit_speaks_only_for_itself() {
    for code in [0x0A, 0x0B] {
        let other_end = act(move |request| match request.unit {
            1 => vec![Step::Send(200, request.refused(code))],
            _ => vec![Step::Send(5, request.answer())],
        });
        let mut bench = Bench::run(&TCP, "", TWO, &[1, 2], other_end);
        sleep(Duration::from_secs(120)).await;
        let (heard, events) = (bench.heard(), bench.events());
        let offline = events.iter().find(|event| event.state != DeviceState::Online).expect("d1 is offline");
        assert_eq!(offline.device.as_ref().map(Id::as_str), Some("d1"));
        assert!(offline.detail.contains("gateway"), "{offline:?}");
        assert_eq!(good(&heard, "d1.first"), 0);
        assert!(good(&heard, "d2.first") >= 118, "{}", good(&heard, "d2.first"));
        assert_eq!(bench.health.opens.load(Ordering::Relaxed), 1, "the gateway itself is alive");
        let asked = bench.seen().iter().filter(|request| request.unit == 1).count();
        assert!(asked < 40, "its breaker is open: {asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_impossible_length_costs_a_frame_and_not_the_connection() {
    let mut turn = 0;
    let other_end = act(move |request| {
        turn += 1;
        let mut frame = if turn % 4 == 0 { request.refused(4) } else { request.answer() };
        match turn % 4 {
            // An exception that calls itself longer than it is, with and without the byte.
            0 => {
                frame[5] = 4;
                if turn % 8 == 0 {
                    frame.push(0);
                }
            }
            1 => frame[5] = 200,
            2 => (frame[4], frame[5]) = (9, 9),
            _ => {}
        }
        vec![Step::Send(5, frame)]
    });
    let mut bench = Bench::run(&TCP, "", TWO, &[1], other_end);
    sleep(Duration::from_secs(60)).await;
    let (heard, events) = (bench.heard(), bench.events());
    assert_true(&heard);
    assert!(good(&heard, "d1.first") + good(&heard, "d1.second") >= 25, "{heard:?}");
    assert!(bad(&heard, "d1.second").contains(&"bad:refused".to_owned()), "{heard:?}");
    assert!(!was_down(&events));
    assert_eq!(bench.health.opens.load(Ordering::Relaxed), 1, "{events:?}");
}

#[test]
fn unit_0_is_for_tcp() {
    assert!(checked(&TCP, "", TWO, &[0, 255]).is_ok());
    for kind in SERIAL {
        let problems = checked(kind, "", TWO, &[0]).err().unwrap();
        assert!(problems[0].contains("broadcast"), "{problems:?}");
        assert!(checked(kind, "", TWO, &[255]).is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn another_unit_id_is_named_and_may_be_accepted() {
    let ever_one =
        || act(|request| vec![Step::Send(5, request.framed(1, &request.words(|address| address)))]);
    let mut bench = Bench::run(&TCP, "", TWO, &[17], ever_one());
    sleep(Duration::from_secs(20)).await;
    let (heard, events) = (bench.heard(), bench.events());
    assert_eq!(good(&heard, "d17.first"), 0);
    assert!(events.iter().any(|event| event.detail.contains("unit 1 answers")), "{events:?}");
    let accept = "unit_mismatch = \"accept\"";
    let mut bench = Bench::run(&TCP, accept, TWO, &[17], ever_one());
    sleep(Duration::from_secs(20)).await;
    assert!(good(&bench.heard(), "d17.first") >= 19);
    let problems = checked(&TCP, accept, TWO, &[1, 2]).err().unwrap();
    assert!(problems[0].starts_with("unit_mismatch"), "{problems:?}");
}

#[tokio::test(start_paused = true)]
async fn an_echo_is_never_an_answer() {
    let coils = r#"
[[point]]
name = "coil"
coil = 0x0300
repeat = 24
write = {}
[[test]]
coil = { 0x0300 = "1" }
expect = { coil-1 = true }
"#;
    for kind in SERIAL {
        for more in ["", "echo = true"] {
            // Nobody but the adapter.
            let mut bench =
                Bench::run(kind, more, coils, &[1], act(|r| vec![Step::Send(3, r.frame.clone())]));
            sleep(Duration::from_secs(120)).await;
            let (heard, events) = (bench.heard(), bench.events());
            assert_eq!(good(&heard, "d1.coil-1"), 0, "made of the echo alone");
            assert!(events.iter().any(|event| event.state != DeviceState::Online), "{events:?}");
            assert!(bench.health.echoes.load(Ordering::Relaxed) > 2);
            // The adapter and a device: read and written.
            let mut is_on = false;
            let device = act(move |request| {
                let answer = match request.body[0] {
                    5 => {
                        is_on = request.body[3] == 0xFF;
                        request.answer()
                    }
                    _ if request.count() == 1 => request.framed(1, &[1, 1, u8::from(is_on)]),
                    _ => request.framed(1, &[1, 3, u8::from(is_on), 0, 0x80]),
                };
                vec![Step::Send(3, request.frame.clone()), Step::Send(9, answer)]
            });
            let mut bench = Bench::run(kind, more, coils, &[1], device);
            sleep(Duration::from_secs(10)).await;
            let heard = bench.heard();
            assert!(good(&heard, "d1.coil-24") >= 9, "{} {more}: {heard:?}", kind.kind());
            assert!(heard["d1.coil-24"].iter().all(|row| row.2 == Some(Value::Bool(true))));
            assert!(heard["d1.coil-1"].iter().all(|row| row.2 == Some(Value::Bool(false))));
            let outcome = bench.command(0, Value::Bool(true)).await;
            assert_eq!(outcome, CommandOutcome::Done { read_back: Value::Bool(true) });
        }
    }
}
