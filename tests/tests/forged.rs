//! Orders that somebody forged, kept back, changed or made up, on every door: over MQTT, on the
//! control socket, as a file. Each is refused with its reason, is on record, is told, and moves
//! nothing. They are made by pycose, which knows nothing of linli.

use std::path::Path;
use std::time::Duration;

use linli_tests::room::{BACK, Centre, ENTER, Room, room, rooms, succeed};
use linli_tests::{Broker, Gateway, Subscriber, Workspace, eventually, linli, now_ms, python};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);
const HOUR: i64 = 3_600_000;
const TOPIC: &str = "linli/1/xinghe/main";

/// What orders are signed as, and what plans are.
const ORDER: &str = "lln-order-v1";
const PLAN: &str = "lln-plan-v1";

/// By which way it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Broker,
    Socket,
    File,
}

const DOORS: [Door; 3] = [Door::Broker, Door::Socket, Door::File];

/// A centre under attack, with synchronised clock.
struct AttackedCentre {
    broker: Broker,
    subscriber: Subscriber,
    centre: Centre,
    place: Room,
    gateway: Gateway,
    hash: String,
}

/// An attack: what it is, its bytes, and a word of the reason.
struct Attack {
    name: String,
    bytes: Vec<u8>,
    reason: &'static str,
}

async fn pycose(arguments: &[&str]) -> anyhow::Result<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/cose_peer.py");
    let output =
        tokio::process::Command::new(python()?).arg("-Wignore").arg(script).args(arguments).output().await?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

// === impl AttackedCentre ===

impl AttackedCentre {
    async fn begin(workspace: &Workspace) -> anyhow::Result<Self> {
        let broker = Broker::start(workspace).await?;
        let subscriber = broker.subscribe(workspace).await?;
        let mut centre = Centre::new(Some(broker.port)).await?;
        centre.in_time();
        second_key(&centre).await?;
        more_people(&centre).await?;
        let place = Room::start(centre.port, "2").await?;
        let gateway = centre.gateway().await?;
        let is_normal = |rooms: Vec<Value>| rooms.iter().all(|room| room["fire"] == "normal");
        eventually("no fire anywhere", PATIENCE, || rooms(&gateway).is_ok_and(is_normal)).await?;
        gateway.until("it is connected", PATIENCE, |s| s["uplink"]["connected"] == true).await?;
        let sum = tokio::process::Command::new("sha256sum").arg(centre.plan(ENTER)).output().await?;
        let hash = String::from_utf8(sum.stdout)?.chars().take(64).collect();
        Ok(Self { broker, subscriber, centre, place, gateway, hash })
    }

    fn seed(&self, who: &str) -> anyhow::Result<String> {
        let text = std::fs::read_to_string(self.centre.key(who))?;
        Ok(text.trim().trim_start_matches("ed25519-secret:").to_owned())
    }

    /// An order by an independent implementation, changed a little; signed by these as that.
    async fn forge(
        &self,
        name: &str,
        seq: u64,
        change: impl Fn(&mut Value),
        signers: &[&str],
        aad: &str,
    ) -> anyhow::Result<Vec<u8>> {
        let mut order = json!({
            "v": 1, "id": name, "seq": seq, "kind": "Enter", "class": "Actual", "auth": "district",
            "mode": "epidemic.sampling", "not_before": now_ms() - 1000, "expires": now_ms() + HOUR,
            "sent": now_ms(),
            "targets": [{"centre": "xinghe", "plans": [{"plan": ENTER, "hash": self.hash}]}],
        });
        change(&mut order);
        let path =
            |end: &str| self.centre.workspace.path(&format!("{name}.{end}")).to_string_lossy().into_owned();
        pycose(&["order", &path("cbor"), &order.to_string()]).await?;
        let seeds: Vec<String> = signers.iter().map(|who| self.seed(who)).collect::<Result<_, _>>()?;
        let (payload, signed) = (path("cbor"), path("cose"));
        let head = ["seal", aad, &payload, &signed];
        let seeds: Vec<&str> = seeds.iter().map(String::as_str).collect();
        pycose(&[&head[..], &seeds].concat()).await?;
        Ok(std::fs::read(signed)?)
    }

