//! The health cabin: independent senders, damaged streams, power cuts.

use std::time::Duration;

use linli_tests::devices::STORE;
use linli_tests::{Broker, Cable, Gateway, Hl7Monitor, Received, Subscriber, Workspace, eventually};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

fn oximeter(port: &std::path::Path) -> String {
    format!(
        "[[line]]\nid = \"finger\"\nkind = \"serial\"\nport = \"{}\"\n\n\
         [[device]]\nid = \"oximeter-1\"\nline = \"finger\"\nprofile = \"contec/cms50d-plus\"\nclass = \"vital\"\n\n",
        port.display()
    )
}

/// A message of vital signs. The name in it must not appear anywhere afterwards.
fn message(control: &str, systolic: &str) -> String {
    format!(
        "MSH|^~\\&|CABIN|SITE01|GW|SITE01|20261123093000+0800||ORU^R01^ORU_R01|{control}|P|2.6|||||||UNICODE UTF-8\r\
         PID|||11010519491231002X^^^GW^PI||王^小明||19491231|M|||||13812345678\r\
         OBR|1|||85353-1^Vital signs^LN\r\
         OBX|1|NM|8480-6^Systolic^LN||{systolic}|||||F\r\
         OBX|2|NM|8462-4^Diastolic^LN||88|mm[Hg]^^UCUM|||||F\r\
         OBX|3|NM|59408-5^SpO2^LN||97|%^^UCUM|||||F\r"
    )
}

fn vitals(subscriber: &Subscriber, device: &str) -> Vec<Received> {
    let topic = format!("/vital/{device}");
    let received = subscriber.received().unwrap_or_default();
    received.into_iter().filter(|message| message.topic.ends_with(&topic)).collect()
}

fn value(message: &Received, quantity: &str) -> Option<f64> {
    let all = message.payload["observations"].as_array()?;
    all.iter().find(|observation| observation["quantity"] == quantity)?["value"].as_f64()
}

#[tokio::test]
async fn an_independent_hl7_client_is_answered_and_nothing_is_stored_twice() -> anyhow::Result<()> {
    let stage = Workspace::new()?;
    let broker = Broker::start(&stage).await?;
    let subscriber = broker.subscribe(&stage).await?;
    let monitor = Hl7Monitor::new()?;
    let config = stage.configure(broker.port, STORE, &monitor.device(None))?;
    let mut gateway = Gateway::start(&config, &stage.path("data")).await?;
    gateway.answering().await?;
    monitor.listening().await?;
    let good = message("C1-1", "138|mm[Hg]^^UCUM");
    let messages = [
        good.clone(),
        good.clone(),
        message("C1-2", "138|Cel^^UCUM"),
        message("C1-3", "1380|mm[Hg]^^UCUM"),
        message("C1-4", "18.9|kPa^^UCUM"),
        good.replace("ORU^R01^ORU_R01", "ADT^A01").replace("C1-1", "C1-5"),
        good.replace("C1-1", "C1-6").replace("|||||F\rOBX|2", "|||||F|||20991123093000+0800\rOBX|2"),
    ];
    let answers = monitor.send(&messages).await?;
    let codes: Vec<&str> = answers.iter().filter_map(|answer| answer["code"].as_str()).collect();
    assert_eq!(codes, ["AA", "AA", "AA", "AA", "AA", "AR", "AA"], "{answers:?}");
    assert_eq!(answers[0]["control"], "C1-1");
    let reason = |nth: usize| answers[nth]["reason"].as_str().unwrap_or_default();
    assert!(reason(2).contains("mm[Hg]"), "{answers:?}");
    assert!(reason(3).contains("cannot be"), "{answers:?}");
    assert!(reason(6).contains("belongs to no visit"), "{answers:?}");
    eventually("all measurements", Duration::from_secs(60), || vitals(&subscriber, "monitor-1").len() >= 5)
        .await?;
    let is_delivered = |status: &Value| {
        let waiting = status["store"]["rows"].as_array();
        waiting.is_some_and(|rows| rows.iter().all(|rows| *rows == 0))
    };
    gateway.until("nothing waits for delivery", Duration::from_secs(60), is_delivered).await?;
    gateway.stop().await?;
    subscriber.settled().await?;
    let reported = vitals(&subscriber, "monitor-1");
    assert_eq!(reported.len(), 5, "reported twice, stored once");
    assert_eq!(
        (value(&reported[0], "systolic"), value(&reported[0], "oxygen_saturation")),
        (Some(138.0), Some(97.0))
    );
    for (nth, what) in [(1, "a wrong unit"), (2, "an impossible value")] {
        let values = (value(&reported[nth], "systolic"), value(&reported[nth], "diastolic"));
        assert_eq!(values, (None, Some(88.0)), "{what} costs none beside it");
    }
    assert!(value(&reported[3], "systolic").is_some_and(|systolic| (systolic - 141.8).abs() < 0.1));
    let doubts = &reported[4].payload["observations"][0]["caveats"];
    assert!(doubts.to_string().contains("time_unclear"), "{doubts}");
    assert_eq!(reported[0].payload["assessment"][0]["flag"], "high_normal");
    assert_eq!(reported[0].payload["news2"]["known"], 2, "{}", reported[0].payload["news2"]);
    nobody_is_named(&stage, &gateway_log(&config))?;
    Ok(())
}

