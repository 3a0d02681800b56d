//! What a gateway answers over HTTP, on its network listener and on its control socket, to whom.
//!
//! One file a request in `tests/golden/http/`: the answer to anybody on the network, to a worker with a
//! token, and on the control socket. `LINLI_BLESS=1` writes them anew.

#[path = "golden/normal.rs"]
mod normal;
#[path = "golden/requests.rs"]
mod requests;

use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

use anyhow::{Context, ensure};
use linli_tests::golden::{self, Json, Normal};
use linli_tests::http::{self, Answer};
use linli_tests::room::{ENTER, room};
use linli_tests::scene::{DISPLAY_TOKEN, RESIDENT, Scene, WORKER_TOKEN, alarm_is, soon};
use linli_tests::switching::{PATIENCE, send, until, until_room};
use linli_tests::{Gateway, eventually};
use serde_json::{Value, json};

use self::normal::{NUMBERS, any_room_first, counting, without_spans};
use self::requests::REQUESTS;

const FOLDER: &str = "http";

/// A moment within the day that a command may be sent ahead.
const EXPIRES: &str = "{expires}";

/// Who asks, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Anybody, on the network listener.
    Anyone,
    /// A display with a token, on the network listener: it sees the building and nobody's name.
    Display,
    /// A health worker with a token, on the network listener.
    Worker,
    /// A user of the machine, on the control socket.
    Control,
}

impl Who {
    const ALL: [Self; 3] = [Self::Anyone, Self::Worker, Self::Control];

    /// The header with the token.
    fn token(self) -> String {
        match self {
            Self::Worker => format!("Authorization: Bearer {WORKER_TOKEN}\r\n"),
            Self::Display => format!("Authorization: Bearer {DISPLAY_TOKEN}\r\n"),
            Self::Anyone | Self::Control => String::new(),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Display => "display",
            Self::Worker => "worker",
            Self::Control => "control",
        }
    }
}

/// The gateway and how its answers are made comparable.
struct Asked {
    gateway: Gateway,
    web: String,
    normal: Normal,
    visit: String,
    measurement: String,
    wrong: Vec<String>,
    names: Vec<String>,
}

// === impl Asked ===

impl Asked {
    fn ask(&self, who: Who, method: &str, path: &str, body: &str) -> anyhow::Result<Answer> {
        let headers = who.token();
        if who == Who::Control {
            // A "person" is no part of the body: the request is made as the account of that person.
            let mut body = body.to_owned();
            let mut headers = headers;
            if let Ok(Value::Object(mut members)) = serde_json::from_str::<Value>(&body)
                && let Some(person) = members.remove("person")
            {
                headers += &self.gateway.headers_of(person.as_str().unwrap_or_default())?;
                body = Value::Object(members).to_string();
            }
            let socket = std::os::unix::net::UnixStream::connect(self.gateway.control_socket())?;
            return http::request(socket, method, path, &headers, &body);
        }
        http::request(std::net::TcpStream::connect(&self.web)?, method, path, &headers, body)
    }

    fn answer(&self, name: &str, answer: &Answer) -> Json {
        let kind = answer.header("content-type").map_or(Json::Null, Json::text);
        let body = match name {
            "metrics" => Json::Array(answer.body.lines().map(|line| Json::text(series(line))).collect()),
            "food-record-csv" | "food-record-html" => self.normal.body(&without_spans(&answer.body)),
            "mode-record" => any_room_first(self.normal.body(&answer.body)),
            _ => counting(self.normal.body(&answer.body)),
        };
        let status = Json::Number(answer.status.into());
        Json::object(vec![("status", status), ("content-type", kind), ("body", body)])
    }

    /// Compares what these are answered with the golden file of that name.
    fn check(&mut self, name: &str, who: &[Who], request: (&str, &str, &str)) -> anyhow::Result<()> {
        let (method, path, body) = request;
        let mut members =
            vec![("method", Json::text(method)), ("path", Json::text(path)), ("request", Json::text(body))];
        let mut answers: Vec<(&str, Json)> = Vec::new();
        for who in who {
            let found = self.ask(*who, method, &self.filled(path), &self.filled(body))?;
            let found = self.answer(name, &found);
            let same = answers.iter().find(|(_, other)| *other == found);
            let found = same.map_or(found, |(other, _)| Json::text(format!("as {other}")));
            answers.push((who.name(), found));
        }
        members.append(&mut answers);
        self.compare(name, &Json::object(members));
        Ok(())
    }

    /// A path or body with what stands for values of this run.
    fn filled(&self, text: &str) -> String {
        let expires = soon().to_string();
        text.replace("{visit}", &self.visit)
            .replace("{measurement}", &self.measurement)
            .replace(EXPIRES, &expires)
    }

