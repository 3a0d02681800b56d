//! `district.toml`: as it is written, and checked.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::certificates::{MqttVersion, Settings};

pub use crate::enrolment_config::Enrolment;

/// Most brokers after the first.
const MOST_BROKERS: usize = 8;

/// Most messages of one transaction.
const LARGEST_BATCH: u32 = 20_000;

/// The configuration. Every key and its default stand here and nowhere else.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The database.
    pub database: Database,
    /// The broker.
    pub mqtt: Mqtt,
    /// The HTTP listener.
    #[serde(default)]
    pub web: Web,
    /// How long what is kept.
    #[serde(default)]
    pub keep: Keep,
    /// Whose messages are stored.
    #[serde(default)]
    pub enrolment: Enrolment,
    /// Refused since there are accounts: what it was before.
    #[serde(default)]
    person: Vec<toml::Value>,
}

/// The database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Address, such as `postgres:///linli?host=/run/postgresql` or `postgres://linli@127.0.0.1:5432/linli`; of a primary
    /// and its standby `postgres://linli@one,two/linli?sslmode=verify-full&sslrootcert=PATH`. Never with a password.
    pub url: String,
    /// Reference to the password, `file:PATH`; without it `PGPASSFILE` is read, as by every client of PostgreSQL.
    pub password: Option<String>,
    /// Why another machine may be reached without encryption.
    pub insecure: Option<String>,
    /// Connections of this copy, 2 to 64.
    #[serde(default = "connections")]
    pub connections: u32,
}

/// The broker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// Address: `mqtt://HOST:PORT`, `mqtts://HOST:PORT` for TLS; for NATS JetStream behind its MQTT listener
    /// `nats://HOST:PORT`, `tls://HOST:PORT` for TLS.
    pub url: String,
    /// Further servers of the same cluster, tried in turn. At most 8.
    #[serde(default)]
    pub more_urls: Vec<String>,
    /// Why `mqtt://` may leave this machine without encryption.
    pub insecure: Option<String>,
    /// Client id of this copy, unique among all copies and the same after a restart: the broker keeps its session.
    #[serde(default = "client_id")]
    pub client_id: String,
    /// User name at the broker.
    pub username: Option<String>,
    /// Reference to the password, `file:PATH`, never the password itself.
    pub password: Option<String>,
    /// Certificates to trust for `mqtts://` and `tls://`, PEM; without it those of the system.
    pub ca: Option<PathBuf>,
    /// Name of the shared subscription, the same in all copies.
    #[serde(default = "group")]
    pub group: String,
    /// Messages that the broker hands to this copy before they are stored, 64 to 16384.
    #[serde(default = "in_flight")]
    pub in_flight: u16,
    /// Most messages of one transaction.
    #[serde(default = "batch")]
    pub batch: u32,
    /// Longest wait of the first message of a batch for others, in milliseconds, at most 1000.
    #[serde(default = "linger")]
    pub linger_ms: u64,
}

/// The HTTP listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Web {
    /// Address and port. Off loopback it needs `certificate` and `key`.
    #[serde(default = "listen")]
    pub listen: String,
    /// Certificate of the listener with those that lead to its authority, PEM.
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM. Both are read again when they change.
    pub key: Option<PathBuf>,
    /// Names under which that proxy passes requests on; those of loopback are always answered.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// GeoJSON file with the outlines below the map, in degrees (WGS 84).
    pub outlines: Option<PathBuf>,
}

/// How long what is kept, in days.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keep {
    /// Values as rows of messages, 2 to 400; older days are packed into hourly arrays.
    pub recent_days: u32,
    /// Packed values, up to 36500.
    pub packed_days: u32,
    /// Events, up to 36500. The law asks for six months of logs: at least 180.
    pub event_days: u32,
    /// Messages that were put aside.
    pub poison_days: u32,
    /// Days for which partitions are made ahead, 1 to 60.
    pub ahead_days: u32,
}

impl Default for Web {
    fn default() -> Self {
        Self { listen: listen(), certificate: None, key: None, hosts: Vec::new(), outlines: None }
    }
}

impl Default for Keep {
    fn default() -> Self {
        Self { recent_days: 14, packed_days: 1095, event_days: 1095, poison_days: 30, ahead_days: 7 }
    }
}

fn connections() -> u32 {
    8
}

fn client_id() -> String {
    "linli-district-1".to_owned()
}

fn group() -> String {
    "district".to_owned()
}

fn in_flight() -> u16 {
    8192
}

