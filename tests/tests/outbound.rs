//! What leaves the health cabin: slips as paper, slips on a printer that has no paper, visits for a FHIR server that
//! stumbles while the gateway is killed.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use linli_tests::devices::STORE;
use linli_tests::fhir_server::{FhirServer, TOKEN};
use linli_tests::ipp_printer::IppPrinter;
use linli_tests::{Gateway, Hl7Monitor, Workspace, eventually, python, tool};
use serde_json::{Value, json};
use tokio::process::Command;

const NUMBER: &str = "11010519491231002X";

/// Two characters of extension B, which most fonts lack.
const NAME: &str = "𠮷野𪚥";

const PATIENCE: Duration = Duration::from_secs(60);

/// A cabin with keys and a monitor.
struct Cabin {
    workspace: Workspace,
    config: PathBuf,
    monitor: Hl7Monitor,
}

// === impl Cabin ===

impl Cabin {
    fn build(more: &str) -> anyhow::Result<Self> {
        Self::build_in(Workspace::new()?, more)
    }

    fn build_in(workspace: Workspace, more: &str) -> anyhow::Result<Self> {
        let monitor = Hl7Monitor::new()?;
        let config = workspace.configure_with("", STORE, &monitor.device(Some("cabin")))?;
        let room = "\n[[room]]\nid = \"cabin\"\nname = \"健康小屋\"\n";
        append(&config.join("facility.toml"), room)?;
        for (file, text) in [("identity.key", "1a".repeat(32)), ("district.key", "2b".repeat(32))] {
            secret(&config.join(file), &text)?;
        }
        let keys = "\n[cabin]\nidentity_key = \"file:identity.key\"\npseudonym_key = \"file:district.key\"\n";
        append(&config.join("gateway.toml"), &format!("{keys}\n{more}"))?;
        Ok(Self { workspace, config, monitor })
    }

    async fn start(&self) -> anyhow::Result<Gateway> {
        let mut gateway = Gateway::start(&self.config, &self.workspace.path("data")).await?;
        gateway.answering().await?;
        self.monitor.listening().await?;
        Ok(gateway)
    }

    /// Sends a blood pressure and a saturation of the patient with that code.
    async fn measure(&self, control: &str, code: &str, (high, low): (u8, u8)) -> anyhow::Result<()> {
        let message = format!(
            "MSH|^~\\&|CABIN|S|GW|S|||ORU^R01^ORU_R01|{control}|P|2.6|||||||UNICODE UTF-8\rPID|||{code}\r\
             OBR|1|||85353-1^Vital signs^LN\rOBX|1|NM|8480-6^S^LN||{high}|mm[Hg]^^UCUM|||||F\r\
             OBX|2|NM|8462-4^D^LN||{low}|mm[Hg]^^UCUM|||||F\rOBX|3|NM|59408-5^SpO2^LN||97|%^^UCUM|||||F\r"
        );
        let answers = self.monitor.send(&[message]).await?;
        anyhow::ensure!(answers[0]["code"] == "AA", "{answers:?}");
        Ok(())
    }
}

fn append(file: &Path, text: &str) -> anyhow::Result<()> {
    Ok(std::fs::write(file, std::fs::read_to_string(file)? + text)?)
}

fn secret(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, text)?;
    Ok(std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600))?)
}

fn open(gateway: &Gateway, code: &str, consent: &str) -> anyhow::Result<String> {
    let identity = json!({"name": NAME, "id_number": NUMBER});
    let body = json!({"by": "card", "code": code, "consent": consent, "identity": identity});
    let (status, visit) = gateway.ask("POST", "/api/v1/visits", &body)?;
    anyhow::ensure!(status == 201, "{status} {visit}");
    Ok(visit["id"].as_str().unwrap().to_owned())
}

fn end(gateway: &Gateway, visit: &str) -> anyhow::Result<()> {
    let (status, said) =
        gateway.ask("POST", &format!("/api/v1/visits/{visit}/end"), &json!({"ending": "completed"}))?;
    anyhow::ensure!(status == 200, "{status} {said}");
    Ok(())
}