    /// Reports all differences, not only the first.
    fn compare(&mut self, name: &str, found: &Json) {
        self.names.push(name.to_owned());
        if let Err(error) = golden::check(FOLDER, name, found) {
            self.wrong.push(format!("{error:#}"));
        }
    }
}

/// A line of the metrics page without its number.
fn series(line: &str) -> &str {
    if line.starts_with('#') { line } else { line.rsplit_once(' ').map_or(line, |(series, _)| series) }
}

/// The scene comes to rest: everything has happened once, nothing is under way.
async fn at_rest(scene: &Scene, gateway: &Gateway) -> anyhow::Result<Value> {
    for room in ["reading-room", "hall", "kitchen"] {
        until_room(gateway, room, "no fire", |room| room["fire"] == "normal").await?;
    }
    alarm_is(gateway, "hot-holding.cool", "unacknowledged").await?;
    let visit = scene.visit(gateway, "A1").await?;
    scene.kiosk_reports()?;
    // Before the record is signed: it then stays as it was.
    let record = || gateway.get("/api/v1/food/record?form=csv").unwrap_or_default();
    eventually("both cabinets' alarms stand in the day's record", PATIENCE, || {
        let record = record();
        ["热藏柜低于 60 °C,触发", "标本冰箱高于 8 °C,触发"].iter().all(|line| record.contains(line))
    })
    .await
    .with_context(record)?;
    scene.documents(gateway).await?;
    let paper = || gateway.get("/api/v1/devices/k1").is_ok_and(|shown| shown.contains("\"paper\""));
    eventually("the kiosk's report is shown", PATIENCE, paper).await?;
    let lost = |status: &Value| status["uplink"]["dead_letters"].as_u64() > Some(0);
    gateway.until("a message is too large", PATIENCE, lost).await?;
    alarm_is(gateway, "k1.no-paper", "unacknowledged").await.map(drop)?;
    Ok(visit)
}

#[tokio::test]
async fn every_answer_is_the_golden_one() -> anyhow::Result<()> {
    let mut scene = Scene::new().await?;
    let gateway = scene.start(&[]).await?;
    let visit = at_rest(&scene, &gateway).await?;
    let id = visit["id"].as_str().context("no visit")?.to_owned();
    let (_, shown) = gateway.ask("GET", &format!("/api/v1/visits/{id}"), &Value::Null)?;
    let measurement = shown["measurements"][0]["id"].as_str().context("no measurement")?.to_owned();
    let web = gateway.web().await?;
    let normal = normal(&scene, &web)?;
    let (wrong, names) = (Vec::new(), Vec::new());
    let mut asked = Asked { gateway, web, normal, visit: id, measurement, wrong, names };
    for (name, method, path, body) in REQUESTS {
        asked.check(name, &Who::ALL, (method, path, body))?;
    }
    events(&mut asked, &scene).await?;
    succeeding(&mut asked, &mut scene).await?;
    asked.gateway.stop().await?;
    asked.names.sort();
    ensure!(asked.wrong.is_empty(), "{} answers:\n{}", asked.wrong.len(), asked.wrong.join("\n"));
    assert_eq!(golden::names(FOLDER)?, asked.names, "a golden file that nothing is compared with");
    Ok(())
}

