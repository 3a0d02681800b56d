//! Checks gateway.toml: this gateway, its store, broker and listener.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use linli_domain::Id;
use linli_drivers::duration::Period;
use linli_drivers::insecure;
use linli_uplink::{Acknowledge, Credentials, Settings as Uplink, Tls, Version};

use super::DEFAULT_STORE;
use super::checked::{LocalAccount, Web, WebLimits, Worker};
use super::diagnostics::{Diagnostics, keys};
use super::raw::{self, GatewayFile, Mqtt, MqttVersion, Store};
use super::text::Step;
use super::{accounts, cabin, host, outbound, secret};
use crate::settings::image_key::{ImageKeys, parse_public_key};

/// Most brokers after the first.
const MOST_BROKERS: usize = 8;

/// Smallest database: a smaller one leaves no reserve for alarms.
const SMALLEST_STORE: u64 = 4 << 20;

/// Longest commit window: a power cut loses what arrived within it.
const LONGEST_COMMIT: Duration = Duration::from_secs(5);

/// Shortest retention: with less, a restart of the broker would lose data.
const SHORTEST_AGE: Duration = Duration::from_secs(60);

/// Shortest retention of records: the Cybersecurity Law of the PRC, article 21, asks for six months of logs.
const SHORTEST_RECORD: Duration = Duration::from_secs(180 * 86_400);

/// The checked contents of gateway.toml.
pub struct FromGatewayFile {
    pub id: Id,
    pub store: linli_store::Settings,
    pub record_retention: Duration,
    pub uplink: Option<Uplink>,
    pub web: Web,
    pub uplink_insecure: Option<String>,
    pub workers: Vec<Worker>,
    pub local_accounts: Vec<LocalAccount>,
    /// Public keys that firmware images may be signed with.
    pub image_keys: ImageKeys,
    /// Settings of the cabin; its rooms are added once the devices are checked.
    pub cabin: crate::settings::cabin::CabinSettings,
    /// The result slip and its printer.
    pub slip: crate::settings::slip::SlipSettings,
    /// The FHIR server.
    pub fhir: Option<crate::settings::fhir::FhirSettings>,
}