fn batch() -> u32 {
    4000
}

fn linger() -> u64 {
    20
}

fn listen() -> String {
    "127.0.0.1:8090".to_owned()
}

/// A configuration that cannot be wrong.
#[derive(Debug, Clone)]
pub struct Checked {
    /// As written.
    pub config: Config,
    /// Host and port of each broker.
    pub brokers: Vec<(String, u16)>,
    /// How they are spoken to.
    pub engine: Engine,
    /// The password at the database.
    pub database_password: Option<String>,
    /// The password at the broker.
    pub broker_password: Option<String>,
    /// Where HTTP listens.
    pub listen: SocketAddr,
    /// The outlines below the map, GeoJSON.
    pub outlines: Option<String>,
    /// Files of the listener's certificate and key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// What signs the certificates of gateways.
    pub certificates: Option<Settings>,
    /// Where gateways alone are answered, with the files of certificate and key.
    pub gateways: Option<(SocketAddr, Option<(PathBuf, PathBuf)>)>,
    /// Folder of the broker's files.
    pub broker_files: Option<PathBuf>,
}

/// How a broker is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// MQTT 5.
    Mqtt,
    /// MQTT 5 over TLS.
    Mqtts,
    /// NATS.
    Nats,
    /// NATS over TLS.
    NatsTls,
}

// === impl Engine ===

impl Engine {
    /// Whether what is sent is encrypted.
    fn is_encrypted(self) -> bool {
        matches!(self, Self::Mqtts | Self::NatsTls)
    }

    /// What gateways speak with such a broker.
    fn version(self) -> MqttVersion {
        match self {
            Self::Mqtt | Self::Mqtts => MqttVersion::V5,
            Self::Nats | Self::NatsTls => MqttVersion::V311,
        }
    }
}

/// Why a configuration is refused: every mistake, one a line.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Wrong(pub Vec<String>);

/// Reads and checks a file.
pub fn load(path: &Path) -> Result<Checked, Wrong> {
    let here = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Wrong(vec![format!("{here}: {error}; deploy/district/install.sh writes one")]))?;
    let config: Config = toml::from_str(&text).map_err(|error| Wrong(vec![format!("{here}: {error}")]))?;
    check(config, path.parent().unwrap_or(Path::new(".")))
        .map_err(|mistakes| Wrong(mistakes.into_iter().map(|mistake| format!("{here}: {mistake}")).collect()))
}

