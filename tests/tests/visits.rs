//! Visits: how measurements are bound to them, who may see them, what remains after they are erased.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use linli_tests::devices::STORE;
use linli_tests::{
    Broker, Gateway, Hl7Monitor, Received, Subscriber, Workspace, eventually, http, now_ms, python,
};
use serde_json::{Value, json};
use tokio::time::sleep;

const NUMBER: &str = "11010519491231002X";
const NAME: &str = "欧阳若水";

/// A gateway with keys, a worker and a monitor in a cabin.
struct Cabin {
    workspace: Workspace,
    config: PathBuf,
    monitor: Hl7Monitor,
    subscriber: Subscriber,
    _broker: Broker,
}

// === impl Cabin ===

impl Cabin {
    async fn build() -> anyhow::Result<Self> {
        let workspace = Workspace::new()?;
        let broker = Broker::start(&workspace).await?;
        let subscriber = broker.subscribe(&workspace).await?;
        let monitor = Hl7Monitor::new()?;
        let config = workspace.configure(broker.port, STORE, &monitor.device(Some("cabin")))?;
        let facility = std::fs::read_to_string(config.join("facility.toml"))?;
        std::fs::write(
            config.join("facility.toml"),
            facility + "\n[[room]]\nid = \"cabin\"\nname = \"健康小屋\"\n",
        )?;
        for (file, byte) in
            [("identity.key", "1a"), ("district.key", "2b"), ("worker.token", "3c"), ("display.token", "4d")]
        {
            key(&config.join(file), byte)?;
        }
        let gateway = std::fs::read_to_string(config.join("gateway.toml"))?;
        let cabin = "\n[cabin]\nidentity_key = \"file:identity.key\"\npseudonym_key = \"file:district.key\"\n\n\
                     [[worker]]\nname = \"wang\"\ntoken = \"file:worker.token\"\n\n\
                     [[worker]]\nname = \"display\"\ntoken = \"file:display.token\"\nroles = [\"operator\"]\n";
        std::fs::write(config.join("gateway.toml"), gateway + cabin)?;
        Ok(Self { workspace, config, monitor, subscriber, _broker: broker })
    }

    async fn start(&self) -> anyhow::Result<Gateway> {
        let mut gateway = Gateway::start(&self.config, &self.workspace.path("data")).await?;
        gateway.answering().await?;
        self.monitor.listening().await?;
        Ok(gateway)
    }

    /// Sends one saturation. Returns the answer to the sender.
    async fn measure(&self, control: &str, patient: &str, saturation: u8) -> anyhow::Result<String> {
        self.measured_at("", control, patient, saturation).await
    }

    /// The same, measured a minute ago by the monitor's clock: somebody who was there within that
    /// minute may have been measured. So no answer depends on how fast this machine is.
    async fn measured_a_minute_ago(
        &self,
        control: &str,
        patient: &str,
        saturation: u8,
    ) -> anyhow::Result<String> {
        let then = jiff::Timestamp::from_millisecond(now_ms() - 60_000)?;
        let stamp = then.strftime("%Y%m%d%H%M%S+0000").to_string();
        self.measured_at(&stamp, control, patient, saturation).await
    }

    async fn measured_at(
        &self,
        stamp: &str,
        control: &str,
        patient: &str,
        saturation: u8,
    ) -> anyhow::Result<String> {
        let message = format!(
            "MSH|^~\\&|CABIN|S|GW|S|||ORU^R01^ORU_R01|{control}|P|2.6|||||||UNICODE UTF-8\rPID|||{patient}\r\
             OBR|1|||85353-1^Vital signs^LN\rOBX|1|NM|59408-5^SpO2^LN||{saturation}|%^^UCUM|||||F|||{stamp}\r"
        );
        let answers = self.monitor.send(&[message]).await?;
        assert_eq!(answers[0]["code"], "AA", "{answers:?}");
        Ok(answers[0]["reason"].as_str().unwrap_or_default().to_owned())
    }

    /// Messages that the district received, each once: after a kill some arrive again.
    fn reported(&self) -> Vec<Received> {
        let mut seen = std::collections::BTreeSet::new();
        let received = self.subscriber.received().unwrap_or_default();
        let mut is_new = |m: &Received| {
            m.topic.ends_with("/vital/monitor-1")
                && seen.insert(format!("{} {}", m.payload["id"], m.payload["version"]))
        };
        received.into_iter().filter(|m| is_new(m)).collect()
    }
}

fn key(path: &Path, byte: &str) -> anyhow::Result<()> {
    std::fs::write(path, byte.repeat(32))?;
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?)
}

