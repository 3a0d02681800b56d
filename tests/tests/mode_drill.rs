//! A drill from its order to its report, and the report of a real switch, from the record alone.

use linli_tests::room::{BACK, Centre, ENTER, Room, room, step, succeed};
use linli_tests::switching::{PATIENCE, act, alarm, at, confirms, enters, until};
use linli_tests::{Broker, Gateway, Operators, Subscriber, Workspace, eventually, python, tool};
use serde_json::{Value, json};

#[tokio::test]
async fn a_drill_from_start_to_report() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let centre = Centre::new(Some(broker.port)).await?;
    let mut place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    // The real keys give no drill, and the drill's keys nothing real.
    let (plan, back) = (centre.plan(ENTER), centre.plan(BACK));
    let keys = |a: &str, b: &str| [centre.key(a), centre.key(b)];
    let real = keys("chen", "deng");
    let sent = gateway.verb(&["drill", "start", &plan, "--key", &real[0], "--key", &real[1]]).await?;
    assert!(!sent.status.success(), "a drill by the keys of the real thing");
    let drill = keys("drill-chen", "drill-deng");
    // Each signer compares the code of the order as the account of their own.
    gateway.log_in(&["drill-chen", "drill-deng"])?;
    let password = gateway.password_file()?;
    let signed = ["--key", &drill[0], "--key", &drill[1]];
    let signed = [&signed[..], &["--password-file", &password, "--password-file", &password]].concat();
    let sent = gateway.verb(&[&["drill", "start", &plan][..], &signed].concat()).await?;
    let reported = String::from_utf8_lossy(&[sent.stdout, sent.stderr].concat()).into_owned();
    assert!(sent.status.success() && reported.contains("linli mode commit reading-room"), "{reported}");
    let order = room(&gateway)?["order"].as_str().unwrap_or_default().to_owned();
    let (status, reported) = act(&gateway, "commit", &json!({"person": "zhao"}))?;
    assert_eq!(status, 200, "{reported}");
    let asked = |room: &Value| room["steps"][0]["prompt"].as_str().unwrap_or_default().to_owned();
    let prompt = asked(&room(&gateway)?);
    assert!(prompt.starts_with("【演练】") && prompt.ends_with("【演练】"), "{prompt}");
    assert_eq!(
        alarm(&gateway, "specimen-fridge.warm")?["state"],
        "suppressed",
        "nothing is watched in a drill"
    );
    // Somebody really does it, somebody only says how it would be done.
    confirms(&gateway, "notice", &["qian"]).await?;
    place.set("occupied 0").await?;
    confirms(&gateway, "sweep", &["qian", "sun"]).await?;
    until(&gateway, "layout is asked", |room| step(room, "layout") == "asked").await?;
    let (status, reported) = act(&gateway, "simulate", &json!({"person": "qian", "step": "layout"}))?;
    assert_eq!(status, 200, "{reported}");
    let operators = Operators { resumes: false, retries: false };
    let shown = operators.work(&gateway, &mut place, &["ready", "degraded"], PATIENCE).await?;
    assert_eq!(
        (&shown["verified"], step(&shown, "layout").as_str()),
        (&json!(false), "simulated"),
        "{shown:#}"
    );
    assert_eq!(place.written("coil", 0), [0_i64; 0], "the lamps were not touched");
    let by = ["--login", "zhao", "--owner", "qian", "--by", "2026-12-31"];
    let found = [&["drill", "finding", &order][..], &by, &["卫生间听不清广播"]].concat();
    let sent = gateway.verb(&found).await?;
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let sent = gateway.verb(&[&["drill", "end", &back][..], &signed].concat()).await?;
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let (status, reported) = act(&gateway, "commit", &json!({"person": "zhao"}))?;
    assert_eq!(status, 200, "{reported}");
    operators.work(&gateway, &mut place, &["peace"], PATIENCE).await?;
    at(&gateway, "peace").await?;
    says_so(&subscriber).await?;
    let record = centre.record(&gateway).await?;
    // Who acted is who logged in.
    let text = std::fs::read_to_string(&record)?;
    assert!(
        text.contains(r#""account":"qian","login":"password","screen":"local_socket","person":"qian"}"#),
        "{text}"
    );
    gateway.stop().await?;
    is_reported(&centre, &order, &record).await
}

