//! What devices say: gaps in their registers, busy devices, scales, status bits, time.

use super::*;

const HOLED: &str = r#"
[[point]]
name = "value"
holding = 100
repeat = 12
type = "u16"
unit = "1"
[[test]]
holding = { 100 = "0064" }
expect = { value-1 = 100 }
"#;

#[tokio::test(start_paused = true)]
async fn an_illegal_address_costs_its_own_point_only() {
    for hole in [100_u16, 105, 111] {
        let other_end = act(move |request| {
            let is_in = (request.start()..request.start() + request.count()).contains(&hole);
            vec![Step::Send(5, if is_in { request.refused(2) } else { request.answer() })]
        });
        let mut bench = Bench::run(&RTU, "", HOLED, &[1], other_end);
        sleep(Duration::from_secs(20)).await;
        let (heard, events) = (bench.heard(), bench.events());
        for address in 100..112_u16 {
            let point = format!("d1.value-{}", address - 99);
            if address == hole {
                assert_eq!(good(&heard, &point), 0);
                assert!(bad(&heard, &point).iter().all(|quality| quality == "bad:refused"), "{point}");
            } else {
                assert!(good(&heard, &point) >= 18, "{point}: {:?}", heard.get(&point));
            }
        }
        let details = details(&events);
        assert_eq!(details.len(), 2, "once each: {details:?}");
        assert!(details[0].contains("holding 100 to 111") && details[0].contains("[limits]"), "{details:?}");
        assert!(details[1].contains(&format!("holding {hole} ")), "{details:?}");
    }
    // A hole between two points: nothing is lost.
    let gap = TWO.replace("holding = 200", "holding = 105");
    let other_end = act(|request| {
        let answer = request.framed(1, &request.words(|address| if address == 105 { 200 } else { address }));
        vec![Step::Send(5, if request.count() > 1 { request.refused(2) } else { answer })]
    });
    let mut bench = Bench::run(&RTU, "", &gap, &[1], other_end);
    assert_eq!(bench.plan.devices[0].blocks.len(), 1);
    sleep(Duration::from_secs(20)).await;
    let heard = bench.heard();
    assert_true(&heard);
    assert!(good(&heard, "d1.first") >= 18 && good(&heard, "d1.second") >= 18, "{heard:?}");
}

#[test]
fn keys_that_do_nothing_are_refused_and_bytes_of_texts_have_an_order() {
    let problems = |point: &str| {
        let text = profile(&format!("{point}\n{}", TWO.split("[[point]]").last().map_or("", |_| "")));
        problems_of("acme/t1.toml", &text).join("; ")
    };
    let text = |order: &str, words: &str| {
        problems(&format!(
            "[[point]]\nname = \"t\"\nholding = 1\ntype = \"text\"\nregisters = 2\norder = \"{order}\"\n[[test]]\nholding = {{ 1 = \"{words}\" }}\nexpect = {{ t = \"ABCD\" }}"
        ))
    };
    assert_eq!(text("abcd", "4142 4344"), "");
    assert_eq!(text("badc", "4241 4443"), "");
    assert!(text("dcba", "4443 4241").contains("order is of no use"));
    let point = |rows: &str, none: &str| {
        problems(&format!(
            "[[point]]\nname = \"t\"\n{rows}\n[[test]]\nholding = {{ 1 = \"0005 0000\" }}\ninput = {{ 1 = \"0005\" }}\ncoil = {{ 1 = \"1\" }}\n{none}"
        ))
    };
    let five = "expect = { t = 5 }";
    let u16 = "holding = 1\ntype = \"u16\"\nunit = \"1\"";
    assert_eq!(point(u16, five), "");
    assert!(point(&format!("{u16}\nnone = [0xFFFFFFFF]"), five).contains("0xFFFFFFFF"));
    assert_eq!(point(&format!("{u16}\nnone = [0xFFFF]"), five), "");
    assert_eq!(point(&format!("{u16}\nnone = 0xFFFF"), five), "", "one need be no list");
    assert!(point(&format!("{u16}\nnone = -1"), five).contains("does not hold it"));
    let i16 = u16.replace("u16", "i16");
    for none in ["-1", "[-32768, 0x7FFF]"] {
        assert_eq!(point(&format!("{i16}\nnone = {none}"), five), "", "{none}");
    }
    assert!(point(&format!("{i16}\nnone = -32769"), five).contains("does not hold it"));
    assert!(point(&format!("{u16}\nbit = 3"), five).contains("bit is of no use"));
    assert!(point("coil = 1\norder = \"dcba\"", "expect = { t = true }").contains("order is of no use"));
    assert!(point("coil = 1\ncounter = true", "expect = { t = true }").contains("counter is of no use"));
}

