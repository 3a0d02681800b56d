//! What is left of thirty residents after they are erased: nothing that names them, and nothing that was measured of
//! them, wherever the gateway keeps or tells it.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use linli_tests::devices::STORE;
use linli_tests::{Broker, Gateway, Hl7Monitor, Subscriber, Workspace, eventually, tool};
use serde_json::{Value, json};
use tokio::process::Command;

/// How many are planted; the last third while the district cannot be reached.
const RESIDENTS: usize = 30;
const UNSENT: usize = 10;

/// Somebody, and what is known of nobody else.
struct Resident {
    name: String,
    number: String,
    phone: String,
    code: String,
    health: String,
    weight: String,
}

// === impl Resident ===

impl Resident {
    fn of(nth: usize) -> Self {
        let given = ["若水", "望舒", "子衿", "采薇", "静姝"][nth % 5];
        let digits = format!("1101051949{:02}{:02}{:03}", 1 + nth % 12, 1 + nth % 28, 100 + nth);
        Self {
            name: format!("欧阳{given}{}", char::from_u32(0x4e8c + u32::try_from(nth).unwrap()).unwrap()),
            number: format!("{digits}{}", check_digit(&digits)),
            phone: format!("1381234{:04}", 5600 + nth),
            code: format!("HEALTHCODE{nth:02}"),
            health: format!("jkm:RESIDENT-{nth:02}-9d41"),
            weight: format!("6{}.{}", nth % 7, 131 + 10 * nth),
        }
    }

    /// Everything that must not be found.
    fn words(&self) -> [&str; 6] {
        [&self.name, &self.number, &self.phone, &self.code, &self.health, &self.weight]
    }
}

/// The check digit of GB 11643.
fn check_digit(digits: &str) -> char {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 =
        digits.chars().zip(WEIGHTS).map(|(digit, weight)| digit.to_digit(10).unwrap() * weight).sum();
    char::from(b"10X98765432"[(sum % 11) as usize])
}

/// A place where something may be left: its name and its bytes.
type Place = (String, Vec<u8>);

/// A gateway with keys and a monitor in a cabin.
struct Cabin {
    workspace: Workspace,
    config: PathBuf,
    monitor: Hl7Monitor,
    subscriber: Subscriber,
    broker: Broker,
}

// === impl Cabin ===

impl Cabin {
    async fn build() -> anyhow::Result<Self> {
        let workspace = Workspace::new()?;
        let broker = Broker::start(&workspace).await?;
        let subscriber = broker.subscribe(&workspace).await?;
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
            "\n[cabin]\nidentity_key = \"file:identity.key\"\npseudonym_key = \"file:district.key\"\n",
        )?;
        for (file, byte) in [("identity.key", "1a"), ("district.key", "2b")] {
            std::fs::write(config.join(file), byte.repeat(32))?;
            std::fs::set_permissions(config.join(file), std::fs::Permissions::from_mode(0o600))?;
        }
        Ok(Self { workspace, config, monitor, subscriber, broker })
    }

    async fn start(&self) -> anyhow::Result<Gateway> {
        let mut gateway = Gateway::start(&self.config, &self.workspace.path("data")).await?;
        gateway.answering().await?;
        self.monitor.listening().await?;
        Ok(gateway)
    }

    /// Opens a visit and measures the resident's weight.
    async fn plant(&self, gateway: &Gateway, nth: usize, resident: &Resident) -> anyhow::Result<String> {
        let identity = json!({"name": resident.name, "id_number": resident.number, "phone": resident.phone,
            "health_code": resident.health, "conditions": ["diabetes"]});
        let new = json!({"by": "card", "code": resident.code, "consent": "2026-1", "identity": identity});
        let (status, visit) = gateway.ask("POST", "/api/v1/visits", &new)?;
        anyhow::ensure!(status == 201, "{status} {visit}");
        let (number, weight) = (&resident.number, &resident.weight);
        let message = format!(
            "MSH|^~\\&|CABIN|S|GW|S|||ORU^R01^ORU_R01|{nth}-{number}|P|2.6|||||||UNICODE UTF-8\rPID|||{number}\r\
             OBR|1|||85353-1^Vital signs^LN\rOBX|1|NM|3141-9^Weight^LN||{weight}|kg^^UCUM|||||F\r"
        );
        let answers = self.monitor.send(&[message]).await?;
        anyhow::ensure!(answers[0]["code"] == "AA", "{answers:?}");
        anyhow::ensure!(answers[0]["reason"].as_str().unwrap_or_default().is_empty(), "{answers:?}");
        Ok(visit["pseudonym"].as_str().unwrap_or_default().to_owned())
    }

    /// What the broker retains.
    async fn retained(&self) -> anyhow::Result<Vec<u8>> {
        let output = Command::new(tool("mosquitto_sub", "mosquitto-clients")?)
            .args(["-h", "127.0.0.1", "-p", &self.broker.port.to_string(), "-t", "#", "--retained-only"])
            .args(["-W", "2", "-F", "%t %p"])
            .output()
            .await?;
        anyhow::ensure!(!output.stdout.is_empty(), "not even the status is retained");
        Ok(output.stdout)
    }

    /// Every file of the gateway.
    fn files(&self) -> anyhow::Result<Vec<Place>> {
        let mut places = Vec::new();
        collect(&self.workspace.path("data"), &mut places)?;
        Ok(places)
    }

    /// Every file of the gateway, and everything that it says to whoever may ask.
    async fn places(&self, gateway: &Gateway) -> anyhow::Result<Vec<Place>> {
        let mut places = self.files()?;
        places.push(("its log".to_owned(), gateway.log().into_bytes()));
        for path in [
            "/metrics",
            "/readyz",
            "/api/v1/status",
            "/api/v1/devices",
            "/api/v1/devices/monitor-1/points/weight/trend",
            "/api/v1/visits",
            "/api/v1/visits?open=true",
            "/api/v1/residents/follow-up",
            "/api/v1/visits/counts",
            "/api/v1/measurements/unassigned",
            "/api/v1/alarms/journal",
            "/api/v1/audit?limit=1000",
            "/api/v1/record?limit=1000",
            "/api/v1/export/csv",
            "/api/v1/export/fhir",
        ] {
            places.push((path.to_owned(), gateway.get(path)?.into_bytes()));
        }
        for format in ["csv", "fhir"] {
            let file = self.workspace.path(&format!("export.{format}"));
            let to = file.display().to_string();
            let exported = gateway.verb(&["export", format, "--since", "7d", "-o", &to]).await?;
            anyhow::ensure!(exported.status.success(), "{exported:?}");
            places.push((format!("export {format}"), std::fs::read(file)?));
        }
        Ok(places)
    }
}