#[tokio::test]
async fn a_message_id_that_is_used_again_with_other_content_loses_nothing() -> anyhow::Result<()> {
    let stage = Workspace::new()?;
    let broker = Broker::start(&stage).await?;
    let subscriber = broker.subscribe(&stage).await?;
    let monitor = Hl7Monitor::new()?;
    let config = stage.configure(broker.port, STORE, &monitor.device(None))?;
    let mut gateway = Gateway::start(&config, &stage.path("data")).await?;
    gateway.answering().await?;
    monitor.listening().await?;
    let (first, other) = (message("C1-1", "138|mm[Hg]^^UCUM"), message("C1-1", "201|mm[Hg]^^UCUM"));
    let longest = message(&"7".repeat(199), "120|mm[Hg]^^UCUM");
    let too_long = message(&"7".repeat(200), "121|mm[Hg]^^UCUM");
    let huge = message(&"7".repeat(900_000), "122|mm[Hg]^^UCUM");
    let messages = [first.clone(), other.clone(), first, other, longest, too_long, huge];
    let answers = monitor.send(&messages).await?;
    let codes: Vec<&str> = answers.iter().filter_map(|answer| answer["code"].as_str()).collect();
    assert_eq!(codes, ["AA", "AA", "AA", "AA", "AA", "AE", "AE"], "{answers:?}");
    assert!(
        answers[1]["reason"].as_str().is_some_and(|reason| reason.contains("used before")),
        "{answers:?}"
    );
    assert!(answers[6]["reason"].as_str().is_some_and(|reason| reason.contains("MSH-10")), "{answers:?}");
    eventually("all three", Duration::from_secs(60), || vitals(&subscriber, "monitor-1").len() >= 3).await?;
    gateway.stop().await?;
    subscriber.settled().await?;
    let reported = vitals(&subscriber, "monitor-1");
    let systolic: Vec<Option<f64>> = reported.iter().map(|message| value(message, "systolic")).collect();
    assert_eq!(systolic, [Some(138.0), Some(201.0), Some(120.0)], "each once");
    let reused: Vec<bool> = reported.iter().map(|message| message.payload["key_reused"] == true).collect();
    assert_eq!(reused, [false, true, false]);
    let log = std::fs::read_to_string(gateway_log(&config))?;
    assert_eq!(log.matches("a message is refused").count(), 1, "logged once until one is taken: {log}");
    Ok(())
}

