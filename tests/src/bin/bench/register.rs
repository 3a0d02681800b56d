//! The register of a large centre: search among residents who are each sealed with a key of their own, and what it costs to
//! keep measurements sealed.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use linli_cabin::{Identity, ResidentKeys};
use linli_config::settings::key::{Key, Keys};
use linli_domain::Timestamp;
use linli_store::{Change, Entry, Resident, Settings, Store};
use linli_tests::devices::STORE;
use linli_tests::{Gateway, Hl7Monitor, Workspace};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::measure::{Row, percentile};

const RESIDENTS: usize = 5000;

/// How often each search is made.
const TIMES: usize = 60;

/// Measurements of each of the two visits.
const MEASURED: usize = 300;

/// How often a visit is read.
const READ: usize = 20;

const CENTRE: [u8; 32] = [0x1a; 32];
const DISTRICT: [u8; 32] = [0x2b; 32];

/// What is searched for, of a resident by number.
type Text = fn(usize) -> String;

/// Runs the benchmark.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let workspace = Workspace::new()?;
    let monitor = Hl7Monitor::new()?;
    let config = configured(&workspace, &monitor.device(Some("cabin")))?;
    seed(&workspace.path("data")).await?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    monitor.listening().await?;
    let mut rows = searches(&gateway)?;
    rows.push(one_more(&gateway)?);
    rows.push(sealing(&gateway, &monitor).await?);
    gateway.stop().await?;
    Ok(rows)
}