/// Checks the file. Without a directory, files and environment variables are not read.
pub fn check(
    file: &GatewayFile,
    centre: Option<&Id>,
    dir: Option<&Path>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Option<FromGatewayFile> {
    let id = diagnostics.id(&keys(&["gateway", "id"]), &file.gateway.id);
    let record_retention = record_retention(&file.store, diagnostics);
    let store = store(&file.store, dir, diagnostics);
    let web = web(file, diagnostics);
    let uplink = match (&file.mqtt, &id, centre) {
        (Some(raw), Some(id), Some(centre)) => Some(mqtt(raw, id, centre, dir, diagnostics)),
        _ => None,
    };
    let cabin = cabin::check(file.cabin.as_ref(), dir, diagnostics);
    let slip = outbound::slip(file.slip.as_ref(), dir, diagnostics);
    let fhir = outbound::fhir(file.fhir.as_ref(), dir, diagnostics);
    let workers = accounts::workers(&file.worker, dir, diagnostics);
    let local_accounts = accounts::local(&file.local_account, diagnostics);
    let image_keys = image_keys(file, dir, diagnostics);
    let uplink_insecure = file.mqtt.as_ref().and_then(|mqtt| mqtt.insecure.clone());
    Some(FromGatewayFile {
        id: id?,
        store,
        record_retention,
        uplink: uplink.flatten(),
        web: web?,
        uplink_insecure,
        workers,
        local_accounts,
        image_keys,
        cabin,
        slip,
        fhir,
    })
}

/// Reads public keys written in place or in files. Without a directory, files are not read.
fn image_keys(file: &GatewayFile, dir: Option<&Path>, diagnostics: &mut Diagnostics<'_, '_>) -> ImageKeys {
    let mut keys = Vec::new();
    let given = file.nodes.iter().flat_map(|nodes| &nodes.image_keys).enumerate();
    for (index, text) in given {
        let text = match text.strip_prefix("file:") {
            None => Ok(text.clone()),
            Some(_) if dir.is_none() => continue,
            Some(_) => secret::read(text, dir),
        };
        match text.map_err(|unread| unread.why).and_then(|text| parse_public_key(&text)) {
            Ok(key) => keys.push(key),
            Err(why) => {
                let mut path = super::diagnostics::keys(&["nodes", "image_keys"]);
                path.push(Step::Index(index));
                diagnostics.wrong(&path, format!("{why}; `cargo xtask firmware keygen` makes a pair"));
            }
        }
    }
    ImageKeys(keys)
}

fn store(raw: &Store, dir: Option<&Path>, diagnostics: &mut Diagnostics<'_, '_>) -> linli_store::Settings {
    let max_bytes = raw.max_bytes.map_or(512 << 20, |size| size.0);
    if max_bytes < SMALLEST_STORE {
        diagnostics
            .wrong(&keys(&["store", "max_bytes"]), "is too small to survive an outage; at least \"4MiB\"");
    }
    let commit_interval = raw.commit_interval.map_or(Duration::from_millis(100), |p| p.0);
    if commit_interval > LONGEST_COMMIT {
        diagnostics.wrong(
            &keys(&["store", "commit_interval"]),
            "is longer than 5s: so much would be lost in a power cut",
        );
    }
    let history_retention = raw.history_retention.map_or(Duration::from_secs(90 * 86_400), |p| p.0);
    if history_retention < Duration::from_secs(3600) {
        diagnostics.wrong(
            &keys(&["store", "history_retention"]),
            "is shorter than an hour: there would be no trends",
        );
    }
    if raw.max_age.is_some_and(|age| age.0 < SHORTEST_AGE) {
        diagnostics.wrong(
            &keys(&["store", "max_age"]),
            "is shorter than a minute: any short outage would lose data",
        );
    }
    let path = PathBuf::from(raw.path.as_deref().unwrap_or(DEFAULT_STORE));
    if path.file_name().is_none() || raw.path.as_deref().is_some_and(|p| p.ends_with('/')) {
        diagnostics.wrong(
            &keys(&["store", "path"]),
            "is a directory; name the database file, such as \"/var/lib/linli/linli.db\"",
        );
    }
    linli_store::Settings {
        path: dir.map_or_else(|| path.clone(), |dir| dir.join(&path)),
        max_bytes,
        max_age: raw.max_age.map(|p| p.0),
        commit_interval,
        history_retention,
    }
}

fn record_retention(raw: &Store, diagnostics: &mut Diagnostics<'_, '_>) -> Duration {
    let retention = raw.record_retention.map_or(Duration::from_secs(3 * 365 * 86_400), |p| p.0);
    if retention < SHORTEST_RECORD {
        diagnostics.wrong(
            &keys(&["store", "record_retention"]),
            "is shorter than 180d: the law asks for six months of logs （日志至少保存六个月）",
        );
    }
    retention
}

fn web(file: &GatewayFile, diagnostics: &mut Diagnostics<'_, '_>) -> Option<Web> {
    let text = file.web.listen.as_deref().unwrap_or("127.0.0.1:8080");
    let Ok(listen) = text.parse::<SocketAddr>() else {
        let message = format!("{text:?} is not an address and port such as \"127.0.0.1:8080\"");
        diagnostics.wrong(&keys(&["web", "listen"]), message);
        return None;
    };
    if !listen.ip().is_loopback() && !file.web.open_to_network {
        let message = "other machines would reach it; set open_to_network = true if they shall";
        diagnostics.wrong(&keys(&["web", "listen"]), message);
    }
    let insecure = file.web.insecure.clone();
    if insecure.is_some() {
        let checked = insecure::check(insecure.as_deref(), listen.ip().is_loopback(), "listen", "");
        checked.unwrap_or_else(|wrong| diagnostics.wrong(&keys(&["web", wrong.key]), wrong.message));
    }
    for (index, name) in file.web.names.iter().enumerate().filter(|(_, name)| !host::is_name_or_address(name))
    {
        let mut path = keys(&["web", "names"]);
        path.push(Step::Index(index));
        let message =
            format!("{name:?} is no host name or address, such as \"linli.centre.lan\" or \"192.0.2.5\"");
        diagnostics.wrong(&path, message);
    }
    let names = file.web.names.clone();
    let mut within = |key: &str, given: Option<Period>, most: u64| {
        let given = given?.0;
        if !(Duration::from_secs(1)..=Duration::from_secs(most)).contains(&given) {
            diagnostics.wrong(&keys(&["web", key]), format!("is not between \"1s\" and \"{most}s\""));
        }
        Some(given)
    };
    let limits = WebLimits {
        connections: file.web.connections,
        per_address: file.web.connections_per_address,
        headers: within("header_timeout", file.web.header_timeout, 60),
        body: within("body_timeout", file.web.body_timeout, 300),
    };
    Some(Web { listen, limits, names, insecure })
}

fn mqtt(
    raw: &Mqtt,
    gateway: &Id,
    centre: &Id,
    dir: Option<&Path>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Option<Uplink> {
    let at = |key: &str| keys(&["mqtt", key]);
    let address = match parse_url(&raw.url) {
        Ok(address) => Some(address),
        Err(why) => {
            diagnostics.wrong(&at("url"), why);
            None
        }
    };
    let secure = address.as_ref().is_some_and(|(_, _, secure)| *secure);
    if raw.tls.is_some() && !secure && address.is_some() {
        diagnostics.wrong(&at("tls"), "is for url = \"mqtts://…\"; this url is not encrypted");
    }
    if let Some((host, ..)) = address.as_ref().filter(|_| !secure) {
        let checked =
            insecure::check(raw.insecure.as_deref(), insecure::is_here(host), "url", "use mqtts://");
        checked.unwrap_or_else(|wrong| diagnostics.wrong(&at(wrong.key), wrong.message));
    } else if secure && raw.insecure.is_some() {
        diagnostics.wrong(&at("insecure"), "is not needed: mqtts:// is encrypted; leave it out");
    }
    let client_id = raw.client_id.clone().unwrap_or_else(|| format!("linli-{centre}-{gateway}"));
    if client_id.is_empty() || client_id.len() > 128 || client_id.chars().any(char::is_control) {
        diagnostics.wrong(&at("client_id"), "must be 1 to 128 printable characters");
    }
    let credentials = credentials(raw, dir, diagnostics);
    let keep_alive = raw.keep_alive.map_or(Duration::from_secs(30), |p| p.0);
    if !(Duration::from_secs(5)..=Duration::from_secs(3600)).contains(&keep_alive) {
        diagnostics.wrong(&at("keep_alive"), "is not between \"5s\" and \"1h\"");
    }
    let max_payload = raw.max_payload.map_or(256 << 10, |size| size.0);
    if !((4 << 10)..=(64 << 20)).contains(&max_payload) {
        diagnostics.wrong(&at("max_payload"), "is not between \"4KiB\" and \"64MiB\"");
    }
    if raw.formats.as_ref().is_some_and(Vec::is_empty) {
        diagnostics.wrong(&at("formats"), "is empty; leave it out for [\"json\"]");
    }
    let tls = secure.then(|| tls(raw, dir, diagnostics));
    let others = more_addresses(raw, secure, diagnostics);
    let inbound_qos1 = is_inbound_qos1(raw, diagnostics);
    let escape_dots = escape_dots(raw, (centre, gateway), diagnostics);
    let (host, port, _) = address?;
    Some(Uplink {
        host,
        port,
        others,
        version: match raw.version {
            Some(MqttVersion::V311) => Version::V311,
            Some(MqttVersion::V5) | None => Version::V5,
        },
        client_id,
        credentials,
        tls,
        base: format!("linli/1/{centre}/{gateway}"),
        window: usize::from(raw.window.unwrap_or(128)),
        backlog_rate: raw.backlog_rate.unwrap_or(2000),
        max_payload: usize::try_from(max_payload).unwrap_or(usize::MAX),
        keep_alive,
        ack_timeout: Duration::from_secs(30),
        acknowledge: acknowledge(raw),
        inbound_qos1,
        escape_dots,
    })
}

fn acknowledge(raw: &Mqtt) -> Acknowledge {
    match raw.acknowledge {
        Some(raw::Acknowledge::District) => Acknowledge::District,
        Some(raw::Acknowledge::Puback) | None => Acknowledge::Puback,
    }
}

fn is_inbound_qos1(raw: &Mqtt, diagnostics: &mut Diagnostics<'_, '_>) -> bool {
    if raw.inbound_qos.is_some_and(|qos| qos > 1) {
        diagnostics.wrong(&keys(&["mqtt", "inbound_qos"]), "is neither 0 nor 1");
    }
    raw.inbound_qos != Some(0)
}

/// Whether `.` is escaped in topics. The district reads centre and gateway from them as they are.
fn escape_dots(raw: &Mqtt, (centre, gateway): (&Id, &Id), diagnostics: &mut Diagnostics<'_, '_>) -> bool {
    let is_on = raw.escape_dots == Some(true);
    for (what, id) in [("centre", centre), ("gateway.id", gateway)] {
        if is_on && id.as_str().contains('.') {
            let wrong = format!("needs ids without '.', but {what} is {id:?}", id = id.as_str());
            diagnostics.wrong(&keys(&["mqtt", "escape_dots"]), wrong);
        }
    }
    is_on
}

/// The addresses after the first: encrypted like it, or on this machine like it.
fn more_addresses(raw: &Mqtt, secure: bool, diagnostics: &mut Diagnostics<'_, '_>) -> Vec<(String, u16)> {
    let given = raw.more_urls.as_deref().unwrap_or_default();
    if given.len() > MOST_BROKERS {
        diagnostics.wrong(&keys(&["mqtt", "more_urls"]), format!("has more than {MOST_BROKERS} addresses"));
    }
    let mut addresses = Vec::new();
    for (index, url) in given.iter().enumerate() {
        let mut path = keys(&["mqtt", "more_urls"]);
        path.push(Step::Index(index));
        match parse_url(url) {
            Err(why) => diagnostics.wrong(&path, why),
            Ok((_, _, is_secure)) if is_secure != secure => {
                diagnostics.wrong(&path, "differs from url: either all use mqtts:// or all use mqtt://");
            }
            Ok((host, _, false)) if raw.insecure.is_none() && !insecure::is_here(&host) => {
                diagnostics.wrong(&path, "leaves this machine without encryption; use mqtts://");
            }
            Ok((host, port, _)) => addresses.push((host, port)),
        }
    }
    addresses
}

/// Parses a broker URL into host, port and whether TLS is used.
fn parse_url(url: &str) -> Result<(String, u16, bool), String> {
    let (rest, secure) = match url.split_once("://") {
        Some(("mqtt", rest)) => (rest, false),
        Some(("mqtts", rest)) => (rest, true),
        Some((other, _)) => {
            return Err(format!("{other:?} is not a scheme linli speaks; use mqtt:// or mqtts://"));
        }
        None => return Err(format!("{url:?} has no scheme; write \"mqtt://{url}\" or \"mqtts://{url}\"")),
    };
    if rest.contains('@') {
        return Err("must not hold user or password; use username and password = \"file:…\"".to_owned());
    }
    let rest = rest.trim_end_matches('/');
    if rest.contains('/') {
        return Err("must end after host and port; topics are fixed".to_owned());
    }
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| format!("{port:?} is not a port"))?),
        None => (rest, if secure { 8883 } else { 1883 }),
    };
    let fine = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if host.is_empty() || !host.chars().all(fine) || port == 0 {
        return Err(format!("{host:?} is not a host name or address"));
    }
    Ok((host.to_owned(), port, secure))
}