fn collect(dir: &Path, places: &mut Vec<Place>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(&entry.path(), places)?;
        } else if kind.is_file() {
            places.push((entry.path().display().to_string(), std::fs::read(entry.path())?));
        }
    }
    Ok(())
}

/// Where a word stands.
fn found<'p>(places: &'p [Place], word: &[u8]) -> Vec<&'p str> {
    let is_in = |place: &&Place| place.1.windows(word.len()).any(|window| window == word);
    places.iter().filter(is_in).map(|(name, _)| name.as_str()).collect()
}

/// A value as text and as the number that a roll-up holds.
fn forms(weight: &str) -> Vec<Vec<u8>> {
    let number: f64 = weight.parse().unwrap();
    vec![weight.as_bytes().to_vec(), number.to_le_bytes().to_vec(), number.to_be_bytes().to_vec()]
}

#[tokio::test]
async fn nothing_is_left_of_thirty_residents_who_are_erased() -> anyhow::Result<()> {
    let mut cabin = Cabin::build().await?;
    let gateway = cabin.start().await?;
    let residents: Vec<Resident> = (0..RESIDENTS).map(Resident::of).collect();
    let mut pseudonyms = Vec::new();
    for (nth, resident) in residents.iter().enumerate() {
        if nth == RESIDENTS - UNSENT {
            let sent = || cabin.subscriber.received().is_ok_and(|all| heard(&all, "kg") >= nth);
            eventually("the first ones are sent", Duration::from_secs(60), sent).await?;
            cabin.broker.end().await?;
        }
        pseudonyms.push(cabin.plant(&gateway, nth, resident).await?);
    }
    let backup = cabin.workspace.path("backup.db");
    assert!(gateway.verb(&["backup", &backup.display().to_string()]).await?.status.success());

    is_where_it_belongs(&residents, &cabin.places(&gateway).await?);
    // What was measured is sealed as well: beside what waits for the district no copy of the database tells it.
    let bodies = bodies_in(&backup).await?;
    assert_eq!(bodies.len(), RESIDENTS);
    nothing_measured(&residents, &bodies);
    let keys = cabin.workspace.path("data/residents");
    assert_eq!(std::fs::read_dir(&keys)?.count(), RESIDENTS, "a key for each");

    for pseudonym in &pseudonyms {
        let path = format!("/api/v1/residents/{pseudonym}/erase");
        let (status, erased) = gateway.ask("POST", &path, &json!({"why": "asked for"}))?;
        assert_eq!((status, &erased["erased"]["measurements"]), (200, &json!(1)), "{erased}");
    }
    assert_eq!(std::fs::read_dir(&keys)?.count(), 0, "every key is destroyed");
    let after = cabin.places(&gateway).await?;
    nothing_of(&residents, &after);

    // What had not been sent says only that it was erased, and nothing is missing in the sequence.
    cabin.broker.begin().await?;
    let told =
        || cabin.subscriber.received().is_ok_and(|all| heard(&all, "\"erased\"") >= RESIDENTS + UNSENT);
    eventually("the district hears of all", Duration::from_secs(60), told).await?;
    let received = cabin.subscriber.settled().await?;
    for resident in &residents[RESIDENTS - UNSENT..] {
        let is_of = |message: &&linli_tests::Received| message.payload.to_string().contains(&resident.weight);
        let sent: Vec<String> =
            received.iter().filter(is_of).map(|message| message.payload.to_string()).collect();
        assert_eq!(sent, Vec::<String>::new(), "sent after it was erased");
    }
    assert!(linli_tests::Proof::of(&received).missing().is_empty(), "the sequence is whole");
    nothing_of(&residents, &[("what is retained".to_owned(), cabin.retained().await?)]);

    // A restart brings nothing back; nor does a copy of the database from before, since no key opens it.
    gateway.stop().await?;
    let gateway = cabin.start().await?;
    nothing_of(&residents, &cabin.places(&gateway).await?);
    gateway.stop().await?;
    a_copy_tells_nothing(&cabin, &backup, &residents).await
}