    /// As text, for the doors that take text.
    async fn text(&self, attack: &Attack) -> anyhow::Result<String> {
        let file = self.centre.workspace.path(&attack.name);
        std::fs::write(&file, &attack.bytes)?;
        succeed(&["order", "text", &file.to_string_lossy()]).await
    }

    /// What the gateway says of it.
    async fn knock(&self, door: Door, attack: &Attack) -> anyhow::Result<String> {
        match door {
            Door::Broker => {
                // What came by the other doors may still be on its way.
                let came = || {
                    self.reported()
                        .into_iter()
                        .filter(|reported| reported["via"] == "mqtt")
                        .collect::<Vec<_>>()
                };
                let before = came().len();
                self.broker.publish_bytes(&format!("{TOPIC}/order"), &attack.bytes, false).await?;
                eventually(&attack.name, PATIENCE, || came().len() > before).await?;
                Ok(came().last().map(ToString::to_string).unwrap_or_default())
            }
            Door::Socket => {
                let text = match std::str::from_utf8(&attack.bytes) {
                    Ok(text) => text.to_owned(),
                    Err(_) => self.text(attack).await?,
                };
                self.post(&text)
            }
            Door::File => {
                let file = self.centre.workspace.path(&attack.name);
                std::fs::write(&file, &attack.bytes)?;
                let sent = self.gateway.verb(&["order", "send", &file.to_string_lossy()]).await?;
                anyhow::ensure!(!sent.status.success(), "{} was taken", attack.name);
                Ok(String::from_utf8_lossy(&[sent.stdout, sent.stderr].concat()).into_owned())
            }
        }
    }

    /// Posts a text to the control socket as it is.
    fn post(&self, text: &str) -> anyhow::Result<String> {
        let socket = self.centre.data.join("control.sock");
        let stream = std::os::unix::net::UnixStream::connect(socket)?;
        let headers = "Content-Type: text/plain\r\n";
        let (status, answer) = linli_tests::http::ask(stream, "POST", "/api/v1/mode/order", headers, text)?;
        anyhow::ensure!(status >= 200, "{status}");
        Ok(answer)
    }