fn credentials(raw: &Mqtt, dir: Option<&Path>, diagnostics: &mut Diagnostics<'_, '_>) -> Option<Credentials> {
    let at = |key: &str| keys(&["mqtt", key]);
    match (&raw.username, &raw.password) {
        (None, None) => None,
        (Some(username), None) => Some(Credentials { username: username.clone(), password: String::new() }),
        (None, Some(_)) => {
            diagnostics.wrong(&at("password"), "needs a username");
            None
        }
        (Some(username), Some(reference)) => match secret::read_private(reference, dir) {
            Ok(password) => Some(Credentials { username: username.clone(), password }),
            Err(why) => {
                diagnostics.wrong(&at("password"), why);
                None
            }
        },
    }
}

/// Whether the uplink connects with a certificate of its own.
pub fn is_certified(file: &GatewayFile) -> bool {
    file.mqtt.as_ref().and_then(|mqtt| mqtt.tls.as_ref()).is_some_and(|tls| tls.cert.is_some())
}

fn tls(raw: &Mqtt, dir: Option<&Path>, diagnostics: &mut Diagnostics<'_, '_>) -> Tls {
    let Some(raw) = &raw.tls else { return Tls::default() };
    let mut path = |key: &str, given: &Option<String>| {
        let given = given.as_ref()?;
        let Some(dir) = dir else { return Some(PathBuf::from(given)) };
        let full = dir.join(given);
        if let Err(error) = std::fs::File::open(&full) {
            diagnostics.wrong(&keys(&["mqtt", "tls", key]), secret::Finding::unread(&full, dir, &error));
        }
        Some(full)
    };
    let ca = path("ca", &raw.ca);
    let (cert, key) = (path("cert", &raw.cert), path("key", &raw.key));
    if let Some(why) = key.as_ref().filter(|_| dir.is_some()).and_then(|key| secret::is_open(key)) {
        diagnostics.wrong(&keys(&["mqtt", "tls", "key"]), why);
    }
    let identity = match (cert, key) {
        (Some(cert), Some(key)) => Some((cert, key)),
        (None, None) => None,
        _ => {
            diagnostics.wrong(&keys(&["mqtt", "tls"]), "cert and key belong together: give both or neither");
            None
        }
    };
    let renew = renewal(raw.renew.as_deref(), identity.as_ref(), diagnostics);
    Tls { ca, identity, renew }
}

/// The district that renews the certificate.
fn renewal(
    url: Option<&str>,
    identity: Option<&(PathBuf, PathBuf)>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Option<String> {
    let url = url?;
    let at = keys(&["mqtt", "tls", "renew"]);
    let is_local = url.starts_with("http://") && insecure::host_of(url).is_some_and(insecure::is_here);
    if !url.starts_with("https://") && !is_local {
        diagnostics.wrong(&at, format!("{url:?} does not begin with https://"));
    } else if identity.is_none_or(|(cert, key)| cert != key) {
        diagnostics.wrong(&at, "needs cert and key in one file, as `linli uplink enrol` writes it");
    }
    Some(url.to_owned())
}
