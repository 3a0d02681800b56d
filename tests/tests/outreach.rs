//! An outreach (巡诊): two boxes whose clocks are ten minutes apart, one in the field, one at the centre, and a file that is
//! carried from one to the other.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;

use linli_tests::devices::STORE;
use linli_tests::{FakeClock, Gateway, Hl7Monitor, Workspace};
use serde_json::{Value, json};

const SECRET: &str = "巡诊车与中心共用的口令 2026";
const ZHANG: &str = "11010519491231002X";
const TEN_MINUTES_MS: i64 = 600_000;

/// A gateway with keys and a monitor in a room.
struct Site {
    workspace: Workspace,
    config: PathBuf,
    monitor: Hl7Monitor,
}

// === impl Site ===

impl Site {
    fn build(id: &str) -> anyhow::Result<Self> {
        let workspace = Workspace::new()?;
        let monitor = Hl7Monitor::new()?;
        let config = workspace.configure_with("", STORE, &monitor.device(Some("cabin")))?;
        let facility = format!(
            "[centre]\nid = \"{id}\"\nname = \"试验\"\nform = \"compact\"\n\n\
             [[room]]\nid = \"cabin\"\nname = \"健康小屋\"\n"
        );
        std::fs::write(config.join("facility.toml"), facility)?;
        let path = config.join("gateway.toml");
        let cabin = "\n[cabin]\nidentity_key = \"file:identity.key\"\npseudonym_key = \"file:district.key\"\n\
                     consent = \"2026-1\"\n";
        std::fs::write(&path, std::fs::read_to_string(&path)? + cabin)?;
        // Each box seals with a key of its own; the district's is the same.
        let own = if id == "van" { "1a" } else { "3c" };
        for (file, byte) in [("identity.key", own), ("district.key", "2b")] {
            std::fs::write(config.join(file), byte.repeat(32))?;
            std::fs::set_permissions(config.join(file), std::fs::Permissions::from_mode(0o600))?;
        }
        std::fs::write(workspace.path("secret"), format!("{SECRET}\n"))?;
        std::fs::write(workspace.path("wrong"), "another secret of people\n")?;
        Ok(Self { workspace, config, monitor })
    }

    async fn start(&self, wrapper: &[&str]) -> anyhow::Result<Gateway> {
        let mut gateway = Gateway::start_under(wrapper, &self.config, &self.workspace.path("data")).await?;
        gateway.answering().await?;
        self.monitor.listening().await?;
        Ok(gateway)
    }

    fn path(&self, name: &str) -> String {
        self.workspace.path(name).to_string_lossy().into_owned()
    }

    /// Sends a pulse of a patient from the monitor.
    async fn pulse(&self, control: &str, patient: &str, value: u8) -> anyhow::Result<()> {
        let message = format!(
            "MSH|^~\\&|CABIN|S|GW|S|||ORU^R01^ORU_R01|{control}|P|2.6|||||||UNICODE UTF-8\rPID|||{patient}\r\
             OBR|1|||85353-1^Vital signs^LN\rOBX|1|NM|8867-4^x^LN||{value}|/min^^UCUM|||||F\r"
        );
        let answers = self.monitor.send(&[message]).await?;
        anyhow::ensure!(answers[0]["code"] == "AA", "{answers:?}");
        Ok(())
    }
}

fn post(gateway: &Gateway, path: &str, body: &Value) -> Value {
    let (status, answer) = gateway.ask("POST", path, body).unwrap();
    assert!(status < 300, "{path}: {status} {answer}");
    answer
}

