//! Checks `[[webhook]]` of alarms.toml: receivers of notifications outside the centre.

use std::path::Path;
use std::time::Duration;

use linli_domain::alarm::Priority;
use linli_domain::hours::Hours;
use linli_drivers::insecure::{self, host_of, is_here};

use super::super::diagnostics::{Diagnostics, nth};
use super::super::{raw, secret};
use super::written;
use crate::settings::webhook::Webhook;
use linli_domain::timezone::Zone;

/// Shortest time before a notification is repeated.
const SHORTEST_ESCALATION: Duration = Duration::from_secs(60);

/// Checks every webhook.
pub fn check(
    raw: &[raw::Webhook],
    zone: Option<&Zone>,
    dir: Option<&Path>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Vec<Webhook> {
    let mut hooks: Vec<Webhook> = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let at = |key: &str| nth("webhook", index, key);
        let Some(id) = diagnostics.id(&at("id"), &raw.id) else { continue };
        if hooks.iter().any(|other| other.id == id) {
            diagnostics.wrong(&at("id"), format!("webhook {id} is there twice"));
        }
        if let Err((key, why)) = address(raw) {
            diagnostics.wrong(&at(key), why);
        }
        let key = match raw.secret.as_ref().map(|reference| secret::read_private(reference, dir)) {
            Some(Ok(key)) => Some(key),
            Some(Err(why)) => {
                diagnostics.wrong(&at("secret"), why);
                None
            }
            None => None,
        };
        let escalate_after = raw.escalate_after.map(|after| after.0);
        if escalate_after.is_some_and(|after| after < SHORTEST_ESCALATION) {
            diagnostics
                .wrong(&at("escalate_after"), "is shorter than a minute: nobody can have acknowledged");
        }
        let priorities = raw.priorities.as_ref().map(|all| all.iter().map(written::priority).collect());
        if priorities.as_ref().is_some_and(Vec::is_empty) {
            diagnostics.wrong(&at("priorities"), "is empty: nothing would be told; leave the webhook out");
        }
        let priorities = priorities.unwrap_or_else(|| vec![Priority::High, Priority::Medium]);
        let quiet = raw.quiet.as_ref().and_then(|text| {
            let hours = Hours::parse(text);
            if hours.is_none() {
                diagnostics.wrong(&at("quiet"), format!("{text:?} are no hours such as \"22:00-06:00\""));
            }
            Some((hours?, zone?.clone()))
        });
        let (url, insecure) = (raw.url.clone(), raw.insecure.clone());
        hooks.push(Webhook { id, url, insecure, secret: key, priorities, escalate_after, quiet });
    }
    hooks
}

/// Checks the address and the reason for not encrypting it; an error names its key.
fn address(raw: &raw::Webhook) -> Result<(), (&'static str, String)> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| raw.url.starts_with(scheme));
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || c == '@' || c == '\\';
    let host = host_of(&raw.url).filter(|_| !raw.url.chars().any(is_odd));
    let (Some(scheme), Some(host)) = (scheme, host) else {
        let why =
            format!("{:?} is not an address such as \"https://host/path\", without a password", raw.url);
        return Err(("url", why));
    };
    if scheme == "https://" {
        let why = "is not needed: https:// is encrypted; leave it out".to_owned();
        return if raw.insecure.is_some() { Err(("insecure", why)) } else { Ok(()) };
    }
    let checked = insecure::check(raw.insecure.as_deref(), is_here(host), "url", "use https://");
    checked.map_err(|wrong| (wrong.key, wrong.message))
}
