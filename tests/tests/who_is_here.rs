//! Who is here? A monitor asks for the patient of its room over HL7, and a scanner on a serial port says who comes: an
//! independent HL7 client, a pseudo-terminal, and everything that they send wrongly.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use linli_tests::devices::STORE;
use linli_tests::{Gateway, Hl7Monitor, Workspace, free_port, python};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};

const NUMBER: &str = "11010519491231002X";
const NAME: &str = "欧阳若水";

/// A gateway with keys and these devices in two cabins.
async fn start(workspace: &Workspace, devices: &str) -> anyhow::Result<Gateway> {
    let config = workspace.configure(free_port()?, STORE, devices)?;
    let add = |file: &str, text: &str| -> anyhow::Result<()> {
        let path = config.join(file);
        let before = std::fs::read_to_string(&path)?;
        Ok(std::fs::write(path, before + text)?)
    };
    for room in ["cabin", "cabin-2"] {
        add("facility.toml", &format!("\n[[room]]\nid = \"{room}\"\nname = \"{room}\"\n"))?;
    }
    let keys = "\n[cabin]\nidentity_key = \"file:identity.key\"\npseudonym_key = \"file:district.key\"\n";
    let worker = "\n[[worker]]\nname = \"wang\"\ntoken = \"file:worker.token\"\n";
    add("gateway.toml", &format!("{keys}{worker}"))?;
    for (file, byte) in [("identity.key", "1a"), ("district.key", "2b"), ("worker.token", "3c")] {
        std::fs::write(config.join(file), byte.repeat(32))?;
        std::fs::set_permissions(config.join(file), std::fs::Permissions::from_mode(0o600))?;
    }
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    Ok(gateway)
}

fn a19(control: &str, who: &str, place: &str) -> String {
    format!(
        "MSH|^~\\&|MON|BED1|GW|S|20261130080000||QRY^A19|{control}|P|2.3.1|||||||UNICODE UTF-8\r\
         QRD|20261130080000|R|I|Q{control}|||1^RD|{who}|DEM|||\rQRF|MON||||{place}\r"
    )
}

fn pdq(control: &str, what: &str) -> String {
    format!(
        "MSH|^~\\&|MON|BED1|GW|S|20261130080000||QBP^Q22^QBP_Q21|{control}|P|2.5|||||||UNICODE UTF-8\r\
         QPD|IHE PDQ Query|T{control}|{what}\rRCP|I|1^RD\r"
    )
}

/// The segment of an answer, or nothing.
fn segment<'a>(answer: &'a Value, name: &str) -> &'a str {
    let segments = answer["segments"].as_array().unwrap();
    let is_it = |text: &&str| text.starts_with(&format!("{name}|"));
    segments.iter().filter_map(Value::as_str).find(is_it).unwrap_or_default()
}