fn open(gateway: &Gateway, code: &str, identity: Option<&str>) -> anyhow::Result<Value> {
    let mut body = json!({"by": "card", "code": code, "consent": "2026-1"});
    if let Some(number) = identity {
        body["identity"] = json!({"name": NAME, "id_number": number, "phone": "13812345678"});
    }
    let (status, visit) = gateway.ask("POST", "/api/v1/visits", &body)?;
    anyhow::ensure!(status == 201, "{status} {visit}");
    Ok(visit)
}

fn shown(gateway: &Gateway, visit: &Value, how: &str) -> anyhow::Result<Value> {
    let id = visit["id"].as_str().unwrap_or_default();
    Ok(gateway.ask("GET", &format!("/api/v1/visits/{id}{how}"), &Value::Null)?.1)
}

fn saturations(visit: &Value) -> Vec<f64> {
    let all = visit["measurements"].as_array().cloned().unwrap_or_default();
    all.iter().filter_map(|m| m["measurement"]["readings"][0]["value"].as_f64()).collect()
}

#[tokio::test]
async fn two_residents_in_quick_succession_never_mix() -> anyhow::Result<()> {
    let cabin = Cabin::build().await?;
    let gateway = cabin.start().await?;
    assert!(cabin.measure("1", "", 90).await?.contains("no visit was open"));
    let first = open(&gateway, "A1", Some(NUMBER))?;
    assert!(cabin.measured_a_minute_ago("2", "", 91).await?.contains("begun before"));
    sleep(Duration::from_millis(5100)).await;
    assert_eq!(cabin.measure("3", "", 92).await?, "");
    let second = open(&gateway, "A2", None)?;
    assert!(
        cabin.measured_a_minute_ago("4", "", 93).await?.contains("two visits"),
        "it may still be the first one's"
    );
    assert!(cabin.measure("5", "A1", 94).await?.contains("no open visit"), "the first one has gone");
    assert_eq!(cabin.measure("6", "A2", 95).await?, "", "its sender says whose it is");
    // An oximeter takes 5 to 15 s: then nobody but the second one can have been measured.
    sleep(Duration::from_millis(15_100)).await;
    assert_eq!(cabin.measure("7", "", 96).await?, "");
    assert_eq!(saturations(&shown(&gateway, &first, "")?), [92.0]);
    assert_eq!(saturations(&shown(&gateway, &second, "")?), [95.0, 96.0]);
    assert_eq!(shown(&gateway, &first, "")?["ended"][1], "superseded");

    // After a power cut the second one is still there, and nobody knows what was measured meanwhile.
    gateway.kill().await?;
    let gateway = cabin.start().await?;
    assert!(
        cabin.measured_a_minute_ago("8", "", 97).await?.contains("two visits"),
        "the first may have just gone"
    );
    assert!(cabin.measure("9", NUMBER, 98).await?.contains("no open visit"));

    // A person says whose it is, puts it right, takes it back: versions, never overwritten.
    let (_, waiting) = gateway.ask("GET", "/api/v1/measurements/unassigned", &Value::Null)?;
    let waiting = waiting.as_array().cloned().unwrap_or_default();
    assert_eq!(waiting.len(), 6, "{waiting:?}");
    let lost = waiting[3]["id"].as_str().unwrap_or_default().to_owned();
    let change = |action: &str, body: Value| {
        gateway.ask("POST", &format!("/api/v1/measurements/{lost}/{action}"), &body)
    };
    let (status, _) = change("assign", json!({"visit": first["id"], "why": "asked"}))?;
    assert_eq!(status, 200);
    let readings = json!([{"quantity": "oxygen_saturation", "value": 89.0}]);
    assert_eq!(change("correct", json!({"readings": readings, "why": "misread"}))?.0, 200);
    let impossible = json!([{"quantity": "oxygen_saturation", "value": 189.0}]);
    let (status, problem) = change("correct", json!({"readings": impossible, "why": "misread"}))?;
    assert_eq!((status, problem["detail"].as_str().unwrap().contains("cannot be")), (422, true));
    assert_eq!(change("withdraw", json!({"why": "not a finger"}))?.0, 200);
    let (_, versions) = gateway.ask("GET", &format!("/api/v1/measurements/{lost}"), &Value::Null)?;
    let statuses: Vec<&str> =
        versions.as_array().unwrap().iter().filter_map(|v| v["status"].as_str()).collect();
    assert_eq!(statuses, ["final", "amended", "corrected", "entered-in-error"]);
    assert_eq!(versions[0]["measurement"]["readings"][0]["value"], 94.0, "the first one stands");

    // The district hears each version once, under the pseudonym of whom it belongs to.
    eventually("all of them", Duration::from_secs(60), || cabin.reported().len() == 12).await?;
    let reported = cabin.reported();
    let pseudonym = first["pseudonym"].as_str().unwrap();
    let of_first = |m: &&Received| m.payload["pseudonym"] == pseudonym;
    assert_eq!(reported.iter().filter(of_first).count(), 4);
    assert!(
        reported.iter().filter(|m| m.payload["id"] == lost.as_str() && m.payload["version"] == 3).count()
            == 1
    );
    gateway.stop().await
}