#[tokio::test]
async fn a_message_about_two_patients_is_split_or_held_and_never_mixed() -> anyhow::Result<()> {
    let stage = Workspace::new()?;
    let broker = Broker::start(&stage).await?;
    let monitor = Hl7Monitor::new()?;
    let config = stage.configure(broker.port, STORE, &monitor.device(Some("cabin")))?;
    let facility = std::fs::read_to_string(config.join("facility.toml"))?;
    let room = "\n[[room]]\nid = \"cabin\"\nname = \"健康小屋\"\n";
    std::fs::write(config.join("facility.toml"), facility + room)?;
    let mut gateway = Gateway::start(&config, &stage.path("data")).await?;
    gateway.answering().await?;
    monitor.listening().await?;
    let body = serde_json::json!({"by": "worker", "code": "A1", "room": "cabin"});
    let (status, visit) = gateway.ask("POST", "/api/v1/visits", &body)?;
    assert_eq!(status, 201, "{visit}");
    let person = |id: &str| format!("PID|||{id}^^^GW^PI\r");
    let pulse = |value: u8| {
        format!("OBR|1|||85353-1^Vital signs^LN\rOBX|1|NM|8867-4^HR^LN||{value}|/min^^UCUM|||||F\r")
    };
    let header = |control: &str| format!("MSH|^~\\&|CABIN|S|GW|S|||ORU^R01^ORU_R01|{control}|P|2.6\r");
    let split = header("T1") + &person("A1") + &pulse(61) + &person("B9") + &pulse(99);
    let unclear = header("T2") + &person("A1") + &person("B9") + &pulse(62) + &pulse(98);
    let answers = monitor.send(&[split, unclear]).await?;
    assert_eq!((&answers[0]["code"], &answers[1]["code"]), (&"AA".into(), &"AE".into()), "{answers:?}");
    assert!(answers[1]["reason"].as_str().is_some_and(|reason| reason.contains("one PID")), "{answers:?}");
    let id = visit["id"].as_str().unwrap_or_default();
    let (_, shown) = gateway.ask("GET", &format!("/api/v1/visits/{id}"), &Value::Null)?;
    let values = |list: &Value| -> Vec<f64> {
        let all = list.as_array().into_iter().flatten();
        all.filter_map(|m| m["measurement"]["readings"][0]["value"].as_f64()).collect()
    };
    assert_eq!(values(&shown["measurements"]), [61.0]);
    let (_, waiting) = gateway.ask("GET", "/api/v1/measurements/unassigned", &Value::Null)?;
    assert_eq!(values(&waiting), [99.0, 62.0, 98.0], "held for a person");
    gateway.stop().await
}

/// 4 MiB hold some hundred measurements. What does not fit is answered as not taken, and seen in `/readyz`
/// and the metrics; the rest of the gateway works.
#[tokio::test]
async fn a_store_full_of_measurements_refuses_them_with_words() -> anyhow::Result<()> {
    let stage = Workspace::new()?;
    let broker = Broker::start(&stage).await?;
    let monitor = Hl7Monitor::new()?;
    let store = format!("{STORE}\nmax_bytes = \"4MiB\"");
    let config = stage.configure(broker.port, &store, &monitor.device(None))?;
    let mut gateway = Gateway::start(&config, &stage.path("data")).await?;
    gateway.answering().await?;
    monitor.listening().await?;
    let messages: Vec<String> =
        (0..1500).map(|nth| message(&format!("C{nth:0198}"), "138|mm[Hg]^^UCUM")).collect();
    let mut answers = Vec::new();
    for some in messages.chunks(250) {
        answers.extend(monitor.send(some).await?);
    }
    let taken = answers.iter().take_while(|answer| answer["code"] == "AA").count();
    assert!((200..1500).contains(&taken), "{taken} taken");
    let refused = &answers[taken];
    assert_eq!(refused["code"], "AR", "{refused}");
    let words = refused["reason"].as_str().unwrap_or_default();
    assert!(words.contains("no room for the kind \"measurement\""), "{words}");
    assert!(answers[taken..].iter().all(|answer| answer["code"] == "AR"), "refused, not lost");
    let (status, _) = gateway.ask("GET", "/readyz", &Value::Null)?;
    assert_eq!(status, 503);
    let says_so = |status: &Value| {
        let findings = status["findings"].to_string();
        status["ready"] == false && findings.contains("these kinds are refused: measurement")
    };
    gateway.until("it says what is refused", Duration::from_secs(60), says_so).await?;
    let metrics = gateway.get("/metrics")?;
    assert!(metrics.contains("linli_store_full{kind=\"measurement\"} 1"), "{metrics}");
    assert!(metrics.contains("linli_store_full{kind=\"visit\"} 0"), "{metrics}");
    gateway.stop().await?;
    Ok(())
}

fn gateway_log(config: &std::path::Path) -> std::path::PathBuf {
    config.with_extension("log")
}