/// Checks a configuration; all mistakes at once.
pub fn check(config: Config, dir: &Path) -> Result<Checked, Vec<String>> {
    let mut wrong = Vec::new();
    let database = &config.database;
    if !database.url.starts_with("postgres:") && !database.url.starts_with("postgresql:") {
        wrong.push(format!("database.url: {:?} does not begin with postgres://", database.url));
    } else if has_password(&database.url) {
        wrong.push(
            "database.url: holds a password; put it into a file: database.password = \"file:PATH\""
                .to_owned(),
        );
    }
    encrypted(database, &mut wrong);
    let database_password = secret("database.password", database.password.as_deref(), dir, &mut wrong);
    within(&mut wrong, "database.connections", database.connections.into(), 2, 64);
    let mqtt = &config.mqtt;
    within(&mut wrong, "mqtt.in_flight", mqtt.in_flight.into(), 64, 16_384);
    within(&mut wrong, "mqtt.batch", mqtt.batch.into(), 1, LARGEST_BATCH.into());
    within(&mut wrong, "mqtt.linger_ms", mqtt.linger_ms, 0, 1000);
    let is_word = |text: &str| {
        (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    for (key, text) in [("client_id", &mqtt.client_id), ("group", &mqtt.group)] {
        if !is_word(text) {
            wrong.push(format!("mqtt.{key}: {text:?} is not 1 to 64 letters, digits, '-', '_' and '.'"));
        }
    }
    let brokers = brokers(mqtt, &mut wrong);
    let broker_password = secret("mqtt.password", mqtt.password.as_deref(), dir, &mut wrong);
    if mqtt.password.is_some() && mqtt.username.is_none() {
        wrong.push("mqtt.password: needs mqtt.username".to_owned());
    }
    let (listen, tls) = listener(&config.web, dir, &mut wrong);
    hosts(&config.web.hosts, &mut wrong);
    let outlines = config.web.outlines.as_ref().and_then(|path| {
        crate::outlines::read(&dir.join(path)).map_err(|why| wrong.push(format!("web.outlines: {why}"))).ok()
    });
    let enrolment = crate::enrolment_config::check(&config.enrolment, tls.as_ref(), dir, &mut wrong);
    kept(&config.keep, &mut wrong);
    if !config.person.is_empty() {
        wrong.push(
            "person: accounts have taken its place: `linli-district users add NAME --role commander`; remove the tables"
                .to_owned(),
        );
    }
    match (wrong.is_empty(), brokers, listen) {
        (true, Some((brokers, engine)), Some(listen)) => {
            let crate::enrolment_config::Parts { certificates, gateways, broker_files } = enrolment;
            let certificates =
                certificates.map(|settings| Settings { version: engine.version(), ..settings });
            Ok(Checked {
                config,
                brokers,
                engine,
                database_password,
                broker_password,
                listen,
                outlines,
                tls,
                certificates,
                gateways,
                broker_files,
            })
        }
        _ => Err(wrong),
    }
}

/// How long what is kept.
fn kept(keep: &Keep, wrong: &mut Vec<String>) {
    within(wrong, "keep.recent_days", keep.recent_days.into(), 2, 400);
    within(wrong, "keep.packed_days", keep.packed_days.into(), keep.recent_days.into(), 36_500);
    within(wrong, "keep.event_days", keep.event_days.into(), 180, 36_500);
    within(wrong, "keep.poison_days", keep.poison_days.into(), 1, 3650);
    within(wrong, "keep.ahead_days", keep.ahead_days.into(), 1, 60);
}

/// Where HTTP listens, and the files of its certificate and key.
fn listener(
    web: &Web,
    dir: &Path,
    wrong: &mut Vec<String>,
) -> (Option<SocketAddr>, Option<(PathBuf, PathBuf)>) {
    let listen = web.listen.parse::<SocketAddr>().ok();
    if listen.is_none() {
        wrong.push(format!("web.listen: {:?} is not an address such as 127.0.0.1:8090", web.listen));
    }
    let tls = match (&web.certificate, &web.key) {
        (Some(certificate), Some(key)) => Some((dir.join(certificate), dir.join(key))),
        (None, None) => None,
        _ => {
            wrong.push("web.certificate: needs web.key, and web.key needs web.certificate".to_owned());
            return (listen, None);
        }
    };
    if let Some(error) = tls.as_ref().and_then(|(certificate, key)| crate::tls::read(certificate, key).err())
    {
        wrong.push(format!("web.certificate: {error}"));
    }
    if let Some(address) = listen.filter(|address| !address.ip().is_loopback() && tls.is_none()) {
        wrong.push(format!(
            "web.listen: {address} is not loopback; it needs web.certificate and web.key, or a proxy with TLS in front"
        ));
    }
    (listen, tls)
}

/// Checks the names of proxies.
fn hosts(hosts: &[String], wrong: &mut Vec<String>) {
    let is_name = |host: &str| {
        !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-[:]".contains(c))
    };
    for host in hosts.iter().filter(|host| !is_name(host)) {
        wrong.push(format!(
            "web.hosts: {host:?} is not a name such as district.example, without scheme and path"
        ));
    }
}

/// A database on another machine is reached with TLS that checks its certificate (PostgreSQL 15, 34.19.1), or somebody says
/// why not.
fn encrypted(database: &Database, wrong: &mut Vec<String>) {
    let mode = crate::address::parameter(&database.url, "sslmode").unwrap_or("prefer");
    if database.insecure.is_some() || ["verify-full", "verify-ca"].contains(&mode) {
        return;
    }
    for url in crate::address::addresses(&database.url) {
        let rest = url.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let named = crate::address::parameter(&url, "host").unwrap_or(host);
        let is_here = named.is_empty()
            || named.starts_with(['/', '%'])
            || named == "localhost"
            || named.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if !is_here {
            wrong.push(format!(
                "database.url: {named} is another machine; add ?sslmode=verify-full&sslrootcert=PATH, or say in \
                 database.insecure why it needs no encryption"
            ));
        }
    }
}

fn within(wrong: &mut Vec<String>, key: &str, value: u64, least: u64, most: u64) {
    if !(least..=most).contains(&value) {
        wrong.push(format!("{key}: {value} is not between {least} and {most}"));
    }
}

/// Whether the part before the host has a colon.
fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')) || url.contains("password=")
}

/// Every address, and the engine behind them, which is one.
fn brokers(mqtt: &Mqtt, wrong: &mut Vec<String>) -> Option<(Vec<(String, u16)>, Engine)> {
    let (mut addresses, mut engines) = (Vec::new(), Vec::new());
    if mqtt.more_urls.len() > MOST_BROKERS {
        wrong.push(format!("mqtt.more_urls: has more than {MOST_BROKERS} addresses"));
    }
    for url in std::iter::once(&mqtt.url).chain(&mqtt.more_urls) {
        let (host, port, engine) = broker(mqtt, url, wrong)?;
        addresses.push((host, port));
        engines.push(engine);
    }
    let engine = engines.first().copied()?;
    if engines.iter().any(|other| *other != engine) {
        wrong.push("mqtt.more_urls: differ from url in their scheme".to_owned());
    }
    if !engine.is_encrypted() && mqtt.ca.is_some() {
        wrong.push("mqtt.ca: is for mqtts:// and tls://".to_owned());
    }
    Some((addresses, engine))
}

fn broker(mqtt: &Mqtt, url: &str, wrong: &mut Vec<String>) -> Option<(String, u16, Engine)> {
    let (rest, engine, usual) = match url.split_once("://") {
        Some(("mqtt", rest)) => (rest, Engine::Mqtt, 1883),
        Some(("mqtts", rest)) => (rest, Engine::Mqtts, 8883),
        Some(("nats", rest)) => (rest, Engine::Nats, 4222),
        Some(("tls", rest)) => (rest, Engine::NatsTls, 4222),
        _ => {
            wrong.push(format!("mqtt.url: {url:?} does not begin with mqtt://, mqtts://, nats:// or tls://"));
            return None;
        }
    };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()),
        None => (rest, Some(usual)),
    };
    let Some(port) = port.filter(|port| *port > 0 && !host.is_empty() && !host.contains(['@', '/'])) else {
        wrong.push(format!("mqtt.url: {url:?} is not a host and a port, such as mqtt://127.0.0.1:1883"));
        return None;
    };
    let is_here = ["localhost", "127.0.0.1"].contains(&host);
    if !engine.is_encrypted() && !is_here && mqtt.insecure.is_none() {
        let scheme = if engine == Engine::Nats { "tls" } else { "mqtts" };
        wrong.push(format!(
            "mqtt.url: {host} is another machine; use {scheme}://, or say in mqtt.insecure why it needs no encryption"
        ));
    }
    Some((host.to_owned(), port, engine))
}