/// Every message about a drill to the district says that it is one.
async fn says_so(subscriber: &Subscriber) -> anyhow::Result<()> {
    let texts = || -> Vec<Value> {
        let all = subscriber.received().unwrap_or_default().into_iter();
        all.filter(|message| message.topic.ends_with("event/mode")).map(|message| message.payload).collect()
    };
    eventually("the district hears", PATIENCE, || {
        texts().iter().any(|reported| reported["stage"] == "peace")
    })
    .await?;
    for reported in texts().iter().filter(|reported| reported["kind"] == "room") {
        let text = reported["text"].as_str().unwrap_or_default();
        assert!(
            reported["class"] == "Exercise" && text.starts_with("【演练】") && text.ends_with("【演练】"),
            "{reported}"
        );
        assert_eq!(reported["verified"], false);
    }
    Ok(())
}

/// The report is made from the record alone, by anybody.
async fn is_reported(centre: &Centre, order: &str, record: &str) -> anyhow::Result<()> {
    let report = succeed(&["drill", "report", order, "--record", record]).await?;
    for words in [
        "【演练】",
        "verified ready",
        "卫生间听不清广播",
        "模拟 simulated",
        "uv-dose",
        "2026-12-31",
        "qian 模拟完成",
        "| qian | qian | password | local socket | 已核实 verified |",
    ] {
        assert!(report.contains(words), "{words}: {report}");
    }
    assert!(!report.contains("qian（未核实）"), "{report}");
    let row = |id: &str| -> Vec<String> {
        let line = report.lines().find(|line| line.starts_with(&format!("| {id} |"))).unwrap_or_default();
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let (sweep, layout) = (row("sweep"), row("layout"));
    assert!(!sweep[4].is_empty() && sweep[5].is_empty(), "really done: {sweep:?}");
    assert!(layout[4].is_empty() && !layout[5].is_empty(), "simulated stands apart: {layout:?}");
    let pdf = centre.workspace.path("drill.pdf").to_string_lossy().into_owned();
    succeed(&["drill", "report", order, "--record", record, "--format", "pdf", "-o", &pdf]).await?;
    let command = tool("pdftotext", "poppler-utils")?;
    let text = tokio::process::Command::new(command).args(["-layout", &pdf, "-"]).output().await?;
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    for words in ["演练不构成就绪证明", "卫生间听不清广播", "uv-dose"] {
        assert!(text.contains(words), "{words} is not in the document:\n{text}");
    }
    let wrong = linli_tests::linli(&["mode", "report", order, "--record", record]).await?;
    assert!(!wrong.status.success(), "a drill is no switch");
    Ok(())
}

/// Published heads are signed by the gateway: our verifier and an independent one agree.
async fn signed(
    gateway: &Gateway,
    subscriber: &Subscriber,
    workspace: &Workspace,
    record: &str,
) -> anyhow::Result<()> {
    let reported = gateway.verb(&["mode", "audit", "key"]).await?;
    let key = String::from_utf8(reported.stdout)?.trim().to_owned();
    let all = subscriber.received()?;
    let born = all.iter().rfind(|message| message.topic.ends_with("/status"));
    assert_eq!(born.map(|born| &born.payload["record_key"]), Some(&json!(key)));
    let notes = all.iter().filter(|message| message.topic.ends_with("event/mode"));
    let notes: Vec<_> =
        notes.filter_map(|message| message.payload["record"]["checkpoint"].as_str()).collect();
    assert!(notes.len() > 5, "{} checkpoints", notes.len());
    let lines = std::fs::read_to_string(record)?.lines().count();
    let within =
        |note: &&&str| note.lines().nth(1).and_then(|n| n.parse().ok()).is_some_and(|n: usize| n <= lines);
    let note = notes.iter().rfind(within).copied().unwrap_or_default();
    let file = workspace.path("checkpoint");
    let file_text = file.to_string_lossy().into_owned();
    let verify = ["mode", "audit", "verify", record, "--checkpoint", &file_text, "--key", &key];
    for (note, is_theirs) in [(note.to_owned(), true), (note.replacen('\n', "\n1", 1), false)] {
        std::fs::write(&file, &note)?;
        let reported = linli_tests::linli(&verify).await?;
        assert_eq!(
            reported.status.success(),
            is_theirs,
            "{note}{}",
            String::from_utf8_lossy(&reported.stderr)
        );
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/checkpoint.py");
        let reported = std::process::Command::new(python()?).args([script, &key, &file_text]).output()?;
        assert_eq!(
            reported.status.success(),
            is_theirs,
            "{note}{}",
            String::from_utf8_lossy(&reported.stderr)
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_real_switch_is_reported_with_its_times_holds_and_heads() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let mut centre = Centre::new(Some(broker.port)).await?;
    let mut place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    enters(&gateway, &mut centre, &mut place).await?;
    let (status, _) = act(&gateway, "stop", &Value::Null)?;
    assert_eq!(status, 200);
    let (status, reported) = act(&gateway, "resume", &json!({"person": "qian", "why": "x"}))?;
    assert_eq!(status, 409, "{reported}");
    let (status, reported) = act(&gateway, "resume", &json!({"person": "zhao", "why": "误报已核"}))?;
    assert_eq!(status, 200, "{reported}");
    let (status, reported) = act(&gateway, "simulate", &json!({"person": "qian", "step": "notice"}))?;
    assert!(
        status == 409 && reported["detail"].as_str().is_some_and(|d| d.contains("outside a drill")),
        "{reported}"
    );
    let record = centre.record(&gateway).await?;
    let report = succeed(&["mode", "report", "--record", &record]).await?;
    for words in ["【实战 ACTUAL】", "误报已核", "停止 stop", "已证实 verified independent", "resume qian"]
    {
        assert!(report.contains(words), "{words}: {report}");
    }
    assert!(!report.contains("【演练】"));
    // Every head that the district was told lies on the record; another one does not.
    let heads = || -> Vec<String> {
        let all = subscriber.received().unwrap_or_default().into_iter();
        let heads = all.filter(|message| message.topic.ends_with("event/mode"));
        heads
            .map(|message| message.payload["record"].clone())
            .filter_map(|head| Some(format!("{}:{}", head["count"].as_u64()?, head["root"].as_str()?)))
            .collect()
    };
    eventually("heads are told", PATIENCE, || heads().len() > 5).await?;
    let lines = std::fs::read_to_string(&record)?.lines().count();
    let heads: Vec<String> = heads()
        .into_iter()
        .filter(|head| {
            head.split(':').next().and_then(|n| n.parse::<usize>().ok()).is_some_and(|n| n <= lines)
        })
        .collect();
    let args: Vec<&str> = heads.iter().flat_map(|head| ["--head", head.as_str()]).collect();
    let reported = succeed(&[&["mode", "audit", "verify", &record][..], &args].concat()).await?;
    assert!(reported.contains("heads"), "{reported}");
    let wrong = format!("{}:{}", 3, "00".repeat(32));
    let args = ["mode", "audit", "verify", &record, "--head", &heads[0], "--head", &wrong];
    let reported = linli_tests::linli(&args).await?;
    assert!(!reported.status.success(), "a head that was never told");
    signed(&gateway, &subscriber, &workspace, &record).await?;
    let short = report.split("head ").nth(1).and_then(|rest| rest.get(..8)).unwrap_or_default().to_owned();
    assert!(short.len() == 8 && short.bytes().all(|b| b.is_ascii_hexdigit()), "{short}");
    gateway.stop().await
}