#[test]
fn numbers_of_manuals_are_suspected() {
    let numbered = TWO.replace("holding = 100", "holding = 40101").replace("100 = ", "40101 = ");
    let line = checked(&TCP, "", &numbered, &[1, 2]).unwrap();
    let warnings = line.warnings();
    assert_eq!(warnings.len(), 1, "once for the profile: {warnings:?}");
    assert!(warnings[0].contains("40101") && warnings[0].contains("address 100"), "{warnings:?}");
    assert_eq!(checked(&TCP, "", TWO, &[1]).unwrap().warnings(), Vec::<String>::new());
    for (number, says) in [("400101", "holding = 100"), ("300001", "input = 0"), ("70000", "0 to 65535")] {
        let text = profile(&TWO.replacen("holding = 100", &format!("holding = {number}"), 1));
        let problems = problems_of("acme/t1.toml", &text).join("; ");
        assert!(problems.contains(says), "{number}: {problems}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_device_is_asked_once_more_and_then_not_known() {
    let mut asked = 0;
    let other_end = act(move |request| {
        asked += 1;
        let is_busy = (10..11).contains(&asked) || (20..22).contains(&asked);
        vec![Step::Send(5, if is_busy { request.refused(6) } else { request.answer() })]
    });
    let mut bench = Bench::run(&RTU, "", TWO, &[1], other_end);
    sleep(Duration::from_secs(20)).await;
    let heard = bench.heard();
    let rows: Vec<String> = ["d1.first", "d1.second"].iter().flat_map(|point| bad(&heard, point)).collect();
    assert_eq!(rows, ["uncertain:busy"], "{heard:?}");
    assert!(heard.values().flatten().all(|(_, quality, value)| (quality == "good") == value.is_some()));
    // A command is refused only when the device is busy twice.
    let busy = relay(|request, _| vec![Step::Send(5, request.refused(6))]);
    let bench = Bench::run(&RTU, "", SWITCH, &[1], busy);
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(
        bench.command(0, Value::Bool(true)).await,
        CommandOutcome::Done { read_back: Value::Bool(true) }
    );
}

const METER: &str = r#"
[[point]]
name = "energy"
holding = 100
type = "u32"
unit = "kW.h"
counter = true
[[point]]
name = "power"
holding = 102
type = "i16"
unit = "W"
scale_point = "power_scale"
range = [-1e6, 1e6]
[[point]]
name = "power_scale"
holding = 110
type = "i16"
unit = "1"
none = [0x8000]
[[point]]
name = "status"
holding = 111
type = "u16"
unit = "1"
[[point]]
name = "alarm"
holding = 111
type = "bit"
bit = 3
[[test]]
holding = { 102 = "0929", 110 = "FFFF", 111 = "0009" }
expect = { power = 234.5, status = 9, alarm = true }
[[test]]
holding = { 102 = "0929", 110 = "8000", 111 = "0001" }
expect = { status = 1, alarm = false }
nothing = ["power", "power_scale"]
[[test]]
holding = { 102 = "0929", 110 = "0005" }
nothing = ["power"]
"#;

#[tokio::test(start_paused = true)]
async fn a_meter_scales_by_a_register_has_status_bits_and_wakes_up_at_0() {
    let mut asked = 0_u16;
    let other_end = act(move |request| {
        asked += 1;
        let energy = if asked == 5 { 0 } else { 1000 + asked };
        let held = move |address| match address {
            101 => energy,
            102 => 2345,
            110 => {
                if asked == 7 {
                    0x8000
                } else {
                    u16::MAX
                }
            }
            111 => 8,
            _ => 0,
        };
        vec![Step::Send(5, request.framed(1, &request.words(held)))]
    });
    let mut bench = Bench::run(&TCP, "", METER, &[1], other_end);
    assert_eq!(bench.plan.devices[0].blocks.len(), 1, "value and scale are read in one request");
    sleep(Duration::from_secs(10)).await;
    let heard = bench.heard();
    assert_eq!(bad(&heard, "d1.energy"), ["uncertain:doubtful"]);
    assert!(good(&heard, "d1.energy") >= 8);
    assert_eq!(heard["d1.energy"][4].2, Some(Value::Integer(0)), "shown, not good");
    assert_eq!(bad(&heard, "d1.power"), ["bad:no_value"]);
    assert!(heard["d1.power"].iter().all(|row| row.1 != "good" || row.2 == Some(Value::Float(234.5))));
    assert!(heard["d1.status"].iter().all(|row| row.2 == Some(Value::Integer(8))));
    assert!(heard["d1.alarm"].iter().all(|row| row.2 == Some(Value::Bool(true))));
    let far = METER.replace("holding = 110", "holding = 300").replace("110 = ", "300 = ");
    let problems = problems_of("acme/t1.toml", &profile(&far)).join("; ");
    assert!(problems.contains("farther away"), "{problems}");
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_sample_lies_between_request_and_answer() {
    for kind in EACH {
        let other_end = act(|request| vec![Step::Send(200, request.answer())]);
        let mut bench = Bench::run(kind, "", TWO, &[1], other_end);
        sleep(Duration::from_secs(10)).await;
        let asked: Vec<Request> = bench.seen();
        let heard = bench.heard();
        let rows = heard.values().flatten().filter(|(_, quality, _)| quality == "good");
        for (at, ..) in rows {
            let asked = asked
                .iter()
                .rev()
                .map(|r| i64::try_from(r.at.as_millis()).unwrap())
                .find(|asked| asked <= at);
            let since = at - asked.expect("asked before");
            assert!((90..=110).contains(&since), "{} ms after the request, of 200", since);
        }
    }
}