/// The database of before, put back: no key opens what is in it.
async fn a_copy_tells_nothing(cabin: &Cabin, backup: &Path, residents: &[Resident]) -> anyhow::Result<()> {
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(cabin.workspace.path(&format!("data/linli.db{ending}")));
    }
    std::fs::copy(backup, cabin.workspace.path("data/linli.db"))?;
    let gateway = cabin.start().await?;
    let (_, visits) = gateway.ask("GET", "/api/v1/visits", &Value::Null)?;
    let visits = visits.as_array().cloned().unwrap_or_default();
    assert_eq!(visits.len(), RESIDENTS);
    for visit in &visits {
        assert!(visit["name"].is_null(), "{visit}");
        let path = format!("/api/v1/visits/{}?reveal=true", visit["id"].as_str().unwrap());
        assert_eq!(gateway.ask("GET", &path, &Value::Null)?.0, 409);
        // Not an empty visit, as if nothing had been measured: what cannot be opened is said.
        let path = format!("/api/v1/visits/{}", visit["id"].as_str().unwrap());
        let (status, closed) = gateway.ask("GET", &path, &Value::Null)?;
        assert_eq!(status, 409, "{closed}");
        assert!(closed.to_string().contains("cannot be opened"), "{closed}");
    }
    let exported = gateway.get("/api/v1/export/fhir")?;
    nothing_measured(residents, &[("export fhir".to_owned(), exported.into_bytes())]);
    gateway.stop().await
}

/// The search finds what is there: nobody's name in clear, and the rest where it belongs.
fn is_where_it_belongs(residents: &[Resident], places: &[Place]) {
    for Resident { name, number, phone, code, health, weight } in residents {
        for word in [name, number, phone, health] {
            assert_eq!(
                found(places, word.as_bytes()),
                Vec::<&str>::new(),
                "{word} stands somewhere in clear"
            );
        }
        for (word, place) in [(code, "linli.db"), (code, "/api/v1/visits"), (weight, "export fhir")] {
            let places = found(places, word.as_bytes());
            assert!(places.iter().any(|found| found.contains(place)), "{word}: {place} is not in {places:?}");
        }
    }
}

/// How many of the messages have that text.
fn heard(received: &[linli_tests::Received], text: &str) -> usize {
    let is_one = |message: &&linli_tests::Received| {
        message.topic.contains("/vital/") && message.payload.to_string().contains(text)
    };
    received.iter().filter(is_one).count()
}

/// The bodies of the measurements in a copy of the database.
async fn bodies_in(copy: &Path) -> anyhow::Result<Vec<Place>> {
    use sqlx::{ConnectOptions, Connection};
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new().filename(copy).connect().await?;
    let bodies: Vec<(String, String)> =
        sqlx::query_as("SELECT id, body FROM measurement").fetch_all(&mut connection).await?;
    connection.close().await?;
    Ok(bodies.into_iter().map(|(id, body)| (id, body.into_bytes())).collect())
}

fn nothing_measured(residents: &[Resident], places: &[Place]) {
    for resident in residents {
        assert_eq!(found(places, resident.weight.as_bytes()), Vec::<&str>::new(), "{}", resident.weight);
    }
}

fn nothing_of(residents: &[Resident], places: &[Place]) {
    for resident in residents {
        for word in resident.words() {
            assert_eq!(found(places, word.as_bytes()), Vec::<&str>::new(), "{word} is left");
        }
        for form in forms(&resident.weight) {
            assert_eq!(found(places, &form), Vec::<&str>::new(), "{} is left as a number", resident.weight);
        }
    }
}