    /// Posts bytes to the control socket as they are.
    fn post_bytes(&self, bytes: &[u8]) -> anyhow::Result<String> {
        use std::io::{Read, Write};
        let mut stream = std::os::unix::net::UnixStream::connect(self.centre.data.join("control.sock"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let length = bytes.len();
        write!(
            stream,
            "POST /api/v1/mode/order HTTP/1.1\r\nHost: linli\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        )?;
        stream.write_all(bytes)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// It is refused with the expected reason, and with the alarm, if there is one.
    fn refuses(&self, kind: &Value, bytes: &[u8]) -> anyhow::Result<()> {
        let said = self.post_bytes(bytes)?;
        let body = said.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let reason = body["reason"].as_str().unwrap_or_default();
        let is_expected =
            reason.contains(kind["reason"].as_str().unwrap_or("?")) && body["alarm"] == kind["alarm"];
        anyhow::ensure!(body["result"] == "refused" && is_expected, "{kind}: {said}");
        Ok(())
    }

    /// What `event/order` told so far.
    fn reported(&self) -> Vec<Value> {
        let topic = format!("{TOPIC}/event/order");
        let received = self.subscriber.received().unwrap_or_default().into_iter();
        received.filter(|message| message.topic == topic).map(|message| message.payload).collect()
    }

    fn record(&self) -> anyhow::Result<Vec<Value>> {
        let record = self.gateway.get("/api/v1/mode/record")?;
        Ok(record.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    fn nothing_moved(&self) -> anyhow::Result<()> {
        anyhow::ensure!(room(&self.gateway)?["stage"] == "peace", "{:#}", room(&self.gateway)?);
        let written: Vec<Value> =
            self.place.reported().into_iter().filter(|line| line.get("write").is_some()).collect();
        anyhow::ensure!(written.is_empty(), "something moved: {written:?}");
        Ok(())
    }

    /// An attack on every door: refused with its reason, told, on record, and nothing moves.
    async fn withstands(&self, attack: &Attack) -> anyhow::Result<()> {
        for door in DOORS {
            let lines = self.record()?.len();
            let said = self.knock(door, attack).await?;
            let name = &attack.name;
            anyhow::ensure!(said.contains(attack.reason), "{name} by {door:?}: {said}");
            self.nothing_moved()?;
            // What is no order at all does not even get from a file to the gateway.
            if door == Door::File && self.record()?.len() == lines {
                anyhow::ensure!(!said.contains("refused:"), "{name} by {door:?} is not on record: {said}");
                continue;
            }
            anyhow::ensure!(said.contains("refused"), "{name} by {door:?}: {said}");
            let record = self.record()?;
            let line = &record[record.len() - 1];
            let is_why = line["reason"].as_str().is_some_and(|why| why.contains(attack.reason));
            anyhow::ensure!(line["result"] == "refused" && is_why, "{name} by {door:?}: {line}");
            let via = line["via"].clone();
            let is_it = |reported: &Value| {
                reported["result"] == "refused"
                    && reported["via"] == via
                    && reported["order"] == line["order"]
            };
            eventually(name, PATIENCE, || self.reported().iter().any(is_it)).await?;
        }
        Ok(())
    }
}

/// People whose keys do not count: one has ended, one has not begun, one is revoked; and one who cooks.
async fn more_people(centre: &Centre) -> anyhow::Result<()> {
    let file = centre.config.join("facility.toml");
    let mut facility = std::fs::read_to_string(&file)?;
    for (name, role, more) in [
        ("old", "commander", "until = \"2020-01-01T00:00:00Z\"\n"),
        ("new", "commander", "from = \"2099-01-01T00:00:00Z\"\n"),
        ("gone", "duty_officer", "revoked = \"2026-01-01T00:00:00Z\"\n"),
        ("cook", "cook", ""),
    ] {
        let snippet = linli(&["order", "keygen", &centre.key(name), "--class", "actual"]).await?;
        anyhow::ensure!(snippet.status.success());
        let key = String::from_utf8(snippet.stdout)?;
        facility.push_str(&format!(
            "\n[[person]]\nid = \"{name}\"\nname = \"{name}\"\nroles = [\"{role}\"]\n{key}{more}"
        ));
    }
    Ok(std::fs::write(file, facility)?)
}

/// Wang has a second key.
async fn second_key(centre: &Centre) -> anyhow::Result<()> {
    let snippet = linli(&["order", "keygen", &centre.key("wang-2"), "--class", "actual"]).await?;
    anyhow::ensure!(snippet.status.success());
    let file = centre.config.join("facility.toml");
    let facility = std::fs::read_to_string(&file)?;
    let next = "\n[[person]]\nid = \"li\"";
    anyhow::ensure!(facility.contains(next), "li does not follow wang");
    let both = format!("\n{}{next}", String::from_utf8(snippet.stdout)?);
    Ok(std::fs::write(file, facility.replacen(next, &both, 1))?)
}

fn bit_changed(mut bytes: Vec<u8>) -> Vec<u8> {
    let at = bytes.windows(8).position(|window| window == b"sampling").unwrap_or_default();
    bytes[at] ^= 1;
    bytes
}

/// The class of drills, and who signs them.
fn drill(order: &mut Value) {
    order["class"] = json!("Exercise");
}
const DRILLS: [&str; 2] = ["drill-wang", "drill-li"];

/// An order that counted, and was taken back: its number is used, and the same bytes again are answered
/// the same.
async fn one_counted(attacked: &AttackedCentre) -> anyhow::Result<()> {
    let first = attacked.forge("counted", 100, drill, &DRILLS, ORDER).await?;
    let counted = Attack { name: "counted".to_owned(), bytes: first, reason: "" };
    attacked.post(&attacked.text(&counted).await?)?;
    assert_eq!(room(&attacked.gateway)?["stage"], "preview");
    let back = |order: &mut Value| {
        drill(order);
        (order["kind"], order["supersedes"]) = (json!("Cancel"), json!(["counted"]));
    };
    let cancel = attacked.forge("taken-back", 101, back, &DRILLS, ORDER).await?;
    let cancel = Attack { name: "taken-back".to_owned(), bytes: cancel, reason: "" };
    attacked.post(&attacked.text(&cancel).await?)?;
    attacked.nothing_moved()?;
    let said = attacked.knock(Door::Broker, &counted).await?;
    assert!(said.contains("\"repeated\""), "{said}");
    let said = attacked.post(&attacked.text(&counted).await?)?;
    assert!(said.contains("\"repeated\""), "{said}");
    attacked.nothing_moved()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_orders_are_refused_on_every_door_and_move_nothing() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let attacked = AttackedCentre::begin(&workspace).await?;
    let both: &[&str] = &["wang", "li"];
    let same = |_: &mut Value| {};
    one_counted(&attacked).await?;
    let mut attacks = Vec::new();
    let mut add = |name: &str, bytes: Vec<u8>, reason: &'static str| {
        attacks.push(Attack { name: name.to_owned(), bytes, reason });
    };
    let old = attacked.forge("old-number", 50, drill, &DRILLS, ORDER).await?;
    add("old-number", old, "an old order, sent again");
    let two_faced = attacked.forge("two-faced", 101, drill, &DRILLS, ORDER).await?;
    add("two-faced", two_faced, "already used by another order");
    let late = |order: &mut Value| order["expires"] = json!(now_ms() - 1);
    add("expired", attacked.forge("expired", 110, late, both, ORDER).await?, "expired at");
    let early = |order: &mut Value| order["not_before"] = json!(now_ms() + HOUR / 2);
    add("early", attacked.forge("early", 111, early, both, ORDER).await?, "a clock is wrong");
    let elsewhere = |order: &mut Value| order["targets"][0]["centre"] = json!("yuehai");
    add("elsewhere", attacked.forge("elsewhere", 112, elsewhere, both, ORDER).await?, "not for xinghe");
    add("alone", attacked.forge("alone", 113, same, &["wang"], ORDER).await?, "1 did");
    add("same-person", attacked.forge("same-person", 114, same, &["wang", "wang-2"], ORDER).await?, "1 did");
    add(
        "drill-keys",
        attacked.forge("drill-keys", 115, same, &["drill-wang", "li"], ORDER).await?,
        "signs Exercise",
    );
    add("as-a-plan", attacked.forge("as-a-plan", 116, same, both, PLAN).await?, "does not hold");
    add("changed", bit_changed(attacked.forge("changed", 117, same, both, ORDER).await?), "does not hold");
    let unknown = |order: &mut Value| order["targets"][0]["plans"][0]["plan"] = json!("palace.ball@1");
    add(
        "unknown-plan",
        attacked.forge("unknown-plan", 118, unknown, both, ORDER).await?,
        "there is no plan palace.ball@1",
    );
    let other = |order: &mut Value| order["targets"][0]["plans"][0]["hash"] = json!("07".repeat(32));
    add("other-plan", attacked.forge("other-plan", 119, other, both, ORDER).await?, "another one here");
    for attack in &attacks {
        attacked.withstands(attack).await?;
    }
    let of_it = |event: &Value| event["order"] == "two-faced" && event["security_alarm"] == true;
    assert!(attacked.reported().iter().any(of_it), "two orders with one number are a security alarm");

    let config = attacked.centre.config.to_string_lossy().into_owned();
    weak_keys_are_refused(&attacked.centre, &config).await?;
    attacked.centre.record_holds(&attacked.gateway).await?;
    kept_by_the_broker(attacked).await
}

/// Every kind of wrong order that `forge.py` makes, with the reason that each is refused with; two
/// tables, for a room in peace and for one that follows an order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_wrong_order_is_refused_with_its_reason() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let attacked = AttackedCentre::begin(&workspace).await?;
    let people =
        ["wang", "li", "wang-2", "drill-wang", "drill-li", "chen", "deng", "old", "new", "gone", "cook"];
    let seeds: serde_json::Map<String, Value> = people
        .into_iter()
        .map(|who| Ok((who.to_owned(), json!(attacked.seed(who)?))))
        .collect::<anyhow::Result<_>>()?;
    let sum = tokio::process::Command::new("sha256sum").arg(attacked.centre.plan(BACK)).output().await?;
    let back: String = String::from_utf8(sum.stdout)?.chars().take(64).collect();
    let facts = json!({"now": now_ms(), "hash": attacked.hash, "back": back, "seeds": seeds}).to_string();
    let dir = workspace.path("forged");
    std::fs::create_dir_all(&dir)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/forge.py");
    let made = tokio::process::Command::new(python()?).arg(script).arg(&dir).arg(facts).output().await?;
    anyhow::ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let file = |name: &str| std::fs::read(dir.join(format!("{name}.cose")));
    let kinds: Value = serde_json::from_slice(&std::fs::read(dir.join("kinds.json"))?)?;
    let kinds = |table: &str| kinds[table].as_array().cloned().unwrap_or_default();
    for name in ["counted", "taken-back"] {
        let said = attacked.post_bytes(&file(name)?)?;
        anyhow::ensure!(said.contains("\"together\""), "{name}: {said}");
    }
    attacked.nothing_moved()?;
    for kind in kinds("peace") {
        attacked.refuses(&kind, &file(kind["name"].as_str().unwrap_or_default())?)?;
    }
    attacked.nothing_moved()?;
    let said = attacked.post_bytes(&file("real")?)?;
    anyhow::ensure!(said.contains("\"together\""), "{said}");
    for kind in kinds("running") {
        attacked.refuses(&kind, &file(kind["name"].as_str().unwrap_or_default())?)?;
        let shown = room(&attacked.gateway)?;
        anyhow::ensure!(shown["order"] == "real" && shown["direction"] == "enter", "{kind}: {shown:#}");
        anyhow::ensure!(shown["causes"].as_array().is_some_and(Vec::is_empty), "{kind}: {shown:#}");
    }
    let (peace, running) = (kinds("peace").len(), kinds("running").len());
    println!("{peace} kinds in peace and {running} against an Actual order are refused");
    assert!(peace + running >= 60, "{peace} + {running}");
    // No flood of the others hid an alarm from the record.
    let record = attacked.record()?;
    for alarm in ["equivocation", "number_jump", "backdated", "revoked_key"] {
        assert!(record.iter().any(|line| line["alarm"] == alarm), "{alarm} is not on record");
    }
    attacked.gateway.stop().await
}

/// The broker keeps an order for whoever comes later: it does not count, whatever it says.
async fn kept_by_the_broker(attacked: AttackedCentre) -> anyhow::Result<()> {
    let good = attacked.forge("kept", 120, |_| {}, &["wang", "li"], ORDER).await?;
    let AttackedCentre { broker, subscriber, centre, place, gateway, hash } = attacked;
    gateway.stop().await?;
    broker.publish_bytes(&format!("{TOPIC}/order"), &good, true).await?;
    let gateway = centre.gateway().await?;
    let attacked = AttackedCentre { broker, subscriber, centre, place, gateway, hash };
    let is_refused = |reported: &Value| {
        reported["reason"].as_str().is_some_and(|reason| reason.contains("retained orders"))
    };
    eventually("it is refused", PATIENCE, || attacked.reported().iter().any(is_refused)).await?;
    attacked.nothing_moved()?;
    attacked.gateway.stop().await
}

/// Keys by which anybody can sign: points of small order (RFC 8032, 8.9 of its security section).
async fn weak_keys_are_refused(centre: &Centre, config: &str) -> anyhow::Result<()> {
    let file = centre.config.join("facility.toml");
    let facility = std::fs::read_to_string(&file)?;
    let zero = "00".repeat(31);
    let weak = [format!("01{zero}"), format!("00{zero}"), format!("ec{}7f", "ff".repeat(30))];
    for weak in weak {
        let at = facility.rfind("\"ed25519:").unwrap_or_default();
        let end = at + 9 + 64;
        std::fs::write(&file, format!("{}\"ed25519:{weak}{}", &facility[..at], &facility[end..]))?;
        let reported = linli(&["check", config]).await?;
        let said = String::from_utf8_lossy(&[reported.stdout, reported.stderr].concat()).into_owned();
        anyhow::ensure!(!reported.status.success() && said.contains("weak"), "{weak}: {said}");
    }
    Ok(std::fs::write(file, facility)?)
}

/// A message that grows to a gigabyte when its entities are put in.
fn bomb() -> String {
    let entities: String =
        (1..10).map(|n| format!("<!ENTITY e{n} \"{}\">", format!("&e{};", n - 1).repeat(10))).collect();
    format!("<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY e0 \"邻里\">{entities}]><a>&e9;</a>")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_order_is_refused_on_every_door() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let attacked = AttackedCentre::begin(&workspace).await?;
    let large = 1 << 20;
    let attack = |name: &str, bytes: Vec<u8>| Attack { name: name.to_owned(), bytes, reason: "" };
    let cap = "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><note>";
    let attacks = [
        attack("bomb.xml", bomb().into_bytes()),
        attack(
            "doctype.xml",
            b"<?xml version=\"1.0\"?><!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>".to_vec(),
        ),
        attack("namespace.xml", b"<alert xmlns=\"urn:other\"><identifier>1</identifier></alert>".to_vec()),
        attack("large.xml", format!("{cap}{}</note></alert>", "x".repeat(large)).into_bytes()),
        attack("deep.xml", "<a>".repeat(large / 3).into_bytes()),
        attack("large.txt", format!("LLN1:\n{}", "ABCDEFGH ".repeat(large / 9)).into_bytes()),
        attack("letters", "x".repeat(large).into_bytes()),
        attack("zeros", vec![0; large]),
        attack("ones", vec![0xff; large]),
        attack("nested", vec![0x81; large]),
        attack("small", b"\xd8\x62\x84\x40\xa0\x41\x00\x80".to_vec()),
    ];
    for attack in &attacks {
        for door in DOORS {
            let is_binary = std::str::from_utf8(&attack.bytes).is_err();
            // The socket takes text; bytes go through a file, which is turned into text.
            if door == Door::Socket && is_binary {
                continue;
            }
            let (refused, name) = (refusals(&attacked)?, &attack.name);
            let said = match door {
                Door::Broker => {
                    attacked.broker.publish_bytes(&format!("{TOPIC}/order"), &attack.bytes, false).await?;
                    eventually(name, PATIENCE, || refusals(&attacked).is_ok_and(|now| now > refused)).await?;
                    let lines = attacked.record()?;
                    let last = lines.iter().rfind(|line| line["result"] == "refused");
                    last.map(ToString::to_string).unwrap_or_default()
                }
                // What is too long is not even read to its end.
                Door::Socket => attacked.post(&String::from_utf8_lossy(&attack.bytes)).unwrap_or_default(),
                Door::File => attacked.knock(door, attack).await?,
            };
            println!("{name} by {door:?}: {}", said.chars().take(160).collect::<String>());
            let words: &[&str] = &["refused", "no order", "too long", "large", "length limit", "not", ""];
            let is_said = words[..6].iter().any(|word| said.contains(word));
            anyhow::ensure!(
                is_said || (door == Door::Socket && attack.bytes.len() > 65_536),
                "{name} by {door:?}: {said}"
            );
            attacked.nothing_moved()?;
        }
    }
    let peak = peak_mb(attacked.gateway.pid())?;
    println!("{peak} MB at most");
    assert!(peak < 150, "it grew to {peak} MB");
    assert!(attacked.reported().len() >= attacks.len(), "each was told");
    attacked.centre.record_holds(&attacked.gateway).await?;
    attacked.gateway.stop().await
}

fn refusals(attacked: &AttackedCentre) -> anyhow::Result<usize> {
    Ok(attacked.record()?.iter().filter(|line| line["result"] == "refused").count())
}

/// Largest resident memory of a process (proc(5), VmHWM).
fn peak_mb(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    Ok(line.split_whitespace().next().unwrap_or_default().parse::<u64>()? / 1024)
}