#[tokio::test]
async fn a_monitor_is_told_who_is_in_its_room_and_nothing_of_anybody_else() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (asks, silent) = (Hl7Monitor::new()?, Hl7Monitor::new()?);
    let may = asks.device(Some("cabin")).replacen("listen", "patient_query = \"name\"\nlisten", 1);
    let other =
        silent.device(Some("cabin-2")).replace("\"lab\"", "\"lab-2\"").replace("monitor-1", "monitor-2");
    let gateway = start(&workspace, &(may + &other)).await?;
    for monitor in [&asks, &silent] {
        monitor.listening().await?;
    }
    // Somebody is registered, and is not here: nobody is found by whatever is asked.
    let identity = json!({"name": NAME, "id_number": NUMBER, "card": "SZ4821"});
    let (status, _) =
        gateway.ask("POST", "/api/v1/residents", &json!({"identity": identity, "consent": "2026-1"}))?;
    assert_eq!(status, 201);
    let questions = [a19("1", "SZ4821", ""), a19("2", "", ""), pdq("3", &format!("@PID.3.1^{NUMBER}"))];
    for answer in asks.send(&questions).await? {
        assert_eq!((&answer["code"], segment(&answer, "PID")), (&json!("AA"), ""), "{answer}");
        assert!(segment(&answer, "QAK").contains("|NF|"), "{answer}");
    }
    let new = json!({"by": "card", "room": "cabin", "identity": identity, "consent": "2026-1"});
    let (status, visit) = gateway.ask("POST", "/api/v1/visits", &new)?;
    assert_eq!(status, 201, "{visit}");
    let id = visit["id"].as_str().unwrap();
    found(&asks, id).await?;
    refused(&asks, &silent).await?;
    // What the monitor repeats of the answer names the visit.
    let oru = format!(
        "MSH|^~\\&|CABIN|S|GW|S|||ORU^R01^ORU_R01|9|P|2.6|||||||UNICODE UTF-8\rPID|||{id}^^^LINLI^VN\r\
         OBR|1|||85353-1^Vital signs^LN\rOBX|1|NM|3141-9^Weight^LN||61.5|kg^^UCUM|||||F\r"
    );
    assert_eq!(asks.send(&[oru]).await?[0]["reason"], "");
    let (_, shown) = gateway.ask("GET", &format!("/api/v1/visits/{id}"), &Value::Null)?;
    assert_eq!(shown["measurements"].as_array().unwrap().len(), 1);
    gateway.ask("POST", &format!("/api/v1/visits/{id}/end"), &json!({"ending": "completed"}))?;
    let gone = asks.send(&[a19("20", "SZ4821", "")]).await?;
    assert!(segment(&gone[0], "QAK").contains("|NF|"), "{gone:?}");

    // Every look is in the record, whatever it found, and no number is in it or in the log.
    let (_, record) = gateway.ask("GET", "/api/v1/audit?limit=1000", &Value::Null)?;
    let looks: Vec<&Value> =
        record.as_array().unwrap().iter().filter(|entry| entry["what"] == "patient.query").collect();
    let detail = |word: &str| looks.iter().filter(|entry| entry["detail"] == word).count();
    assert_eq!((detail("name"), detail("nobody"), looks.len()), (4, 9, 13), "{looks:?}");
    assert!(looks.iter().all(|entry| entry["who"] == "monitor-1"), "{looks:?}");
    for word in [NUMBER, NAME, "SZ4821"] {
        assert!(!gateway.log().contains(word) && !record.to_string().contains(word), "{word}");
    }
    gateway.stop().await
}

/// By card, by number, by name, by nothing but the place: the open visit of the room.
async fn found(monitor: &Hl7Monitor, visit: &str) -> anyhow::Result<()> {
    let questions = [
        a19("4", "SZ4821", "cabin^1"),
        a19("5", "", ""),
        pdq("6", &format!("@PID.3.1^{NUMBER}~@PID.8^F")),
        pdq("7", "@PID.5.1^欧阳~@PID.5.2^若水~@PID.7^19491231"),
    ];
    for (nth, answer) in monitor.send(&questions).await?.iter().enumerate() {
        assert_eq!(answer["code"], "AA", "{answer}");
        let kind = if nth < 2 { "|ADR^A19^ADR_A19|" } else { "|RSP^K22^RSP_K21|" };
        assert!(segment(answer, "MSH").contains(kind), "{answer}");
        assert!(segment(answer, "QAK").contains("|OK||1|1|0"), "{answer}");
        let person = segment(answer, "PID");
        assert!(person.starts_with(&format!("PID|1||{visit}^^^LINLI^VN~")), "{person}");
        assert!(person.ends_with(&format!("||{NAME}^^^^^^L||19491231|F")), "{person}");
        assert!(!person.contains(NUMBER), "the number is not told");
        assert_eq!(segment(answer, "PV1").contains(visit), nth < 2, "{answer}");
    }
    // What is not true of who is here finds nobody, however near it is.
    let wrong = [
        a19("8", "SZ482", ""),
        a19("9", "SZ4821", "^cabin-2^1"),
        pdq("10", "@PID.5.1^欧阳"),
        pdq("11", &format!("@PID.3.1^{NUMBER}~@PID.8^M")),
        pdq("12", "@PID.3.1^*"),
    ];
    for answer in monitor.send(&wrong).await? {
        let nobody = (segment(&answer, "QAK").contains("|NF|"), segment(&answer, "PID"));
        assert_eq!(nobody, (true, ""), "{answer}");
    }
    Ok(())
}