/// Neither database nor log nor what was published names the person.
fn nobody_is_named(workspace: &Workspace, log: &std::path::Path) -> anyhow::Result<()> {
    let mut files = vec![log.to_owned(), workspace.path("received.tsv")];
    files.extend(std::fs::read_dir(workspace.path("data"))?.flatten().map(|entry| entry.path()));
    for file in files.iter().filter(|file| file.is_file()) {
        let bytes = std::fs::read(file)?;
        for word in ["小明", "11010519491231002X", "13812345678"] {
            let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
            anyhow::ensure!(!found, "{word} stands in {}", file.display());
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_right_after() -> anyhow::Result<()> {
    let stage = Workspace::new()?;
    let mut broker = Broker::start(&stage).await?;
    let subscriber = broker.subscribe(&stage).await?;
    broker.end().await?;
    let monitor = Hl7Monitor::new()?;
    let config = stage.configure(broker.port, STORE, &monitor.device(None))?;
    for round in 0..10 {
        let mut gateway = Gateway::start(&config, &stage.path("data")).await?;
        gateway.answering().await?;
        monitor.listening().await?;
        let answers =
            monitor.send(&[message(&format!("K-{round}"), &format!("{}|mm[Hg]", 120 + round))]).await?;
        gateway.kill().await?;
        assert_eq!(answers[0]["code"], "AA");
    }
    broker.begin().await?;
    let mut gateway = Gateway::start(&config, &stage.path("data")).await?;
    gateway.answering().await?;
    eventually("all ten", Duration::from_secs(60), || {
        let reported = vitals(&subscriber, "monitor-1");
        (0..10).all(|round| reported.iter().any(|m| value(m, "systolic") == Some(120.0 + f64::from(round))))
    })
    .await?;
    gateway.stop().await
}

/// Frames of a Contec oximeter: a finger in, at 60 frames a second.
fn finger(seconds: usize) -> Vec<u8> {
    [0x86, 0x3C, 0x05, 0x48, 0x62].repeat(60 * seconds)
}

/// Writes bytes as slowly as the device would.
async fn play(port: &std::path::Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut end = tokio::fs::OpenOptions::new().write(true).open(port).await?;
    for piece in bytes.chunks(30) {
        end.write_all(piece).await?;
        end.flush().await?;
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

#[tokio::test]
async fn an_oximeter_gives_one_measurement_per_finger_and_none_from_noise() -> anyhow::Result<()> {
    let stage = Workspace::new()?;
    let broker = Broker::start(&stage).await?;
    let subscriber = broker.subscribe(&stage).await?;
    let cable = Cable::connect(&stage).await?;
    let config = stage.configure(broker.port, STORE, &oximeter(&cable.gateway))?;
    let mut gateway = Gateway::start(&config, &stage.path("data")).await?;
    gateway.answering().await?;
    gateway.until("the port is open", Duration::from_secs(60), |s| s["lines"][0]["up"] == true).await?;
    // Noise of every byte value, and frames with one bit flipped.
    let mut noise: Vec<u8> =
        (0..600_u32).map(|i| u8::try_from(i.wrapping_mul(167) >> 2 & 0xFF).unwrap_or(0)).collect();
    noise
        .extend(finger(1).iter().enumerate().map(|(at, byte)| if at % 5 == 0 { byte ^ 0x80 } else { *byte }));
    play(&cable.server, &noise).await?;
    assert!(vitals(&subscriber, "oximeter-1").is_empty(), "noise is no measurement");
    play(&cable.server, &finger(7)).await?;
    eventually("the measurement", Duration::from_secs(60), || vitals(&subscriber, "oximeter-1").len() == 1)
        .await?;
    let reported = vitals(&subscriber, "oximeter-1");
    assert_eq!(
        (value(&reported[0], "oxygen_saturation"), value(&reported[0], "pulse_rate")),
        (Some(98.0), Some(72.0))
    );

    // Unplugged in the middle of a frame, plugged in again under the same name.
    play(&cable.server, &[0x86, 0x3C]).await?;
    drop(cable);
    gateway.until("it is gone", Duration::from_secs(60), |s| s["lines"][0]["up"] == false).await?;
    let cable = Cable::connect(&stage).await?;
    gateway.until("it is back", Duration::from_secs(60), |s| s["lines"][0]["up"] == true).await?;
    play(&cable.server, &finger(7)).await?;
    eventually("the next one", Duration::from_secs(60), || vitals(&subscriber, "oximeter-1").len() == 2)
        .await?;
    let live: Value = serde_json::from_str(&gateway.get("/api/v1/devices/oximeter-1")?)?;
    assert_eq!(live["points"][0]["value"], 98.0, "{live}");
    gateway.stop().await
}
