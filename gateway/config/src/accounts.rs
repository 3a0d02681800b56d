//! `[[worker]]` and `[[local_account]]` of gateway.toml: accounts of programs with a token, and of users of this
//! machine. People have accounts in the store.

use std::path::Path;

use linli_domain::Id;
use linli_domain::role::Role;
use ring::digest::{SHA256, digest};

use super::checked::{LocalAccount, Worker};
use super::diagnostics::{Diagnostics, nth};
use super::raw;
use super::secret;

/// Shortest token in characters: shorter ones can be guessed.
const SHORTEST_TOKEN: usize = 24;

/// Checks `[[worker]]`.
pub fn workers(
    raw: &[raw::Worker],
    dir: Option<&Path>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Vec<Worker> {
    let mut workers: Vec<Worker> = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let Some(name) = diagnostics.id(&nth("worker", index, "name"), &raw.name) else { continue };
        if workers.iter().any(|other| other.name == name) {
            diagnostics.wrong(&nth("worker", index, "name"), format!("{name} is there twice"));
        }
        let token = match secret::read_private(&raw.token, dir) {
            Ok(token) if dir.is_some() && token.len() < SHORTEST_TOKEN => {
                let message = format!(
                    "a token has at least {SHORTEST_TOKEN} characters; `linli visits keygen FILE` makes one"
                );
                diagnostics.wrong(&nth("worker", index, "token"), message);
                continue;
            }
            Ok(token) => token,
            Err(why) => {
                diagnostics.wrong(&nth("worker", index, "token"), why);
                continue;
            }
        };
        let hashed = digest(&SHA256, token.as_bytes());
        if dir.is_some() && workers.iter().any(|other| other.token == hashed.as_ref()) {
            diagnostics
                .wrong(&nth("worker", index, "token"), "is another worker's token too; give each their own");
        }
        let roles = match &raw.roles {
            Some(words) => roles(words, "worker", index, diagnostics),
            None => vec![Role::HealthWorker],
        };
        workers.push(Worker { name, token: hashed.as_ref().to_vec(), roles });
    }
    workers
}

/// Checks `[[local_account]]`; whether the persons exist is checked with facility.toml ([`people`]).
pub fn local(raw: &[raw::LocalAccount], diagnostics: &mut Diagnostics<'_, '_>) -> Vec<LocalAccount> {
    let mut accounts: Vec<LocalAccount> = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let at = |key: &str| nth("local_account", index, key);
        let Some(name) = diagnostics.id(&at("name"), &raw.name) else { continue };
        if accounts.iter().any(|other| other.name == name) {
            diagnostics.wrong(&at("name"), format!("{name} is there twice"));
        }
        if accounts.iter().any(|other| other.uid == raw.uid) {
            diagnostics.wrong(&at("uid"), format!("user {} has an account above", raw.uid));
        }
        let roles = roles(&raw.roles, "local_account", index, diagnostics);
        let person = raw.person.as_ref().and_then(|person| diagnostics.id(&at("person"), person));
        if person.is_some() && accounts.iter().any(|other| other.person == person) {
            diagnostics.wrong(&at("person"), "has an account above; the rule of two persons needs one each");
        }
        accounts.push(LocalAccount { name, uid: raw.uid, roles, person });
    }
    accounts
}

/// Checks that the persons of local accounts are those of facility.toml.
pub fn people(accounts: &[LocalAccount], people: &[&Id], diagnostics: &mut Diagnostics<'_, '_>) {
    for (index, account) in accounts.iter().enumerate() {
        let Some(person) = account.person.as_ref().filter(|person| !people.contains(person)) else {
            continue;
        };
        let known: Vec<&str> = people.iter().map(|person| person.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let why = format!("{person} is no [[person]] of facility.toml; people are: {known}");
        diagnostics.wrong(&nth("local_account", index, "person"), why);
    }
}

fn roles(
    words: &[String],
    table: &'static str,
    index: usize,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Vec<Role> {
    let mut roles = Vec::new();
    if words.is_empty() {
        diagnostics.wrong(&nth(table, index, "roles"), "names no role");
    }
    for word in words {
        match word.parse::<Role>() {
            Ok(role) if role.is_of_people() => roles.push(role),
            Ok(role) => {
                let why = format!("{role} is the role of an enrolled screen: `linli users enrol-screen`");
                diagnostics.wrong(&nth(table, index, "roles"), why);
            }
            Err(unknown) => diagnostics.wrong(&nth(table, index, "roles"), unknown.to_string()),
        }
    }
    roles
}