/// What cannot be asked, and a monitor that may not ask.
async fn refused(asks: &Hl7Monitor, silent: &Hl7Monitor) -> anyhow::Result<()> {
    let no_definition = "MSH|^~\\&|M|S|G|S|1||QRY^A19|15|P|2.3\rZZZ|1\r".to_owned();
    for answer in asks.send(&[pdq("13", "@PID.11.3^上海"), pdq("14", "@PID.19^1"), no_definition]).await? {
        assert_eq!((&answer["code"], segment(&answer, "PID")), (&json!("AE"), ""), "{answer}");
        assert!(!answer["reason"].as_str().unwrap().is_empty());
    }
    for answer in silent.send(&[a19("16", "SZ4821", ""), pdq("17", &format!("@PID.3.1^{NUMBER}"))]).await? {
        assert_eq!(answer["code"], "AR", "{answer}");
        assert!(answer["reason"].as_str().unwrap().contains("patient_query"), "{answer}");
    }
    Ok(())
}

/// A scanner on a pseudo-terminal.
struct Scanner {
    port: String,
    input: ChildStdin,
    _child: Child,
}

// === impl Scanner ===

impl Scanner {
    async fn new() -> anyhow::Result<Self> {
        let mut child = Command::new(python()?)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/serial_scanner.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take().context("no input")?;
        let mut lines = tokio::io::BufReader::new(child.stdout.take().context("no output")?).lines();
        let port = lines.next_line().await?.context("no port")?;
        Ok(Self { port, input, _child: child })
    }

    async fn reads(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let line: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(self.input.write_all(format!("{line}\n").as_bytes()).await?)
    }
}

/// Listens to scanned codes from now on, with these headers.
fn listen(web: &str, headers: &str) -> anyhow::Result<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect(web)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let ask = format!("GET /api/v1/events?topics=scan,device HTTP/1.1\r\nHost: linli\r\n{headers}\r\n");
    stream.write_all(ask.as_bytes())?;
    let mut events = BufReader::new(stream);
    let mut line = String::from("head");
    while !line.trim().is_empty() {
        line.clear();
        events.read_line(&mut line)?;
    }
    Ok(events)
}

fn next_code(events: &mut BufReader<TcpStream>) -> anyhow::Result<Value> {
    let mut line = String::new();
    while line.trim() != "event: scan" {
        line.clear();
        anyhow::ensure!(events.read_line(&mut line)? > 0, "the stream ended");
    }
    line.clear();
    events.read_line(&mut line)?;
    Ok(serde_json::from_str(line.trim().strip_prefix("data: ").context("no data")?)?)
}

#[tokio::test]
async fn a_code_of_a_serial_scanner_reaches_the_screens_of_its_room() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let mut scanner = Scanner::new().await?;
    let devices = format!(
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\nport = \"{}\"\n\n[[device]]\nid = \"scanner-1\"\n\
         room = \"cabin\"\nline = \"scan\"\nprofile = \"scanner/line\"\nclass = \"vital\"\n",
        scanner.port
    );
    let gateway = start(&workspace, &devices).await?;
    let token = format!("Authorization: Bearer {}\r\n", "3c".repeat(32));
    let web = gateway.web().await?;
    let mut events = listen(&web, &token)?;
    let online = || gateway.get("/api/v1/devices").is_ok_and(|all| all.contains("\"online\""));
    linli_tests::eventually("the scanner is online", Duration::from_secs(60), online).await?;
    // GB 18030: 张三.
    let codes: [(&[u8], Value); 5] = [
        (b"11010519491231002X\r\n", json!(NUMBER)),
        ("张三 A1\r".as_bytes(), json!("张三 A1")),
        (b"\xd5\xc5\xc8\xfd A1\n", json!("张三 A1")),
        // What cannot be read is told as well: somebody waits at the scanner.
        (b"\xff\xff\xff\r", Value::Null),
        (b"]Q1jkm:9d41", json!("jkm:9d41")),
    ];
    for (bytes, text) in codes {
        scanner.reads(bytes).await?;
        let code = next_code(&mut events)?;
        assert_eq!((&code["room"], &code["text"]), (&json!("cabin"), &text), "{code}");
    }
    assert!(!gateway.log().contains(NUMBER), "a number of a person is in no log");
    gateway.stop().await
}
