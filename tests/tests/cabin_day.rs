//! A morning in the health cabin: six residents, one after the other, and the power fails in the middle of it.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use linli_tests::devices::STORE;
use linli_tests::{Broker, Gateway, Hl7Monitor, Workspace, eventually};
use serde_json::{Value, json};

/// A gateway with keys and a monitor in a cabin.
struct Cabin {
    workspace: Workspace,
    config: PathBuf,
    monitor: Hl7Monitor,
    _broker: Broker,
}

// === impl Cabin ===

impl Cabin {
    async fn build() -> anyhow::Result<Self> {
        let workspace = Workspace::new()?;
        let broker = Broker::start(&workspace).await?;
        let monitor = Hl7Monitor::new()?;
        let config = workspace.configure(broker.port, STORE, &monitor.device(Some("cabin")))?;
        let add = |file: &str, text: &str| -> anyhow::Result<()> {
            let path = config.join(file);
            let before = std::fs::read_to_string(&path)?;
            Ok(std::fs::write(path, before + text)?)
        };
        add("facility.toml", "\n[[room]]\nid = \"cabin\"\nname = \"健康小屋\"\n")?;
        add(
            "gateway.toml",
            "\n[cabin]\nidentity_key = \"file:identity.key\"\npseudonym_key = \"file:district.key\"\n\
             consent = \"2026-1\"\npressure_rest = \"10s\"\ncritical_after = \"10s\"\n",
        )?;
        for (file, byte) in [("identity.key", "1a"), ("district.key", "2b")] {
            std::fs::write(config.join(file), byte.repeat(32))?;
            std::fs::set_permissions(config.join(file), std::fs::Permissions::from_mode(0o600))?;
        }
        Ok(Self { workspace, config, monitor, _broker: broker })
    }

    async fn start(&self) -> anyhow::Result<Gateway> {
        let mut gateway = Gateway::start(&self.config, &self.workspace.path("data")).await?;
        gateway.answering().await?;
        self.monitor.listening().await?;
        Ok(gateway)
    }

    /// Sends results (code, value, unit, OBX-11) of a patient from the monitor.
    async fn measure(
        &self,
        control: &str,
        patient: &str,
        results: &[(&str, &str, &str, &str)],
    ) -> anyhow::Result<()> {
        let mut message = format!(
            "MSH|^~\\&|CABIN|S|GW|S|||ORU^R01^ORU_R01|{control}|P|2.6|||||||UNICODE UTF-8\rPID|||{patient}\r\
             OBR|1|||85353-1^Vital signs^LN\r"
        );
        for (nth, (code, value, unit, status)) in results.iter().enumerate() {
            message += &format!("OBX|{}|NM|{code}^x^LN||{value}|{unit}^^UCUM|||||{status}\r", nth + 1);
        }
        let answers = self.monitor.send(&[message]).await?;
        anyhow::ensure!(answers[0]["code"] == "AA", "{answers:?}");
        Ok(())
    }

    async fn pressure(&self, control: &str, patient: &str, high: &str, low: &str) -> anyhow::Result<()> {
        let results = [("8480-6", high, "mm[Hg]", "F"), ("8462-4", low, "mm[Hg]", "F")];
        self.measure(control, patient, &results).await
    }
}

fn post(gateway: &Gateway, path: &str, body: &Value) -> (u16, Value) {
    gateway.ask("POST", path, body).unwrap()
}