/// A gateway's configuration with a cabin and its keys.
pub fn configured(workspace: &Workspace, devices: &str) -> anyhow::Result<PathBuf> {
    let config = workspace.configure_with("", STORE, devices)?;
    let add = |file: &str, text: &str| -> anyhow::Result<()> {
        let path = config.join(file);
        Ok(std::fs::write(&path, std::fs::read_to_string(&path)? + text)?)
    };
    add("facility.toml", "\n[[room]]\nid = \"cabin\"\nname = \"健康小屋\"\n")?;
    add(
        "gateway.toml",
        "\n[cabin]\nidentity_key = \"file:identity.key\"\npseudonym_key = \"file:district.key\"\nconsent = \"2026-1\"\n",
    )?;
    for (file, byte) in [("identity.key", "1a"), ("district.key", "2b")] {
        std::fs::write(config.join(file), byte.repeat(32))?;
        std::fs::set_permissions(config.join(file), std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(config)
}

/// Registers everybody, as a gateway that has run for years has: over HTTP it would take hours.
async fn seed(data: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(data)?;
    std::fs::set_permissions(data, std::fs::Permissions::from_mode(0o700))?;
    let settings = Settings {
        path: data.join("linli.db"),
        max_bytes: 1 << 30,
        max_age: None,
        commit_interval: Duration::from_millis(20),
        history_retention: Duration::from_secs(86_400),
    };
    let at = Timestamp(linli_tests::now_ms());
    let (store, _) = Store::open(settings, Arc::new(move || at)).await?;
    let (residents, key) = (ResidentKeys::at(data), Key::of);
    let keys = Keys { identity: key(CENTRE), previous: Vec::new(), pseudonym: key(DISTRICT) };
    let numbers: Vec<usize> = (0..RESIDENTS).collect();
    for some in numbers.chunks(250) {
        let resident = |number: &usize| -> anyhow::Result<Change> {
            let pseudonym = pseudonym(*number);
            let sealed = residents.seal(&keys, &pseudonym, &identity(*number))?;
            Ok(Change::Resident(Resident { pseudonym, key: "resident".to_owned(), sealed, at }))
        };
        let changes = some.iter().map(resident).collect::<anyhow::Result<Vec<_>>>()?;
        store.cabin().keep(Entry { changes, ..Entry::default() }).await?;
    }
    store.close().await;
    // The gateway begins with what only its user may read.
    for file in std::fs::read_dir(data)? {
        let file = file?;
        if file.file_type()?.is_file() {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

/// 26 characters of base32 that are its own.
fn pseudonym(number: usize) -> String {
    let letters: String =
        format!("{number:08}").bytes().map(|digit| char::from(digit - b'0' + b'A')).collect();
    format!("{letters:Z<26}")
}

fn identity(number: usize) -> Identity {
    Identity { name: name(number), card: Some(card(number)), ..Identity::default() }
}

fn card(number: usize) -> String {
    format!("SZ{number:08}")
}

/// The last four characters of the card.
fn tail(number: usize) -> String {
    card(number)[6..].to_owned()
}

/// A family name and a given name of four characters, which nobody else has.
fn name(number: usize) -> String {
    const GIVEN: [char; 10] = ['安', '波', '晨', '德', '芳', '国', '华', '佳', '康', '兰'];
    let given: String =
        format!("{number:04}").bytes().map(|digit| GIVEN[usize::from(digit - b'0')]).collect();
    format!("张{given}")
}

fn post(gateway: &Gateway, path: &str, body: &Value) -> anyhow::Result<Value> {
    let (status, answer) = gateway.ask("POST", path, body)?;
    anyhow::ensure!(status < 300, "{path}: {status} {answer}");
    Ok(answer)
}

/// Every kind of search; each must find exactly whom it is for.
fn searches(gateway: &Gateway) -> anyhow::Result<Vec<Row>> {
    let kinds: [(&str, Text, bool); 4] = [
        ("the last four of a card", tail, true),
        ("a card", card, true),
        ("a name", name, true),
        ("somebody who is not registered", |number| format!("SZ9999{number:04}"), false),
    ];
    let mut rows = Vec::new();
    for (what, text, is_there) in kinds {
        let mut took = Vec::new();
        for at in 0..TIMES {
            let number = at * 83 % RESIDENTS;
            let began = Instant::now();
            let found = post(gateway, "/api/v1/residents/search", &json!({"text": text(number)}))?;
            took.push(began.elapsed().as_secs_f64() * 1000.0);
            let found: Vec<&str> =
                found.as_array().into_iter().flatten().filter_map(|one| one["pseudonym"].as_str()).collect();
            let own = pseudonym(number);
            let expected: &[&str] = if is_there { &[&own] } else { &[] };
            anyhow::ensure!(found == expected, "{what} {number}: {found:?}");
        }
        rows.push(Row::new(
            format!("search among {RESIDENTS} residents by {what}, p50 and p99 of {TIMES}"),
            "< 300 ms",
            format!("{:.0} and {:.0} ms", percentile(&mut took, 0.5), percentile(&mut took, 0.99)),
        ));
    }
    Ok(rows)
}

/// Somebody new is registered: their numbers are looked for among all.
fn one_more(gateway: &Gateway) -> anyhow::Result<Row> {
    let mut took = Vec::new();
    for number in 0..READ {
        let identity = json!({"name": "新来", "card": format!("NEW{number:05}")});
        let began = Instant::now();
        post(gateway, "/api/v1/residents", &json!({"identity": identity, "consent": "2026-1"}))?;
        took.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(Row::new(
        format!("one more is registered among {RESIDENTS}, p50 and longest of {READ}"),
        "< 300 ms",
        format!("{:.0} and {:.0} ms", percentile(&mut took, 0.5), percentile(&mut took, 1.0)),
    ))
}

/// A visit of a resident beside one of nobody, the same measurements in both: what sealing and opening them costs.
async fn sealing(gateway: &Gateway, monitor: &Hl7Monitor) -> anyhow::Result<Row> {
    let identity = json!({"name": name(0), "card": card(0)});
    let sealed = json!({"by": "card", "code": "SEALED", "identity": identity, "consent": "2026-1"});
    let clear = json!({"by": "worker", "code": "CLEAR"});
    let (mut taken, mut read) = (Vec::new(), Vec::new());
    for (code, opening) in [("CLEAR", clear), ("SEALED", sealed)] {
        let visit = post(gateway, "/api/v1/visits", &opening)?;
        let id = visit["id"].as_str().unwrap_or_default().to_owned();
        let mut answers = measure(monitor, code).await?;
        taken.push(percentile(&mut answers, 0.5));
        post(gateway, &format!("/api/v1/visits/{id}/end"), &json!({"ending": "completed"}))?;
        let mut took = Vec::new();
        for _ in 0..READ {
            let began = Instant::now();
            let (_, shown) = gateway.ask("GET", &format!("/api/v1/visits/{id}"), &Value::Null)?;
            took.push(began.elapsed().as_secs_f64() * 1e6 / MEASURED as f64);
            let count = shown["measurements"].as_array().map_or(0, Vec::len);
            anyhow::ensure!(count == MEASURED, "{count} measurements");
        }
        read.push(percentile(&mut took, 0.5));
    }
    Ok(Row::new(
        format!(
            "measurements of a resident, sealed: taken and acknowledged; read in a visit of {MEASURED}, each"
        ),
        "",
        format!("{:.2} ms; {:.0} µs ({:.0} values/s)", taken[1], read[1], 1e6 / read[1]),
    )
    .against(format!("in clear, of nobody: {:.2} ms; {:.0} µs", taken[0], read[0]), read[1] / read[0]))
}

/// Sends the measurements of a visit; how long each acknowledgement took, in ms.
async fn measure(monitor: &Hl7Monitor, code: &str) -> anyhow::Result<Vec<f64>> {
    let mut port = TcpStream::connect(("127.0.0.1", monitor.port)).await?;
    let mut took = Vec::new();
    for number in 0..MEASURED {
        let message = format!(
            "\x0bMSH|^~\\&|M|C|GW|C|||ORU^R01^ORU_R01|{code}{number}|P|2.6|||||||UNICODE UTF-8\rPID|||{code}\r\
             OBR|1|||85353-1^Vital signs^LN\rOBX|1|NM|8867-4^x^LN||{}|/min^^UCUM|||||F\r\x1c\r",
            60 + number % 40
        );
        let began = Instant::now();
        port.write_all(message.as_bytes()).await?;
        let mut answer = [0; 512];
        let length = port.read(&mut answer).await?;
        took.push(began.elapsed().as_secs_f64() * 1000.0);
        anyhow::ensure!(String::from_utf8_lossy(&answer[..length]).contains("MSA|AA"), "not taken");
    }
    Ok(took)
}