async fn said(program: &str, package: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(tool(program, package)?).args(arguments).output().await?;
    anyhow::ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A text without the breaks between its lines.
fn joined(text: &str) -> String {
    text.split_whitespace().collect()
}

#[tokio::test]
async fn a_slip_is_set_in_fonts_of_its_own_and_its_code_has_the_values_and_no_name() -> anyhow::Result<()> {
    let cabin = Cabin::build("")?;
    let gateway = cabin.start().await?;
    let visit = open(&gateway, "A012", "2026-1")?;
    cabin.measure("1", "A012", (152, 94)).await?;
    for (paper, wide) in [("a5", "419.5"), ("80", "226.7"), ("58", "164.4")] {
        let file = cabin.workspace.path(&format!("{paper}.pdf"));
        let path = file.to_string_lossy().into_owned();
        let made = ["slip", "make", &visit, "--paper", paper, "--name", "full", "-o", &path];
        let made = gateway.verb(&made).await?;
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let text = joined(&said("pdftotext", "poppler-utils", &["-layout", &path, "-"]).await?);
        for part in ["测量结果单", NAME, "A012", "152/94", "mmHg", "97", "高血压范围", "试验"] {
            assert!(text.contains(part), "{paper}: no {part} in {text}");
        }
        let fonts = said("pdffonts", "poppler-utils", &[&path]).await?;
        let fonts: Vec<&str> = fonts.lines().skip(2).collect();
        let is_whole = |line: &&str| {
            line.split_whitespace().rev().nth(4) == Some("yes")
                && line.split_whitespace().rev().nth(3) == Some("yes")
        };
        assert!(fonts.len() >= 2 && fonts.iter().all(is_whole), "embedded, as subsets: {fonts:#?}");
        let about = said("pdfinfo", "poppler-utils", &[&path]).await?;
        assert!(
            about.contains(&format!("Page size:       {wide}")) && about.contains("Pages:           1"),
            "{about}"
        );
        assert!(!about.contains(NAME));
        let picture = cabin.workspace.path(paper);
        let arguments = ["-png", "-r", "203", "-singlefile", &path, &picture.to_string_lossy()];
        said("pdftoppm", "poppler-utils", &arguments).await?;
        let picture = format!("{}.png", picture.display());
        let code = said("zbarimg", "zbar-tools", &["--quiet", "--raw", &picture]).await?;
        assert!(code.contains("systolic/diastolic 152/94 mm[Hg]\noxygen_saturation 97 %"), "{code}");
        assert!(!code.contains(NAME) && !code.contains("A012"));
        if let Ok(keep) = std::env::var("LINLI_SLIPS") {
            std::fs::copy(&picture, format!("{keep}/{paper}.png"))?;
        }
    }
    let plain = cabin.workspace.path("plain.pdf");
    let plain = plain.to_string_lossy();
    assert!(gateway.verb(&["slip", "make", &visit, "-o", &plain]).await?.status.success());
    let text = joined(&said("pdftotext", "poppler-utils", &[&plain, "-"]).await?);
    assert!(text.contains("152/94") && !text.contains('野'), "{text}");
    let record = gateway.ask("GET", "/api/v1/audit?limit=20", &Value::Null)?.1.to_string();
    assert!(record.contains("slip.make") && record.contains("paper 58, name full"), "{record}");
    let unknown = gateway.verb(&["slip", "make", "v-none", "-o", &plain]).await?;
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no visit v-none"));
    let (status, refusal) = gateway.ask("POST", &format!("/api/v1/visits/{visit}/print"), &json!({}))?;
    assert_eq!(status, 409, "{refusal}");
    assert!(refusal["detail"].as_str().unwrap().contains("no printer is configured"));
    gateway.stop().await
}

fn states(gateway: &Gateway) -> Vec<(String, String)> {
    let jobs = gateway.ask("GET", "/api/v1/print", &Value::Null).map(|(_, jobs)| jobs).unwrap_or_default();
    let word = |state: &Value| match state {
        Value::String(state) => state.clone(),
        Value::Object(state) => state.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    };
    let jobs = jobs.as_array().cloned().unwrap_or_default();
    jobs.iter().map(|job| (word(&job["state"]), job["why"].as_str().unwrap_or_default().to_owned())).collect()
}

fn newest(gateway: &Gateway) -> (String, String) {
    states(gateway).into_iter().next().unwrap_or_default()
}

#[tokio::test]
async fn a_printer_without_paper_or_switched_off_loses_no_job_and_prints_none_twice() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let mut printer = IppPrinter::start(&workspace, "application/pdf").await?;
    let slip = format!("[slip]\npaper = \"80\"\nprinter = \"{}\"\n", printer.uri);
    let cabin = Cabin::build(&slip)?;
    let mut gateway = cabin.start().await?;
    let visit = open(&gateway, "A012", "2026-1")?;
    cabin.measure("1", "A012", (152, 94)).await?;

    assert!(gateway.verb(&["slip", "print", &visit, "--name", "masked"]).await?.status.success());
    eventually("the first slip", PATIENCE, || newest(&gateway).0 == "printed").await?;
    let printed = printer.printed();
    assert_eq!(printed.len(), 1);
    let text = joined(&said("pdftotext", "poppler-utils", &[&printed[0].to_string_lossy(), "-"]).await?);
    assert!(text.contains("152/94") && text.contains("𠮷**") && !text.contains('野'), "{text}");

    printer.paper(false)?;
    assert!(gateway.verb(&["slip", "print", &visit]).await?.status.success());
    eventually("the want of paper", PATIENCE, || newest(&gateway).1.contains("缺纸")).await?;
    let jobs = String::from_utf8(gateway.verb(&["slip", "jobs"]).await?.stdout)?;
    assert!(jobs.lines().next().unwrap().contains("out of paper 缺纸"), "{jobs}");
    // Killed while the job is at the printer: it is found there again.
    gateway.kill().await?;
    gateway = cabin.start().await?;
    printer.paper(true)?;
    eventually("the second slip", PATIENCE, || newest(&gateway).0 == "printed").await?;
    assert_eq!(printer.printed().len(), 2, "once");

    printer.switch_off().await?;
    assert!(gateway.verb(&["slip", "print", &visit]).await?.status.success());
    eventually("silence", PATIENCE, || newest(&gateway).1.contains("打印机无应答")).await?;
    gateway.kill().await?;
    gateway = cabin.start().await?;
    printer.switch_on().await?;
    eventually("the third slip", PATIENCE, || newest(&gateway).0 == "printed").await?;
    assert_eq!(printer.printed().len(), 3, "once");

    printer.paper(false)?;
    assert!(gateway.verb(&["slip", "print", &visit]).await?.status.success());
    eventually("the want of paper", PATIENCE, || newest(&gateway).1.contains("缺纸")).await?;
    assert!(gateway.verb(&["slip", "cancel", "4"]).await?.status.success());
    eventually("the end of the job", PATIENCE, || newest(&gateway).0 == "cancelled").await?;
    printer.paper(true)?;
    let again = gateway.verb(&["slip", "cancel", "4"]).await?;
    assert!(String::from_utf8_lossy(&again.stderr).contains("over already"));
    gateway.stop().await
}