fn get(gateway: &Gateway, path: &str) -> Value {
    let (status, answer) = gateway.ask("GET", path, &Value::Null).unwrap();
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

fn open(gateway: &Gateway, code: &str, identity: &Value) -> String {
    let mut body = json!({"code": code});
    if !identity.is_null() {
        body["identity"] = identity.clone();
        body["consent"] = json!("2026-1");
    }
    post(gateway, "/api/v1/visits", &body)["id"].as_str().unwrap().to_owned()
}

fn end(gateway: &Gateway, visit: &str) {
    post(gateway, &format!("/api/v1/visits/{visit}/end"), &json!({"ending": "completed"}));
}

fn search(gateway: &Gateway, text: &str) -> Value {
    post(gateway, "/api/v1/residents/search", &json!({"text": text}))
}

/// The pseudonyms of those whom a name finds.
fn named(gateway: &Gateway, text: &str) -> Vec<String> {
    let found = search(gateway, text);
    found.as_array().unwrap().iter().map(|one| one["pseudonym"].as_str().unwrap().to_owned()).collect()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Exports at the box; returns the file.
async fn exported(van: &Site, gateway: &Gateway, name: &str) -> anyhow::Result<String> {
    let (file, secret) = (van.path(name), van.path("secret"));
    let done = gateway.verb(&["visits", "export", &file, "--secret", &secret]).await?;
    anyhow::ensure!(done.status.success(), "{}", said(&done));
    Ok(file)
}

/// Imports at the centre; returns the report.
async fn imported(centre: &Site, gateway: &Gateway, file: &str) -> anyhow::Result<Value> {
    let done =
        gateway.verb(&["visits", "import", file, "--secret", &centre.path("secret"), "--json"]).await?;
    anyhow::ensure!(done.status.success(), "{}", said(&done));
    Ok(serde_json::from_slice(&done.stdout)?)
}

fn counts(report: &Value) -> [u64; 6] {
    ["visits", "visits_known", "measurements", "versions", "residents", "doubts"]
        .map(|key| report[key].as_u64().unwrap())
}

/// Who is registered at the centre before.
fn register(gateway: &Gateway) -> String {
    let zhang = json!({"name": "张小明", "id_number": ZHANG, "conditions": ["hypertension"]});
    let visit = open(gateway, "C1", &zhang);
    end(gateway, &visit);
    for identity in [
        json!({"name": "李四", "card": "SZ00000009"}),
        json!({"name": "孙七", "card": "SZ00000007"}),
        json!({"name": "王五", "sex": "male"}),
    ] {
        post(gateway, "/api/v1/residents", &json!({"identity": identity, "consent": "2026-1"}));
    }
    visit
}

/// A day in the field: five visits that end, one that is still open, a reading of nobody. The ids of the visits.
async fn day_in_the_field(van: &Site, gateway: &Gateway) -> anyhow::Result<Vec<String>> {
    van.pulse("0", "", 61).await?;
    let residents = [
        json!({"name": "张小明", "id_number": ZHANG, "phone": "13800000000"}),
        json!({"name": "李四", "card": "sz00000009"}),
        json!({"name": "赵六", "card": "SZ00000007"}),
        json!({"name": "王五", "birth_year": 1950}),
        Value::Null,
    ];
    let mut visits = Vec::new();
    for (nth, identity) in residents.iter().enumerate() {
        let visit = open(gateway, &format!("F{nth}"), identity);
        van.pulse(&format!("{nth}-1"), &format!("F{nth}"), 70 + u8::try_from(nth)?).await?;
        end(gateway, &visit);
        visits.push(visit);
    }
    open(gateway, "F9", &Value::Null);
    Ok(visits)
}

/// What was measured during a visit: how many, and the pulse.
fn measured(gateway: &Gateway, visit: &str) -> (usize, f64) {
    let shown = get(gateway, &format!("/api/v1/visits/{visit}"));
    let all = shown["measurements"].as_array().unwrap();
    (all.len(), all[0]["measurement"]["readings"][0]["value"].as_f64().unwrap())
}

#[tokio::test]
async fn visits_of_the_field_join_the_register_once() -> anyhow::Result<()> {
    let (van, centre) = (Site::build("van")?, Site::build("centre")?);
    let clock = FakeClock::new(&van.workspace).await?;
    clock.set("+10m")?;
    let (field, home) = (van.start(&clock.constant()).await?, centre.start(&[]).await?);
    let first_visit = register(&home);
    let visits = day_in_the_field(&van, &field).await?;
    let file = exported(&van, &field, "day.linli").await?;
    what_is_no_file_takes_nothing(&centre, &home, &file).await?;
    it_names_nobody(&file)?;
    a_preview_takes_nothing(&home, &file)?;
    let seen =
        home.verb(&["visits", "import", &file, "--secret", &centre.path("secret"), "--preview"]).await?;
    let seen = said(&seen);
    anyhow::ensure!(seen.contains("     5  visits taken") && seen.contains("same name, to decide"), "{seen}");
    assert_eq!(get(&home, "/api/v1/visits/counts")["visits"], 1);

    // The stick is pulled out after the first visit; the file is read again from the beginning.
    let text = std::fs::read_to_string(&file)?;
    let lines: Vec<&str> = text.lines().collect();
    let part = json!({"secret": SECRET, "header": lines[0], "number": 2, "lines": [lines[1]]});
    assert_eq!(counts(&post(&home, "/api/v1/outreach/import", &part)), [1, 0, 1, 0, 0, 0]);
    let report = imported(&centre, &home, &file).await?;
    assert_eq!(counts(&report), [4, 1, 5, 0, 2, 2], "{report}");
    // A power cut after it changes nothing, and neither does reading it again.
    home.kill().await?;
    let home = centre.start(&[]).await?;
    let report = imported(&centre, &home, &file).await?;
    assert_eq!(counts(&report), [0, 5, 0, 0, 0, 0], "{report}");

    who_is_who(&home, &first_visit, &visits);
    times_are_those_of_the_box(&field, &home, &visits[0]);
    for (nth, visit) in visits.iter().enumerate() {
        assert_eq!(measured(&home, visit), (1, 70.0 + nth as f64), "{visit}");
    }
    assert_eq!(get(&home, "/api/v1/measurements/unassigned").as_array().unwrap().len(), 1);

    a_person_decides(&home).await?;
    let report = imported(&centre, &home, &file).await?;
    assert_eq!(counts(&report), [0, 5, 0, 0, 0, 0], "what was decided stays so: {report}");
    assert_eq!(get(&home, "/api/v1/outreach/doubts"), json!([]));

    what_follows_is_taken_too((&van, &field), (&centre, &home), &visits).await?;
    erased_stays_erased((&centre, &home), &file, &visits[0]).await?;
    every_step_is_recorded(&field, &home, &visits);
    field.stop().await?;
    home.stop().await
}

async fn what_is_no_file_takes_nothing(centre: &Site, home: &Gateway, file: &str) -> anyhow::Result<()> {
    let refused = async |file: &str, secret: &str, word: &str| -> anyhow::Result<()> {
        let done = home.verb(&["visits", "import", file, "--secret", &centre.path(secret)]).await?;
        let said = said(&done);
        anyhow::ensure!(!done.status.success() && said.contains(word), "{word}: {said}");
        Ok(())
    };
    refused(file, "wrong", "line 2 does not open").await?;
    let text = std::fs::read_to_string(file)?;
    let lines: Vec<&str> = text.lines().collect();
    let write = |name: &str, lines: &[&str]| -> anyhow::Result<String> {
        let path = centre.path(name);
        std::fs::write(&path, lines.join("\n"))?;
        Ok(path)
    };
    let cut_off = write("cut.linli", &lines[..lines.len() - 1])?;
    refused(&cut_off, "secret", "its end is missing").await?;
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    refused(&write("swapped.linli", &swapped)?, "secret", "line 3 does not open").await?;
    refused(&write("table.csv", &["id,name", "1,2"])?, "secret", "line 1 is no header").await?;
    anyhow::ensure!(get(home, "/api/v1/visits/counts")["visits"] == 1, "something was taken");
    Ok(())
}

fn it_names_nobody(file: &str) -> anyhow::Result<()> {
    let bytes = std::fs::read(file)?;
    for word in ["张小明", ZHANG, "SZ00000009", "李四", "pulse_rate"] {
        let is_in = bytes.windows(word.len()).any(|part| part == word.as_bytes());
        anyhow::ensure!(!is_in, "{word} is in the file");
    }
    let mode = std::fs::metadata(file)?.permissions().mode() & 0o777;
    anyhow::ensure!(mode == 0o600, "{mode:o}");
    Ok(())
}

/// What the file would bring is said before anything of it is taken, in the words of the register.
fn a_preview_takes_nothing(home: &Gateway, file: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file)?;
    let lines: Vec<&str> = text.lines().collect();
    let whole = json!({"secret": SECRET, "header": lines[0], "number": 2, "lines": lines[1..]});
    let preview = post(home, "/api/v1/outreach/preview", &whole);
    let report = &preview["report"];
    assert_eq!(counts(report), [5, 0, 6, 0, 2, 2], "{preview}");
    let count = |key: &str| report[key].as_u64().unwrap();
    assert_eq!((count("residents_known"), count("erased"), count("expired")), (2, 0, 0), "{preview}");
    assert_eq!((&report["complete"], &preview["from"]), (&json!(true), &json!("van")));
    // Three have a number; the district's key is the same on both sides.
    assert_eq!((&preview["numbered"], &preview["other_key"]), (&json!(3), &json!(0)), "{preview}");
    let mut kinds: Vec<(&str, &str)> = preview["residents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["kind"].as_str().unwrap()))
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [("张**", "known"), ("李*", "known"), ("王*", "same_name"), ("赵*", "same_number")]);
    assert!(!preview.to_string().contains(ZHANG) && !preview.to_string().contains("张小明"), "{preview}");
    // Nothing was taken, and the look is in the record.
    assert_eq!(get(home, "/api/v1/visits/counts")["visits"], 1);
    assert_eq!(named(home, "赵六"), [""; 0]);
    let audit = get(home, "/api/v1/audit?limit=100");
    let looks = audit.as_array().unwrap().iter().filter(|entry| entry["what"] == "outreach.preview");
    assert_eq!(looks.count(), 1, "{audit}");
    Ok(())
}

fn who_is_who(home: &Gateway, first_visit: &str, visits: &[String]) {
    // By identity number: both visits are of one record, which now has the telephone number as well.
    let zhang = named(home, ZHANG);
    assert_eq!(zhang.len(), 1);
    let sheet = get(home, &format!("/api/v1/residents/{}?reveal=true", zhang[0]));
    let of: Vec<&str> =
        sheet["visits"].as_array().unwrap().iter().map(|visit| visit["id"].as_str().unwrap()).collect();
    assert_eq!(of, [visits[0].as_str(), first_visit]);
    assert_eq!(sheet["identity"]["phone"], "13800000000");
    assert_eq!(sheet["identity"]["conditions"], json!(["hypertension"]));
    // By card.
    let li = named(home, "李四");
    let sheet = get(home, &format!("/api/v1/residents/{}", li[0]));
    assert_eq!((li.len(), sheet["visits"][0]["id"].as_str()), (1, Some(visits[1].as_str())));
    // The same card with another name, and the name alone: records of their own.
    assert_eq!((named(home, "孙七").len(), named(home, "赵六").len(), named(home, "王五").len()), (1, 1, 2));
    assert_eq!(get(home, &format!("/api/v1/visits/{}", visits[4]))["pseudonym"], Value::Null);
}

/// The times are those of the box, the doubt stands beside them.
fn times_are_those_of_the_box(field: &Gateway, home: &Gateway, visit: &str) {
    let path = format!("/api/v1/visits/{visit}");
    let (there, here) = (get(field, &path), get(home, &path));
    for key in ["opened", "ended", "measurements"] {
        assert_eq!(there[key], here[key], "{key}");
    }
    let outreach = &here["progress"]["outreach"];
    assert_eq!((&outreach["from"], there["progress"].is_null()), (&json!("van"), true), "{outreach}");
    let ahead = outreach["clock_ahead_ms"].as_i64().unwrap();
    assert!((TEN_MINUTES_MS - 120_000..=TEN_MINUTES_MS).contains(&ahead), "{ahead}");
}

async fn a_person_decides(home: &Gateway) -> anyhow::Result<()> {
    let doubts = get(home, "/api/v1/outreach/doubts");
    let find = |why: &str| {
        let all = doubts.as_array().unwrap();
        all.iter().find(|doubt| doubt["why"] == why).unwrap_or_else(|| panic!("{why}: {doubts}")).clone()
    };
    let (namesake, borrowed) = (find("same_name"), find("same_number"));
    assert_eq!((&namesake["name"], &namesake["known"][0]["name"]), (&json!("王*"), &json!("王*")));
    assert_eq!((&borrowed["name"], &borrowed["known"][0]["name"]), (&json!("赵*"), &json!("孙*")));
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let listed = home.verb(&["visits", "doubts"]).await?;
    anyhow::ensure!(said(&listed).contains(&word(&borrowed["pseudonym"])), "{}", said(&listed));
    let merge = format!("/api/v1/residents/{}/merge", word(&namesake["pseudonym"]));
    let into = json!({"into": namesake["known"][0]["pseudonym"], "why": "问过居民，是同一个人"});
    assert_eq!(post(home, &merge, &into)["visits"], 1);
    let borrowed = word(&borrowed["pseudonym"]);
    let apart = home.verb(&["visits", "apart", &borrowed, "--why", "赵六借用了孙七的卡"]).await?;
    anyhow::ensure!(apart.status.success(), "{}", said(&apart));
    assert_eq!(named(home, "王五").len(), 1);
    assert_eq!(get(home, "/api/v1/outreach/doubts"), json!([]));
    Ok(())
}

/// A correction and a further visit in the field; one measurement that was corrected on both sides.
async fn what_follows_is_taken_too(
    (van, field): (&Site, &Gateway),
    (centre, home): (&Site, &Gateway),
    visits: &[String],
) -> anyhow::Result<()> {
    let correct = |gateway: &Gateway, visit: &str, value: f64| {
        let shown = get(gateway, &format!("/api/v1/visits/{visit}"));
        let measurement = shown["measurements"][0]["id"].as_str().unwrap().to_owned();
        let body = json!({"readings": [{"quantity": "pulse_rate", "value": value}], "why": "看错"});
        post(gateway, &format!("/api/v1/measurements/{measurement}/correct"), &body);
        measurement
    };
    correct(field, &visits[1], 88.0);
    let both = correct(field, &visits[2], 89.0);
    assert_eq!(correct(home, &visits[2], 90.0), both);
    let further = open(field, "F7", &json!({"name": "张小明", "id_number": ZHANG}));
    van.pulse("7-1", "F7", 77).await?;
    end(field, &further);
    let report = imported(centre, home, &exported(van, field, "evening.linli").await?).await?;
    // The visit that was open at noon has ended too: the next one was opened.
    assert_eq!(counts(&report), [2, 5, 1, 1, 0, 0], "{report}");
    assert_eq!(report["conflicts"], json!([both]));
    assert_eq!(measured(home, &visits[1]).1, 88.0);
    assert_eq!(measured(home, &visits[2]).1, 90.0, "what is here was left as it is");
    assert_eq!(measured(home, &further), (1, 77.0));
    Ok(())
}

/// Who was erased at the centre does not come back with the file.
async fn erased_stays_erased(
    (centre, home): (&Site, &Gateway),
    file: &str,
    visit: &str,
) -> anyhow::Result<()> {
    let zhang = named(home, ZHANG);
    let erase = format!("/api/v1/residents/{}/erase", zhang[0]);
    assert_eq!(post(home, &erase, &json!({"why": "居民要求"}))["erased"]["visits"], 3);
    let report = imported(centre, home, file).await?;
    assert_eq!((&report["erased"], counts(&report)), (&json!(1), [0, 4, 0, 0, 0, 0]), "{report}");
    assert_eq!(search(home, ZHANG), json!([]));
    assert_eq!(home.ask("GET", &format!("/api/v1/visits/{visit}"), &Value::Null)?.0, 404);
    Ok(())
}

fn every_step_is_recorded(field: &Gateway, home: &Gateway, visits: &[String]) {
    let audit = |gateway: &Gateway| get(gateway, "/api/v1/audit?limit=1000");
    let is_in = |audit: &Value, what: &str, about: &str| {
        let entries = audit.as_array().unwrap();
        entries.iter().any(|entry| entry["what"] == what && entry["about"] == about)
    };
    let (there, here) = (audit(field), audit(home));
    for visit in visits {
        assert!(is_in(&there, "outreach.export", visit), "{visit}");
        assert!(is_in(&here, "outreach.import", visit), "{visit}");
    }
    for audit in [there, here] {
        assert!(!audit.to_string().contains("张小明") && !audit.to_string().contains(ZHANG));
    }
}