#[tokio::test]
async fn nobody_is_named_and_what_is_erased_is_gone() -> anyhow::Result<()> {
    let cabin = Cabin::build().await?;
    let gateway = cabin.start().await?;
    let visit = open(&gateway, "B1", Some(NUMBER))?;
    assert_eq!(cabin.measure("1", NUMBER, 97).await?, "", "found by the hash of the number");
    let revealed = shown(&gateway, &visit, "?reveal=true")?;
    assert_eq!((&revealed["identity"]["name"], &revealed["name"]), (&json!(NAME), &json!("欧***")));
    assert!(shown(&gateway, &visit, "")?["identity"].is_null(), "only when asked for");
    let metrics = gateway.get("/metrics")?;
    eventually("it is reported", Duration::from_secs(60), || cabin.reported().len() == 1).await?;

    // A new key: the old one is needed until everything is sealed anew.
    key(&cabin.config.join("new.key"), "4d")?;
    let file = cabin.config.join("gateway.toml");
    let written = std::fs::read_to_string(&file)?;
    let present = "identity_key = \"file:identity.key\"";
    let rotated = "identity_key = \"file:new.key\"\nprevious_identity_keys = [\"file:identity.key\"]";
    std::fs::write(&file, written.replace(present, rotated))?;
    assert!(gateway.verb(&["reload"]).await?.status.success());
    eventually("sealed anew", Duration::from_secs(60), || {
        gateway.log().contains("sealed with the present key")
    })
    .await?;
    std::fs::write(&file, written.replace(present, "identity_key = \"file:new.key\""))?;
    assert!(gateway.verb(&["reload"]).await?.status.success());
    assert_eq!(shown(&gateway, &visit, "?reveal=true")?["identity"]["name"], NAME);

    let mut files = vec![cabin.workspace.path("received.tsv")];
    files.extend(std::fs::read_dir(cabin.workspace.path("data"))?.flatten().map(|entry| entry.path()));
    let mut haystacks: Vec<Vec<u8>> =
        files.iter().filter(|f| f.is_file()).map(|f| std::fs::read(f).unwrap()).collect();
    haystacks.extend([metrics.into_bytes(), gateway.log().into_bytes()]);
    for word in [NAME, "若水", NUMBER, "13812345678"] {
        let is_in = |hay: &Vec<u8>| hay.windows(word.len()).any(|window| window == word.as_bytes());
        assert!(!haystacks.iter().any(is_in), "{word} stands somewhere in clear");
    }

    let find = json!({"name": NAME, "id_number": NUMBER});
    let (_, found) = gateway.ask("POST", "/api/v1/residents/find", &find)?;
    assert_eq!(found["pseudonym"], visit["pseudonym"]);
    let path = format!("/api/v1/residents/{}/erase", found["pseudonym"].as_str().unwrap());
    let (status, erased) = gateway.ask("POST", &path, &json!({"why": "asked for"}))?;
    assert_eq!((status, &erased["erased"]["measurements"]), (200, &json!(1)));
    assert_eq!(shown(&gateway, &visit, "")?["status"], 404);
    assert_eq!(gateway.ask("POST", &path, &json!({"why": "again"}))?.0, 404);
    eventually("the district hears of it", Duration::from_secs(60), || {
        cabin.reported().iter().any(|message| message.payload["status"] == "erased")
    })
    .await?;
    let (_, audit) = gateway.ask("GET", "/api/v1/audit", &Value::Null)?;
    let actions: Vec<&str> =
        audit.as_array().unwrap().iter().filter_map(|entry| entry["what"].as_str()).collect();
    for action in ["visit.open", "identity.reveal", "identity.rekey", "identity.find", "erase", "visit.show"]
    {
        assert!(actions.contains(&action), "{action} is missing in {actions:?}");
    }
    gateway.stop().await
}