#[tokio::test]
async fn a_printer_that_takes_no_pdf_is_told_apart_from_one_that_is_busy() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let printer = IppPrinter::start(&workspace, "image/pwg-raster,image/urf").await?;
    let cabin = Cabin::build(&format!("[slip]\nprinter = \"{}\"\n", printer.uri))?;
    let gateway = cabin.start().await?;
    let visit = open(&gateway, "A012", "2026-1")?;
    assert!(gateway.verb(&["slip", "print", &visit]).await?.status.success());
    eventually("the refusal", PATIENCE, || newest(&gateway).0 == "failed").await?;
    let why = newest(&gateway).1;
    assert!(
        why.contains("takes no PDF") && why.contains("image/pwg-raster") && why.contains("CUPS"),
        "{why}"
    );
    assert!(printer.printed().is_empty());
    gateway.stop().await
}

fn fhir(gateway: &Gateway) -> Value {
    gateway.ask("GET", "/api/v1/fhir", &Value::Null).map(|(_, status)| status).unwrap_or_default()
}

/// Checks the resources of the server with a second library.
async fn checked(resources: &[Value]) -> anyhow::Result<()> {
    let mut child = Command::new(python()?)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/fhir_resources.py"))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut input, json!(resources).to_string().as_bytes()).await?;
    drop(input);
    let output = child.wait_with_output().await?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// A cabin whose visits go to a server.
async fn sending(more: &str) -> anyhow::Result<(Cabin, FhirServer)> {
    let workspace = Workspace::new()?;
    let server = FhirServer::start(&workspace).await?;
    let fhir = format!(
        "[fhir]\nurl = \"{}\"\ntoken = \"file:fhir.token\"\nconsents = [\"2026-2\"]\n{more}",
        server.url
    );
    let cabin = Cabin::build_in(workspace, &fhir)?;
    secret(&cabin.config.join("fhir.token"), TOKEN)?;
    Ok((cabin, server))
}

#[tokio::test]
async fn visits_reach_the_server_once_whatever_it_answers_and_whenever_the_gateway_dies() -> anyhow::Result<()>
{
    let (cabin, server) = sending("").await?;
    let mut gateway = cabin.start().await?;
    server.answers("503")?;
    let mut visits = Vec::new();
    for number in 0..6 {
        let code = format!("B{number}");
        let visit = open(&gateway, &code, if number == 5 { "2026-1" } else { "2026-2" })?;
        cabin.measure(&format!("m{number}"), &code, (120 + number, 80)).await?;
        end(&gateway, &visit)?;
        visits.push(visit);
    }
    eventually("the trouble", PATIENCE, || {
        fhir(&gateway)["trouble"].as_str().unwrap_or_default().contains("503")
    })
    .await?;
    assert_eq!(fhir(&gateway)["waiting"], 5);
    let shown = String::from_utf8(gateway.verb(&["fhir", "status"]).await?.stdout)?;
    assert!(shown.contains("waiting 等待 5") && shown.contains("HTTP 503"), "{shown}");
    assert!(server.all("Observation")?.is_empty());
    // The server does it and says that it did not: it is sent again, and again after a kill.
    server.answers("done 500")?;
    gateway.kill().await?;
    gateway = cabin.start().await?;
    eventually("a transaction", PATIENCE, || server.all("Observation").is_ok_and(|all| !all.is_empty()))
        .await?;
    gateway.kill().await?;
    server.answers("")?;
    gateway = cabin.start().await?;
    eventually("all of them", PATIENCE, || fhir(&gateway)["sent"] == 5 && fhir(&gateway)["waiting"] == 0)
        .await?;
    assert_eq!(fhir(&gateway)["withheld"], 1, "one did not agree to it");

    let observations = server.all("Observation")?;
    assert_eq!(observations.len(), 10, "two of each visit, once");
    let counts = [("Patient", 1), ("Encounter", 5), ("Device", 1), ("Provenance", 5)];
    for (kind, count) in counts {
        assert_eq!(server.all(kind)?.len(), count, "{kind}");
    }
    let patients = server.all("Patient")?;
    let all = [observations.clone(), patients.clone(), server.all("Encounter")?, server.all("Provenance")?]
        .concat();
    checked(&all).await?;
    let text = json!(all).to_string();
    // Not the year alone: identifiers are hexadecimal and hold any four digits now and then.
    for personal in [NAME, NUMBER, "birthDate", "1949-12-31", "19491231"] {
        assert!(!text.contains(personal), "{personal} has left");
    }
    let patient = format!("Patient/{}", patients[0]["id"].as_str().unwrap());
    assert!(observations.iter().all(|one| one["subject"]["reference"] == patient.as_str()));
    let pressure = |high: f64| {
        let is_it = |one: &&Value| one["component"][0]["valueQuantity"]["value"] == high;
        server.all("Observation").unwrap().iter().find(is_it).cloned()
    };
    assert_eq!(pressure(121.0).unwrap()["component"][0]["referenceRange"][0]["low"]["value"], 90.0);
    assert!(pressure(125.0).is_none(), "the one that did not agree");
    gateway.stop().await
}

#[tokio::test]
async fn what_is_corrected_withdrawn_or_moved_here_is_so_there() -> anyhow::Result<()> {
    let (cabin, server) = sending("names = true\n").await?;
    let gateway = cabin.start().await?;
    let visit = open(&gateway, "C1", "2026-2")?;
    cabin.measure("1", "C1", (150, 90)).await?;
    end(&gateway, &visit)?;
    eventually("the visit", PATIENCE, || fhir(&gateway)["sent"] == 1).await?;
    let patient = server.all("Patient")?.remove(0);
    assert_eq!((&patient["name"][0]["text"], &patient["birthDate"]), (&json!(NAME), &json!("1949-12-31")));
    let shown = gateway.ask("GET", &format!("/api/v1/visits/{visit}"), &Value::Null)?.1;
    let measurement = shown["measurements"][0]["id"].as_str().unwrap().to_owned();
    let statuses = || -> Vec<String> {
        let all = server.all("Observation").unwrap_or_default();
        all.iter().map(|one| one["status"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let act = |what: &str, body: &Value| {
        let (status, said) =
            gateway.ask("POST", &format!("/api/v1/measurements/{measurement}/{what}"), body).unwrap();
        assert_eq!(status, 200, "{said}");
    };
    let context = json!({"is_alert": true});
    act("correct", &json!({"context": context, "why": "seen"}));
    eventually("the amendment", PATIENCE, || statuses() == ["amended", "amended"]).await?;
    act("assign", &json!({"visit": null, "why": "not of this resident"}));
    eventually("that it is nobody's", PATIENCE, || statuses() == ["entered-in-error", "entered-in-error"])
        .await?;
    act("assign", &json!({"visit": visit, "why": "it is"}));
    eventually("that it is hers", PATIENCE, || statuses() == ["amended", "amended"]).await?;
    act("withdraw", &json!({"why": "the cuff was on somebody else"}));
    eventually("the withdrawal", PATIENCE, || statuses() == ["entered-in-error", "entered-in-error"]).await?;
    checked(&server.all("Provenance")?).await?;
    let reasons = json!(server.all("Provenance")?).to_string();
    assert!(reasons.contains("the cuff was on somebody else") && reasons.contains("not of this resident"));

    // What the server never takes is shown with its reason, keeps nothing else waiting, and can be sent again.
    server.answers("422")?;
    let refused = open(&gateway, "C2", "2026-2")?;
    cabin.measure("2", "C2", (130, 85)).await?;
    end(&gateway, &refused)?;
    eventually("the refusal", PATIENCE, || fhir(&gateway)["refused"] == 1).await?;
    server.answers("")?;
    let third = open(&gateway, "C3", "2026-2")?;
    end(&gateway, &third)?;
    eventually("the third", PATIENCE, || fhir(&gateway)["sent"] == 2).await?;
    let shown = String::from_utf8(gateway.verb(&["fhir", "status"]).await?.stdout)?;
    assert!(shown.contains(&refused) && shown.contains("HTTP 422"), "{shown}");
    assert!(gateway.verb(&["fhir", "retry", &refused]).await?.status.success());
    eventually("all", PATIENCE, || fhir(&gateway)["sent"] == 3).await?;
    gateway.stop().await
}

/// Whoever is erased here is erased there, also when the server has trouble then and the gateway dies.
#[tokio::test]
async fn who_is_erased_here_is_deleted_there_and_nobody_else() -> anyhow::Result<()> {
    let (cabin, server) = sending("names = true\nanonymous = true\n").await?;
    let mut gateway = cabin.start().await?;
    let mut visits = Vec::new();
    for number in 1..=3 {
        let code = format!("E{number}");
        let visit = open(&gateway, &code, "2026-2")?;
        cabin.measure(&format!("e{number}"), &code, (140 + number, 80)).await?;
        end(&gateway, &visit)?;
        visits.push(visit);
    }
    let other = gateway.ask("POST", "/api/v1/visits", &json!({"code": "E9"}))?.1;
    let other = other["id"].as_str().unwrap().to_owned();
    cabin.measure("e9", "E9", (150, 90)).await?;
    end(&gateway, &other)?;
    eventually("all of them", PATIENCE, || fhir(&gateway)["sent"] == 4).await?;
    let count = |kind: &str| server.all(kind).map(|all| all.len()).unwrap_or(usize::MAX);
    assert_eq!((count("Observation"), count("Encounter"), count("Patient")), (8, 4, 2));

    // One visit: the resident has others.
    let erase = |gateway: &Gateway, path: &str| {
        let (status, said) =
            gateway.ask("POST", &format!("/api/v1/{path}/erase"), &json!({"why": "asked for"})).unwrap();
        assert_eq!(status, 200, "{said}");
    };
    let pseudonym = gateway.ask("GET", &format!("/api/v1/visits/{}", visits[0]), &Value::Null)?.1;
    let pseudonym = pseudonym["pseudonym"].as_str().unwrap().to_owned();
    erase(&gateway, &format!("visits/{}", visits[0]));
    eventually("the first is gone", PATIENCE, || count("Encounter") == 3 && count("Observation") == 6)
        .await?;
    assert_eq!((count("Patient"), count("Provenance")), (2, 3));

    // The resident, while the server has trouble; the gateway dies, and nobody asks again.
    server.answers("503")?;
    erase(&gateway, &format!("residents/{pseudonym}"));
    eventually("it waits", PATIENCE, || fhir(&gateway)["waiting"] == 2).await?;
    gateway.kill().await?;
    server.answers("")?;
    gateway = cabin.start().await?;
    eventually("the resident is gone", PATIENCE, || count("Encounter") == 1 && count("Patient") == 1).await?;
    eventually("nothing waits", PATIENCE, || fhir(&gateway)["waiting"] == 0 && fhir(&gateway)["sent"] == 1)
        .await?;
    assert_eq!((count("Observation"), count("Provenance")), (2, 1), "those of somebody else");
    let text =
        json!([server.all("Patient")?, server.all("Encounter")?, server.all("Observation")?]).to_string();
    assert!(!text.contains(&pseudonym) && !text.contains(NAME), "{text}");
    gateway.stop().await
}

#[tokio::test]
async fn the_values_of_a_resident_are_one_table_and_the_record_says_who_took_them() -> anyhow::Result<()> {
    let cabin = Cabin::build("")?;
    let gateway = cabin.start().await?;
    for (code, high) in [("D1", 131), ("D2", 132)] {
        let visit = open(&gateway, code, "2026-1")?;
        cabin.measure(code, code, (high, 80)).await?;
        end(&gateway, &visit)?;
    }
    let visits = gateway.ask("GET", "/api/v1/visits", &Value::Null)?.1;
    let pseudonym = visits[0]["pseudonym"].as_str().unwrap();
    let path = cabin.workspace.path("values.csv");
    let written = ["export", "csv", "--resident", pseudonym, "-o", &path.to_string_lossy()];
    let written = gateway.verb(&written).await?;
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let table = std::fs::read_to_string(&path)?;
    assert_eq!(table.lines().filter(|line| line.contains(pseudonym)).count(), 6, "{table}");
    let record = gateway.ask("GET", "/api/v1/audit?limit=5", &Value::Null)?.1;
    assert!(record.to_string().contains(&format!("\"about\":\"{pseudonym}\"")), "{record}");
    gateway.stop().await
}

#[tokio::test]
async fn a_document_of_a_device_is_sealed_shown_to_whoever_may_and_gone_with_its_visit() -> anyhow::Result<()>
{
    let cabin = Cabin::build("")?;
    let gateway = cabin.start().await?;
    let visit = open(&gateway, "E1", "2026-1")?;
    // A PDF with a text that would be found anywhere on the disk.
    let report = format!("%PDF-1.4\n{}\n%%EOF\n", "sinus rhythm of nobody else ".repeat(40));
    let encoded = said_of(&report).await?;
    let message = |control: &str, field: &str| {
        format!(
            "MSH|^~\\&|ECG|S|GW|S|||ORU^R01|{control}|P|2.5|||||||UNICODE UTF-8\rPID|||E1\r\
             OBR|1|||11524-6^EKG study^LN\rOBX|1|NM|8867-4^HR^LN||72|/min||||||F\r\
             OBX|2|ED|18844-1^EKG report^LN||{field}||||||F\r"
        )
    };
    let whole = message("D1", &format!("ECG^AP^PDF^Base64^{encoded}"));
    let answers =
        cabin.monitor.send(&[whole.clone(), whole, message("D2", "ECG^AP^PDF^Base64^PGh0bWw+")]).await?;
    assert_eq!(
        (&answers[0]["code"], &answers[1]["code"], &answers[2]["code"]),
        (&json!("AA"), &json!("AA"), &json!("AA"))
    );
    let shown = gateway.ask("GET", &format!("/api/v1/visits/{visit}"), &Value::Null)?.1;
    let measurements = shown["measurements"].as_array().unwrap();
    assert_eq!(measurements.len(), 2, "one was sent twice, the other's document is none");
    let with = measurements.iter().find(|one| one["measurement"]["attached"].is_array()).unwrap();
    let info = &with["measurement"]["attached"][0];
    assert_eq!((&info["title"], &info["media_type"]), (&json!("EKG report"), &json!("application/pdf")));
    let path = format!("/api/v1/measurements/{}/attachments/0", with["id"].as_str().unwrap());
    assert_eq!(gateway.get(&path)?, report);
    let record = gateway.ask("GET", "/api/v1/audit?limit=5", &Value::Null)?.1;
    assert!(record.to_string().contains("attachment.show"), "{record}");
    let (status, refusal) = gateway.ask("GET", &path.replace("/0", "/7"), &Value::Null)?;
    assert_eq!(status, 404, "{refusal}");
    let found = || {
        let files = std::fs::read_dir(cabin.workspace.path("data")).unwrap().flatten();
        let has = |path: &Path| {
            let bytes = std::fs::read(path).unwrap_or_default();
            ["sinus rhythm of nobody", &encoded[200..240]]
                .iter()
                .any(|mark| bytes.windows(mark.len()).any(|window| window == mark.as_bytes()))
        };
        files.map(|entry| entry.path()).any(|path| has(&path))
    };
    assert!(!found(), "it lies on the disk in clear");
    let erased =
        gateway.ask("POST", &format!("/api/v1/visits/{visit}/erase"), &json!({"why": "asked for it"}))?;
    assert_eq!(erased.0, 200, "{}", erased.1);
    assert_eq!(gateway.ask("GET", &path, &Value::Null)?.0, 404);
    gateway.stop().await
}

/// A text in Base64, by coreutils.
async fn said_of(text: &str) -> anyhow::Result<String> {
    let mut child = Command::new(tool("base64", "coreutils")?)
        .arg("-w0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut input, text.as_bytes()).await?;
    drop(input);
    Ok(String::from_utf8(child.wait_with_output().await?.stdout)?)
}