/// The answer to a successful request, and the state that is shown afterwards.
async fn succeeding(asked: &mut Asked, scene: &mut Scene) -> anyhow::Result<()> {
    let control = [Who::Control];
    let written = |id: &str, value: f64| {
        format!("{{\"id\":\"{id}\",\"point\":\"set_point\",\"value\":{value},\"expires\":{EXPIRES}}}")
    };
    let path = "/api/v1/devices/d1/command";
    asked.check("command-done", &control, ("POST", path, &written("c5", 21.5)))?;
    asked.check("command-again", &control, ("POST", path, &written("c5", 22.5)))?;
    let worker = [Who::Worker];
    let alarm = "/api/v1/alarms/hot-holding.cool";
    asked.check("alarm-acknowledge", &worker, ("POST", &format!("{alarm}/acknowledge"), ""))?;
    let shelve = r#"{"for":"1h","why":"换柜"}"#;
    asked.check("alarm-shelve", &worker, ("POST", &format!("{alarm}/shelve"), shelve))?;
    asked.check("alarm-unshelve", &worker, ("POST", &format!("{alarm}/unshelve"), ""))?;
    let identity = json!({"name": RESIDENT.0, "id_number": RESIDENT.1}).to_string();
    asked.check("resident-find", &worker, ("POST", "/api/v1/residents/find", &identity))?;
    asked.check("visit-end", &worker, ("POST", "/api/v1/visits/{visit}/end", r#"{"ending":"completed"}"#))?;
    let opening = r#"{"by":"card","code":"B1","consent":"2026-1"}"#;
    asked.check("visit-open", &worker, ("POST", "/api/v1/visits", opening))?;
    asked.check(
        "visit-erase",
        &worker,
        ("POST", "/api/v1/visits/{visit}/erase", r#"{"why":"asked for"}"#),
    )?;
    asked.check(
        "food-note",
        &worker,
        ("POST", "/api/v1/food", r#"{"do":"note","text":"已清洁","by":"李梅"}"#),
    )?;
    asked.check("food-record", &worker, ("POST", "/api/v1/food", r#"{"do":"record"}"#))?;
    // A switch that waits for people is shown as it stands.
    let plan = scene.centre.named_plan("xinghe", ENTER);
    let order = scene.centre.order("enter", "actual", &["--plan", &plan], &["wang", "li"]).await?;
    let (is_taken, answer) = send(&asked.gateway, &order).await?;
    ensure!(is_taken, "{answer}");
    until(&asked.gateway, "the notice is asked", |room| room["stage"] == "notice").await?;
    asked.check("mode-switching", &Who::ALL, ("GET", "/api/v1/mode", ""))?;
    let room = "/api/v1/mode/rooms/reading-room";
    let by = r#"{"person":"nobody","step":"notice"}"#;
    asked.check("mode-confirm-by-nobody", &control, ("POST", &format!("{room}/confirm"), by))?;
    let by = r#"{"person":"qian","step":"notice"}"#;
    asked.check("mode-confirm", &control, ("POST", &format!("{room}/confirm"), by))?;
    asked.check("mode-stop", &worker, ("POST", &format!("{room}/stop"), ""))?;
    let by = r#"{"person":"qian","why":"误报"}"#;
    asked.check("mode-resume-refused", &control, ("POST", &format!("{room}/resume"), by))?;
    until(&asked.gateway, "it is proven safe", |room| room["unproven"] == json!([])).await?;
    asked.check("mode-held", &Who::ALL, ("GET", "/api/v1/mode", ""))?;
    ensure!(self::room(&asked.gateway)?["stage"] == "held", "it is held");
    Ok(())
}

/// The first measurement that each hears of, and how the stream begins.
async fn events(asked: &mut Asked, scene: &Scene) -> anyhow::Result<()> {
    let mut streams = Vec::new();
    for who in [Who::Display, Who::Worker] {
        let token = who.token();
        let mut stream = std::net::TcpStream::connect(&asked.web)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(format!("GET /api/v1/events HTTP/1.1\r\nHost: linli\r\n{token}\r\n").as_bytes())?;
        let mut stream = BufReader::new(stream);
        // Whoever has the head of the answer listens.
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_owned());
        }
        streams.push((who, head, stream));
    }
    let message = "MSH|^~\\&|CABIN|S|GW|S|||ORU^R01^ORU_R01|E1|P|2.6|||||||UNICODE UTF-8\rPID|||A1\r\
         OBR|1|||85353-1^Vital signs^LN\rOBX|1|NM|59408-5^SpO2^LN||96|%^^UCUM|||||F\r";
    scene.monitor.send(&[message.to_owned()]).await?;
    let mut members = vec![("method", Json::text("GET")), ("path", Json::text("/api/v1/events"))];
    for (who, head, stream) in streams {
        let kind = head.iter().find(|line| line.to_lowercase().starts_with("content-type"));
        let mut lines = stream.lines().map_while(Result::ok).skip_while(|line| line != "event: measurement");
        let data = lines.nth(1).context("no measurement was reported")?;
        let data = asked.normal.body(data.strip_prefix("data: ").context("no data")?);
        let answer = vec![
            ("status", Json::text(head.first().cloned().unwrap_or_default())),
            ("content-type", kind.map_or(Json::Null, Json::text)),
            ("data", data),
        ];
        members.push((who.name(), Json::object(answer)));
    }
    asked.compare("events", &Json::object(members));
    Ok(())
}

fn normal(scene: &Scene, web: &str) -> anyhow::Result<Normal> {
    let ports = scene.ports;
    let around = [
        ("broker", ports.broker),
        ("controller", ports.controller),
        ("monitor", ports.monitor),
        ("kiosk", ports.kiosk),
        ("counter", ports.counter),
        ("block", ports.block),
        ("nodes", ports.nodes),
    ];
    let mut texts = vec![
        (web.to_owned(), "<listener>".to_owned()),
        (scene.centre.workspace.path("").display().to_string(), "<test>/".to_owned()),
        (env!("CARGO_PKG_VERSION").to_owned(), "<version>".to_owned()),
    ];
    let user = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self")?);
    texts.push((format!("local:{user}"), "local:<user>".to_owned()));
    texts.extend(around.map(|(name, port)| (format!(":{port}"), format!(":<{name}>"))));
    Ok(Normal { numbers: NUMBERS.to_vec(), texts })
}
