//! Accounts for the people of a centre: each is set up with its enrolment code and logs in with a password and an
//! authenticator, as people do.

use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, ensure};
use linli_domain::Timestamp;
use serde_json::{Value, json};

use crate::http::{self, Patient};

/// The password of everybody.
pub const PASSWORD: &str = "correct horse battery";

/// What whoever runs the tests may do at the control socket: everything.
const LOCAL: &str = "roles = [\"health_worker\", \"canteen\", \"operator\", \"technician\", \"command\", \"auditor\", \"admin\"]";

/// Log-ins at one gateway: the cookie of each account.
#[derive(Default)]
pub struct LogIns(Mutex<BTreeMap<String, String>>);

/// Gives the user who runs the tests an account in gateway.toml, unless some user has one there.
pub fn add_local_account(config: &Path) -> anyhow::Result<()> {
    let file = config.join("gateway.toml");
    let Ok(text) = std::fs::read_to_string(&file) else { return Ok(()) };
    if text.contains("[[local_account]]") {
        return Ok(());
    }
    let user = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self")?);
    let table = format!("\n[[local_account]]\nname = \"tester\"\nuid = {user}\n{LOCAL}\n");
    Ok(std::fs::write(&file, text + &table)?)
}

/// The directory where the command line keeps log-ins in a test.
#[must_use]
pub fn sessions(config: &Path) -> PathBuf {
    config.with_extension("sessions")
}

/// The file with the password, for the command line.
pub fn password_file(config: &Path) -> anyhow::Result<PathBuf> {
    let file = config.with_extension("password");
    std::fs::write(&file, PASSWORD)?;
    Ok(file)
}

// === impl LogIns ===

impl LogIns {
    /// The cookie header of a person, who is logged in if they are not yet.
    pub fn cookie(&self, socket: &Path, person: &str) -> anyhow::Result<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cookie) = all.get(person) {
            return Ok(cookie.clone());
        }
        let cookie = log_in(socket, person).with_context(|| format!("log-in of {person}"))?;
        all.insert(person.to_owned(), cookie.clone());
        Ok(cookie)
    }

    /// Keeps the log-in of a person where the command line looks for it.
    pub fn keep(&self, socket: &Path, config: &Path, person: &str) -> anyhow::Result<()> {
        let cookie = self.cookie(socket, person)?;
        let (name, value) = cookie.split_once('=').context("no cookie")?;
        std::fs::create_dir_all(sessions(config))?;
        let kept = json!({"cookies": [[name, value]]});
        Ok(std::fs::write(sessions(config).join(person), kept.to_string())?)
    }
}

/// Every role that people have.
pub const EVERY_ROLE: [&str; 7] =
    ["health_worker", "canteen", "operator", "technician", "command", "auditor", "admin"];

/// Adds or resets the account, sets it up, and logs in on the control socket; returns the cookie.
fn log_in(socket: &Path, person: &str) -> anyhow::Result<String> {
    log_in_over(socket, || Ok(UnixStream::connect(socket)?), person, &["operator", "technician", "command"])
}

/// The same, on the listener that `connect` reaches.
pub fn log_in_over<S: Patient>(
    socket: &Path,
    connect: impl FnOnce() -> anyhow::Result<S>,
    person: &str,
    roles: &[&str],
) -> anyhow::Result<String> {
    let (status, answer) = post(socket, "/api/v1/users", &json!({"account": person, "roles": roles}))?;
    let answer = match status {
        201 => answer,
        409 => post(socket, &format!("/api/v1/users/{person}/reset"), &Value::Null)?.1,
        _ => anyhow::bail!("{status}: {answer}"),
    };
    let body = json!({"account": person, "code": answer["code"], "secret": PASSWORD});
    let enrolled = http::request(
        UnixStream::connect(socket)?,
        "POST",
        "/api/v1/session/enrol",
        JSON,
        &body.to_string(),
    )?;
    ensure!(enrolled.status == 200, "{enrolled:?}");
    let answer: Value = serde_json::from_str(&enrolled.body)?;
    let secret = answer["totp"].as_str().context("no secret for an authenticator")?;
    let now = time_of(&enrolled)?;
    let code = linli_accounts::rules::totp::code_at(secret, now).context("no code")?;
    let body = json!({"account": person, "password": PASSWORD, "code": code}).to_string();
    let answer = http::request(connect()?, "POST", "/api/v1/session", JSON, &body)?;
    ensure!(answer.status == 200, "{answer:?}");
    let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
    Ok(cookie.context("no cookie")?.to_owned())
}

/// What the gateway takes for the present, which tests of its clock change.
fn time_of(answer: &http::Answer) -> anyhow::Result<Timestamp> {
    let date = answer.header("date").context("no date")?;
    let date = jiff::fmt::rfc2822::parse(date).with_context(|| date.to_owned())?;
    Ok(Timestamp(date.timestamp().as_millisecond()))
}

/// The header of a JSON body.
pub const JSON: &str = "Content-Type: application/json\r\n";

fn post(socket: &Path, path: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = http::ask(UnixStream::connect(socket)?, "POST", path, JSON, &body)?;
    Ok((status, serde_json::from_str(&answer).unwrap_or_default()))
}