fn get(gateway: &Gateway, path: &str) -> Value {
    let (status, body) = gateway.ask("GET", path, &Value::Null).unwrap();
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// Opens a visit; returns its id.
fn open(gateway: &Gateway, body: &Value) -> String {
    let (status, visit) = post(gateway, "/api/v1/visits", body);
    assert_eq!(status, 201, "{visit}");
    visit["id"].as_str().unwrap().to_owned()
}

fn visit(gateway: &Gateway, id: &str) -> Value {
    get(gateway, &format!("/api/v1/visits/{id}"))
}

fn end(gateway: &Gateway, id: &str, ending: &str) {
    assert_eq!(post(gateway, &format!("/api/v1/visits/{id}/end"), &json!({"ending": ending})).0, 200);
}

fn value(visit: &Value, quantity: &str) -> Option<f64> {
    let values = visit["summary"]["values"].as_array()?;
    values.iter().find(|value| value["quantity"] == quantity)?["value"].as_f64()
}

const ZHANG: &str = "11010519491231002X";

#[tokio::test]
async fn six_residents_and_a_power_cut() -> anyhow::Result<()> {
    let cabin = Cabin::build().await?;
    let gateway = cabin.start().await?;
    let what = get(&gateway, "/api/v1/cabin");
    let told = (&what["rooms"][0]["room"], &what["consent"], &what["names"]);
    assert_eq!(told, (&json!("cabin"), &json!("2026-1"), &json!(true)));
    two_pressures_that_differ(&cabin, &gateway).await?;
    a_doubtful_saturation(&cabin, &gateway).await?;
    let gateway = a_critical_pressure(&cabin, gateway).await?;
    a_wrong_claim(&cabin, &gateway).await?;
    let fifth = open(&gateway, &json!({"code": "A5"}));
    end(&gateway, &fifth, "abandoned");
    let known_as = somebody_who_comes_again(&gateway);
    records(&gateway, &known_as);
    let counts = get(&gateway, "/api/v1/visits/counts");
    let wanted =
        [("visits", 6), ("completed", 5), ("abandoned", 1), ("open", 0), ("critical", 1), ("referred", 1)];
    for (what, count) in wanted {
        assert_eq!(counts[what], count, "{what}: {counts}");
    }
    every_look_is_recorded(&gateway, &known_as);
    erasing_takes_joined_records_along(&gateway, &known_as);
    gateway.stop().await
}

/// A third pressure is asked for, and the mean of all three counts.
async fn two_pressures_that_differ(cabin: &Cabin, gateway: &Gateway) -> anyhow::Result<()> {
    let zhang = json!({"name": "张小明", "id_number": ZHANG, "conditions": ["hypertension"]});
    let wrong = json!({"name": "张小明", "id_number": "110105194912310021"});
    let (status, problem) = post(gateway, "/api/v1/visits", &json!({"consent": "2026-1", "identity": wrong}));
    assert_eq!(status, 422, "{problem}");
    let first = open(gateway, &json!({"by": "card", "code": "A1", "consent": "2026-1", "identity": zhang}));
    let guide = format!("/api/v1/visits/{first}/pressure");
    assert_eq!(post(gateway, &guide, &json!({"begins": true})).0, 200);
    cabin.pressure("1", "A1", "150", "90").await?;
    let series = visit(gateway, &first)["pressure"].clone();
    assert_eq!((&series["wanted"], series["readings"].as_array().unwrap().len()), (&json!(2), 1));
    let last = series["readings"][0]["at"].as_i64().unwrap();
    assert_eq!(series["next_at"], last + 10_000, "the rest counts from the last one");
    cabin.pressure("2", "A1", "138", "90").await?;
    assert_eq!(visit(gateway, &first)["pressure"]["wanted"], 3, "they differ by more than 5");
    cabin.pressure("3", "A1", "144", "87").await?;
    let shown = visit(gateway, &first);
    assert_eq!(shown["pressure"]["next_at"], Value::Null);
    assert_eq!((value(&shown, "systolic"), value(&shown, "diastolic")), (Some(144.0), Some(89.0)));
    assert_eq!((&shown["name"], &shown["person"]["tail"]), (&json!("张**"), &json!("002X")));
    assert!(shown["person"]["age"].as_i64().is_some_and(|age| age > 70), "{shown}");
    let verdict = &shown["summary"]["assessment"][0];
    assert!(verdict["source"].as_str().is_some_and(|source| source.contains("指南")), "{verdict}");
    end(gateway, &first, "completed");
    Ok(())
}

/// It is shown, called nothing critical, and replaced by a good one.
async fn a_doubtful_saturation(cabin: &Cabin, gateway: &Gateway) -> anyhow::Result<()> {
    let second = open(gateway, &json!({"code": "A2"}));
    cabin.measure("4", "A2", &[("59408-5", "84", "%", "P")]).await?;
    let shown = visit(gateway, &second);
    assert_eq!(shown["summary"]["values"][0]["caveats"], json!(["preliminary"]));
    assert_eq!(shown["critical"], Value::Null, "a doubtful value is repeated first");
    cabin.measure("5", "A2", &[("59408-5", "97", "%", "F")]).await?;
    assert_eq!(value(&visit(gateway, &second), "oxygen_saturation"), Some(97.0));
    end(gateway, &second, "completed");
    Ok(())
}

/// The power fails before anybody answers; the question is still there.
async fn a_critical_pressure(cabin: &Cabin, gateway: Gateway) -> anyhow::Result<Gateway> {
    let third = open(&gateway, &json!({"code": "A3"}));
    cabin.pressure("6", "A3", "186", "108").await?;
    let measured = visit(&gateway, &third)["critical"][0]["measurement"].clone();
    gateway.kill().await?;
    let gateway = cabin.start().await?;
    let critical = visit(&gateway, &third)["critical"].clone();
    assert_eq!(critical.as_array().unwrap().len(), 1, "{critical}");
    assert_eq!((&critical[0]["shown"], &critical[0]["answer"]), (&json!("186"), &Value::Null));
    assert_eq!(critical[0]["measurement"], measured);
    let answer = |read_back: &str| {
        let body = json!({
            "measurement": measured, "quantity": "systolic", "read_back": read_back, "decision": "refer",
        });
        post(&gateway, &format!("/api/v1/visits/{third}/critical"), &body)
    };
    let (status, problem) = answer("168");
    assert!(status == 422 && problem["detail"].as_str().unwrap().contains("186"), "{problem}");
    assert_eq!(answer("186").0, 200);
    let critical = visit(&gateway, &third)["critical"].clone();
    assert_eq!(critical[0]["answer"]["decision"], "refer");
    assert!(critical[0]["answer"]["by"].as_str().is_some_and(|by| !by.is_empty()));
    end(&gateway, &third, "completed");
    Ok(gateway)
}

/// What was measured of nobody is claimed, and the claim is undone.
async fn a_wrong_claim(cabin: &Cabin, gateway: &Gateway) -> anyhow::Result<()> {
    cabin.measure("7", "", &[("8310-5", "38.4", "Cel", "F")]).await?;
    let fourth = open(gateway, &json!({"code": "A4"}));
    let nobodys =
        || get(gateway, "/api/v1/measurements/unassigned").as_array().unwrap().last().unwrap().clone();
    let lost = nobodys();
    assert!(lost["measurement"]["taken"]["at"].as_i64() <= visit(gateway, &fourth)["opened"].as_i64());
    let assign = format!("/api/v1/measurements/{}/assign", lost["id"].as_str().unwrap());
    assert_eq!(post(gateway, &assign, &json!({"visit": fourth, "why": "居民在场认领"})).0, 200);
    assert_eq!(value(&visit(gateway, &fourth), "temperature"), Some(38.4));
    assert_eq!(post(gateway, &assign, &json!({"visit": null, "why": "认领有误"})).0, 200);
    assert_eq!(value(&visit(gateway, &fourth), "temperature"), None);
    let back = nobodys();
    let same = (&back["id"], &back["unassigned"], &back["version"]);
    assert_eq!(same, (&lost["id"], &lost["unassigned"], &json!(3)));
    assert!(lost["unassigned"].is_string(), "{lost}");
    end(gateway, &fourth, "completed");
    Ok(())
}

/// Found by the last four digits, begun without asking for consent anew. Returns the pseudonym.
fn somebody_who_comes_again(gateway: &Gateway) -> String {
    let (_, found) = post(gateway, "/api/v1/residents/search", &json!({"text": "002x"}));
    assert_eq!((found.as_array().unwrap().len(), &found[0]["exact"]), (1, &json!(false)), "{found}");
    let (_, exact) = post(gateway, "/api/v1/residents/search", &json!({"text": ZHANG}));
    assert_eq!(exact[0]["exact"], true);
    let known_as = found[0]["pseudonym"].as_str().unwrap().to_owned();
    let sixth = open(gateway, &json!({"by": "card", "resident": known_as}));
    let shown = visit(gateway, &sixth);
    let before = shown["previous"].as_array().unwrap();
    let before = before.iter().find(|value| value["quantity"] == "systolic").unwrap();
    assert_eq!((&before["value"], &shown["consent"]), (&json!(144.0), &json!("2026-1")));
    assert_eq!(shown["follow_up"][0]["condition"], "hypertension");
    by_hand(gateway, &sixth);
    end(gateway, &sixth, "completed");
    known_as
}

/// What a person writes down: the impossible is refused, the wrong is corrected and withdrawn, nothing is overwritten.
fn by_hand(gateway: &Gateway, id: &str) {
    let path = format!("/api/v1/visits/{id}/measurements");
    let entered =
        |value: f64| json!({"readings": [{"quantity": "weight", "value": value}], "why": "秤没有连接"});
    let (status, problem) = post(gateway, &path, &entered(780.0));
    assert!(status == 422 && problem["detail"].as_str().unwrap().contains("cannot be"), "{problem}");
    assert_eq!(post(gateway, &path, &json!({"readings": [], "why": "x"})).0, 422);
    let (status, version) = post(gateway, &path, &entered(78.0));
    assert_eq!((status, &version["device"]), (201, &json!("manual")), "{version}");
    let measurement = version["id"].as_str().unwrap();
    let readings = json!([{"quantity": "weight", "value": 68.0}]);
    let correct = format!("/api/v1/measurements/{measurement}/correct");
    assert_eq!(post(gateway, &correct, &json!({"readings": readings, "why": "看错"})).0, 200);
    assert_eq!(value(&visit(gateway, id), "weight"), Some(68.0));
    let withdraw = format!("/api/v1/measurements/{measurement}/withdraw");
    assert_eq!(post(gateway, &withdraw, &json!({"why": "穿着棉衣"})).0, 200);
    assert_eq!(value(&visit(gateway, id), "weight"), None);
    assert_eq!(get(gateway, &format!("/api/v1/measurements/{measurement}")).as_array().unwrap().len(), 3);
}

/// The register: the sheet over all visits, two records of one person that are joined and taken apart, the follow-up.
fn records(gateway: &Gateway, known_as: &str) {
    let sheet = |pseudonym: &str| get(gateway, &format!("/api/v1/residents/{pseudonym}"));
    assert_eq!(sheet(known_as)["visits"].as_array().unwrap().len(), 2);
    assert_eq!(sheet(known_as)["identity"], Value::Null);
    let card = json!({"name": "张小明", "card": "SZ00004821", "sex": "male", "birth_year": 1949});
    let other = open(gateway, &json!({"by": "card", "consent": "2026-1", "identity": card}));
    let joined = visit(gateway, &other)["pseudonym"].as_str().unwrap().to_owned();
    assert_ne!(joined, known_as);
    let reason = json!({"into": known_as, "why": "同一个人，先前只刷了卡"});
    let (status, merged) = post(gateway, &format!("/api/v1/residents/{joined}/merge"), &reason);
    assert_eq!((status, &merged["visits"]), (200, &json!(1)), "{merged}");
    assert_eq!(post(gateway, &format!("/api/v1/residents/{joined}/merge"), &reason).0, 409, "joined already");
    assert_eq!(sheet(known_as)["visits"].as_array().unwrap().len(), 3);
    // The card now finds the one that stays, and the open visit is theirs.
    let (_, found) = post(gateway, "/api/v1/residents/search", &json!({"text": "SZ00004821"}));
    assert_eq!((found.as_array().unwrap().len(), &found[0]["pseudonym"]), (1, &json!(known_as)), "{found}");
    assert_eq!(visit(gateway, &other)["pseudonym"], known_as);
    let apart = json!({"why": "不是同一个人"});
    assert_eq!(post(gateway, &format!("/api/v1/residents/{joined}/unmerge"), &apart).0, 200);
    assert_eq!(visit(gateway, &other)["pseudonym"], joined);
    assert_eq!(sheet(known_as)["visits"].as_array().unwrap().len(), 2);
    end(gateway, &other, "completed");
    let (status, _) = post(gateway, &format!("/api/v1/visits/{other}/erase"), &json!({"why": "试用"}));
    assert_eq!(status, 200);

    let due = get(gateway, "/api/v1/residents/follow-up");
    let follow_up = &due[0]["follow_up"][0];
    assert_eq!((&due[0]["pseudonym"], &follow_up["controlled"]), (&json!(known_as), &json!(true)), "{due}");
    let days = (follow_up["due"].as_i64().unwrap() - follow_up["last"].as_i64().unwrap()) / 86_400_000;
    assert_eq!(days, 90, "144/87 of somebody above 65 is below 150/90");
}

fn erasing_takes_joined_records_along(gateway: &Gateway, known_as: &str) {
    let search = |text: &str| post(gateway, "/api/v1/residents/search", &json!({"text": text})).1;
    let joined = search("SZ00004821")[0]["pseudonym"].as_str().unwrap().to_owned();
    let reason = json!({"into": known_as, "why": "还是同一个人"});
    assert_eq!(post(gateway, &format!("/api/v1/residents/{joined}/merge"), &reason).0, 200);
    let (status, erased) =
        post(gateway, &format!("/api/v1/residents/{known_as}/erase"), &json!({"why": "居民要求"}));
    assert_eq!((status, &erased["erased"]["visits"]), (200, &json!(2)), "{erased}");
    assert_eq!((search("SZ00004821"), search(ZHANG)), (json!([]), json!([])));
}

fn every_look_is_recorded(gateway: &Gateway, known_as: &str) {
    let audit = get(gateway, "/api/v1/audit?limit=1000");
    let of = |what: &str| audit.as_array().unwrap().iter().filter(|entry| entry["what"] == what).count();
    for what in [
        "visit.open",
        "visit.show",
        "visit.end",
        "pressure.begin",
        "critical.answer",
        "measurement.assign",
        "measurement.enter",
        "measurement.correct",
        "measurement.withdraw",
        "resident.search",
        "resident.show",
        "resident.merge",
        "resident.unmerge",
        "resident.follow_up",
        "measurement.list",
    ] {
        assert!(of(what) > 0, "{what} is not in the record");
    }
    assert_eq!((of("visit.open"), of("resident.show")), (7, 4));
    assert!(!audit.to_string().contains("张小明") && !audit.to_string().contains(ZHANG));
    assert!(audit.to_string().contains(known_as));
}

/// Whether the alarm of a critical value that nobody answers stands.
fn alarm_stands(gateway: &Gateway) -> bool {
    let alarms = get(gateway, "/api/v1/alarms");
    let is_it = |alarm: &&Value| alarm["alarm"] == "cabin.critical.unanswered";
    alarms.as_array().unwrap().iter().find(is_it).is_some_and(|alarm| alarm["active"] == true)
}

#[tokio::test]
async fn a_critical_value_that_nobody_answers_becomes_an_alarm() -> anyhow::Result<()> {
    let cabin = Cabin::build().await?;
    let gateway = cabin.start().await?;
    let visit_id = open(&gateway, &json!({"code": "A1"}));
    cabin.measure("1", "A1", &[("59408-5", "84", "%", "F")]).await?;
    let critical = visit(&gateway, &visit_id)["critical"][0].clone();
    assert!(!alarm_stands(&gateway));
    // Also after the resident has gone.
    end(&gateway, &visit_id, "abandoned");
    eventually("it is an alarm", Duration::from_secs(60), || alarm_stands(&gateway)).await?;
    let body = json!({
        "measurement": critical["measurement"], "quantity": "oxygen_saturation", "read_back": "84", "decision": "handled",
    });
    assert_eq!(post(&gateway, &format!("/api/v1/visits/{visit_id}/critical"), &body).0, 200);
    eventually("the answer ends it", Duration::from_secs(60), || !alarm_stands(&gateway)).await?;
    gateway.stop().await
}

/// How many visits there are, and before which of them the gateway is killed.
const VISITS: usize = 100;
const KILLED_BEFORE: [usize; 3] = [25, 50, 75];

#[tokio::test]
async fn a_hundred_visits_and_three_kills_lose_nothing_and_mix_nothing() -> anyhow::Result<()> {
    let cabin = Cabin::build().await?;
    let mut gateway = cabin.start().await?;
    let mut visits = Vec::new();
    for nth in 0..VISITS {
        let id = open(&gateway, &json!({"code": format!("C{nth}")}));
        let pulse = (60 + nth % 40).to_string();
        let weight = format!("{}.{}", 50 + nth / 10, nth % 10);
        cabin.measure(&format!("{nth}-1"), &format!("C{nth}"), &[("8867-4", &pulse, "/min", "F")]).await?;
        if KILLED_BEFORE.contains(&nth) {
            // In the middle of the visit: what was acknowledged is there, and the visit goes on.
            gateway.kill().await?;
            gateway = cabin.start().await?;
        }
        cabin.measure(&format!("{nth}-2"), &format!("C{nth}"), &[("29463-7", &weight, "kg", "F")]).await?;
        if nth % 3 > 0 {
            end(&gateway, &id, "completed");
        }
        visits.push((id, pulse, weight));
    }
    for (id, pulse, weight) in &visits {
        let shown = visit(&gateway, id);
        assert_eq!(shown["measurements"].as_array().unwrap().len(), 2, "{shown}");
        let told = (value(&shown, "pulse_rate"), value(&shown, "weight"));
        assert_eq!(told, (pulse.parse().ok(), weight.parse().ok()), "{id}");
    }
    assert_eq!(get(&gateway, "/api/v1/measurements/unassigned"), json!([]));
    assert_eq!(get(&gateway, "/api/v1/visits/counts")["visits"], 100);
    gateway.stop().await
}