#[tokio::test]
async fn workers_see_what_others_do_not_and_other_programs_read_it() -> anyhow::Result<()> {
    let cabin = Cabin::build().await?;
    let gateway = cabin.start().await?;
    let web = gateway.web().await?;
    let token = "3c".repeat(32);
    let asked = |headers: &str| {
        let stream = std::net::TcpStream::connect(&web)?;
        http::ask(stream, "GET", "/api/v1/visits?open=true", headers, "")
    };
    assert_eq!(asked("")?.0, 401);
    assert_eq!(asked("Authorization: Bearer 0000\r\n")?.0, 401);
    assert_eq!(asked(&format!("Authorization: Bearer {token}\r\n"))?.0, 200);
    assert_eq!(asked("authorization: bearer 3c\r\n")?.0, 401);
    assert_eq!(
        asked(&format!("authorization: bearer {token}\r\n"))?.0,
        200,
        "RFC 9110: the scheme has no case"
    );
    let stream = std::net::TcpStream::connect(&web)?;
    assert_eq!(http::ask(stream, "GET", "/api/v1/events", "", "")?.0, 401, "values need a log-in");
    // Whoever runs the building sees that something was measured, not of whom.
    let display = format!("Authorization: Bearer {}\r\n", "4d".repeat(32));
    assert_eq!(asked(&display)?.0, 403);
    let anonymous = listen(&web, &display)?;
    let worker = listen(&web, &format!("Authorization: Bearer {token}\r\n"))?;
    let visit = open(&gateway, "C1", Some(NUMBER))?;
    let pressure = "MSH|^~\\&|CABIN|S|GW|S|||ORU^R01^ORU_R01|P1|P|2.6|||||||UNICODE UTF-8\rPID|||C1\r\
         OBR|1|||85353-1^Vital signs^LN\rOBX|1|NM|8480-6^S^LN||152|mm[Hg]^^UCUM|||||F\r\
         OBX|2|NM|8462-4^D^LN||91|mm[Hg]^^UCUM|||||F\rOBX|3|NM|8310-5^T^LN||36.6|Cel^^UCUM|||||F\r";
    assert_eq!(cabin.monitor.send(&[pressure.to_owned()]).await?[0]["code"], "AA");
    assert_eq!(cabin.measure("S1", "C1", 97).await?, "");
    let pseudonym = visit["pseudonym"].as_str().unwrap();
    let first = next_measurement(anonymous);
    assert_eq!(first["observations"][0]["value"], 152.0);
    assert!(first.get("pseudonym").is_none() && first.get("visit").is_none(), "{first}");
    assert_eq!(next_measurement(worker)["pseudonym"], pseudonym);

    let exported = gateway.verb(&["export", "fhir"]).await?;
    assert!(exported.status.success());
    let mut checker = std::process::Command::new(python()?)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/fhir_check.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    checker.stdin.take().unwrap().write_all(&exported.stdout)?;
    let checked = checker.wait_with_output()?;
    assert!(checked.status.success(), "an independent library succeed not accept the bundle");
    let observations: Vec<Value> = String::from_utf8_lossy(&checked.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(observations.len(), 3, "{observations:?}");
    assert!(observations.iter().all(|o| o["subject"] == pseudonym && o["status"] == "final"));
    let with =
        |code: &str| observations.iter().find(|o| o["codes"].as_array().unwrap().contains(&json!(code)));
    assert_eq!(with("2708-6").unwrap()["value"], 97.0);
    assert!(with("59408-5").is_some() && with("85354-9").is_some());

    let table = gateway.verb(&["export", "csv"]).await?;
    let table = String::from_utf8(table.stdout)?;
    assert!(table.starts_with('\u{feff}') && table.contains("高血压范围（1级）"), "{table}");
    assert_eq!(table.lines().filter(|line| line.contains(pseudonym)).count(), 4);
    let listed = gateway.verb(&["visits", "list", "--open"]).await?;
    assert!(String::from_utf8_lossy(&listed.stdout).contains("欧***"));
    gateway.stop().await
}

/// Listens to events from now on.
fn listen(web: &str, headers: &str) -> anyhow::Result<BufReader<std::net::TcpStream>> {
    let mut stream = std::net::TcpStream::connect(web)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(format!("GET /api/v1/events HTTP/1.1\r\nHost: linli\r\n{headers}\r\n").as_bytes())?;
    let mut events = BufReader::new(stream);
    // Whoever has the head of the answer hears everything from now on.
    let mut line = String::from("head");
    while !line.trim().is_empty() {
        line.clear();
        events.read_line(&mut line)?;
    }
    Ok(events)
}

fn next_measurement(events: BufReader<std::net::TcpStream>) -> Value {
    let mut lines = events.lines().map_while(Result::ok).skip_while(|line| line != "event: measurement");
    let data = lines.nth(1).unwrap_or_default();
    serde_json::from_str(data.strip_prefix("data: ").unwrap_or_default()).unwrap_or_default()
}