fn secret(key: &str, reference: Option<&str>, dir: &Path, wrong: &mut Vec<String>) -> Option<String> {
    let reference = reference?;
    let Some(file) = reference.strip_prefix("file:") else {
        wrong.push(format!("{key}: write \"file:PATH\"; the secret itself must not stand here"));
        return None;
    };
    match std::fs::read_to_string(dir.join(file)) {
        Ok(text) => Some(text.trim_end().to_owned()),
        Err(error) => {
            wrong.push(format!("{key}: {}: {error}", dir.join(file).display()));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<Checked, Vec<String>> {
        check(toml::from_str(text).expect("it parses"), Path::new("/nowhere"))
    }

    #[test]
    fn the_shortest_configuration_has_safe_defaults() {
        let text = "[database]\nurl = \"postgres:///linli\"\n[mqtt]\nurl = \"mqtt://127.0.0.1\"\n";
        let checked = checked(text).expect("it is right");
        assert_eq!(checked.brokers, [("127.0.0.1".to_owned(), 1883)]);
        assert!(checked.listen.ip().is_loopback() && checked.config.enrolment.required);
    }

    #[test]
    fn every_mistake_is_told_at_once_with_the_way_out() {
        let text = "[database]\nurl = \"postgres://u:secret@h,localhost/d?sslmode=require\"\nconnections = 1\n\
            [mqtt]\nurl = \"mqtt://broker.example\"\nclient_id = \"a b\"\npassword = \"x\"\n\
            [web]\nlisten = \"0.0.0.0:80\"\nhosts = [\"https://a/\"]\n[keep]\nevent_days = 30\n";
        let wrong = checked(text).expect_err("it is wrong").join("\n");
        for part in [
            "database.password = \"file:PATH\"",
            "h is another machine; add ?sslmode=verify-full",
            "connections: 1 is not between 2 and 64",
            "use mqtts://",
            "client_id",
            "file:PATH",
            "mqtt.username",
            "proxy",
            "event_days: 30",
            "web.hosts",
        ] {
            assert!(wrong.contains(part), "{part} in\n{wrong}");
        }
    }
}
