//! Checks people, their keys, and whose orders are accepted.

use linli_domain::{Id, Timestamp};
use linli_mode::Class;
use linli_mode::facility::Person;
use linli_mode::order::{Key, Keyring, KnownTime, Policy, PublicKey};

use super::checked_plan::CheckedPlan;
use super::diagnostics::{Diagnostics, keys, nth};
use super::raw::{FacilityFile, KeyClass};
use super::text::Step;

/// People and the policy for orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// All people of facility.toml.
    pub people: Vec<Person>,
    /// Their public keys.
    pub keyring: Keyring,
    /// Whose orders are accepted; `None` when nobody has a key.
    pub policy: Option<Policy>,
}

/// Checks `[[person]]` and `[orders]`.
pub fn check(file: &FacilityFile, diagnostics: &mut Diagnostics<'_, '_>) -> People {
    let mut found = People::default();
    for (index, raw) in file.person.iter().enumerate() {
        let Some(id) = diagnostics.id(&nth("person", index, "id"), &raw.id) else { continue };
        if found.people.iter().any(|person| person.id == id) {
            diagnostics.wrong(&nth("person", index, "id"), format!("person {id} is there twice"));
        }
        if raw.name.trim().is_empty() {
            diagnostics.wrong(&nth("person", index, "name"), "must not be empty: people look for it");
        }
        if raw.roles.is_empty() {
            diagnostics.wrong(&nth("person", index, "roles"), "must name at least one, such as \"staff\"");
        }
        for (number, key) in raw.key.iter().enumerate() {
            let place = |name: &str| {
                let mut path = nth("person", index, "key");
                path.extend([Step::Index(number), Step::Key(name.to_owned())]);
                path
            };
            let mut time =
                |name: &str, text: &Option<String>| time(&place(name), text.as_deref(), diagnostics);
            let (from, until) = (time("from", &key.from), time("until", &key.until));
            let revoked = time("revoked", &key.revoked);
            if from.zip(until).is_some_and(|(from, until)| until <= from) {
                diagnostics.wrong(&place("until"), "is not later than from: the key would never count");
            }
            let class = match key.class {
                KeyClass::Actual => Class::Actual,
                KeyClass::Exercise => Class::Exercise,
            };
            match PublicKey::parse(&key.public) {
                Err(error) => {
                    diagnostics.wrong(&place("public"), format!("{error}; `linli order keygen` makes a pair"))
                }
                Ok(public) if found.keyring.key(&public.id().0).is_some() => {
                    diagnostics.wrong(
                        &place("public"),
                        "this key is there twice: each key has one owner and one class",
                    );
                }
                Ok(public) => {
                    let (person, roles) = (id.clone(), raw.roles.clone());
                    found.keyring.keys.push(Key { person, roles, class, public, from, until, revoked });
                }
            }
        }
        found.people.push(Person { id, name: raw.name.clone(), roles: raw.roles.clone() });
    }
    found.policy = policy(file, &found, diagnostics);
    found
}

/// Checks who may sign. Without any key nobody can order anything, which is no error.
fn policy(file: &FacilityFile, found: &People, diagnostics: &mut Diagnostics<'_, '_>) -> Option<Policy> {
    if found.keyring.keys.is_empty() {
        return None;
    }
    let orders = &file.orders;
    let quorum = usize::from(orders.quorum);
    let signers = |roles: &[String]| {
        let signs = |person: &&Person| {
            // A revoked key counts here: a revocation must not be refused because too few are left.
            let has_key = |key: &Key| key.person == person.id && key.class == Class::Actual;
            person.roles.iter().any(|role| roles.contains(role)) && found.keyring.keys.iter().any(has_key)
        };
        found.people.iter().filter(signs).count()
    };
    let count = signers(&orders.district);
    if count < quorum {
        let message = format!(
            "{quorum} different people must sign, but only {count} with the roles {} have a key of class Actual",
            orders.district.join(", ")
        );
        diagnostics.wrong(&keys(&["orders", "quorum"]), message);
    }
    Some(Policy { quorum, district: orders.district.clone(), local: orders.local.clone() })
}

fn time(path: &[Step], text: Option<&str>, diagnostics: &mut Diagnostics<'_, '_>) -> Option<Timestamp> {
    let text = text?;
    match text.parse::<jiff::Timestamp>() {
        Ok(at) => Some(Timestamp(at.as_millisecond())),
        Err(_) => {
            diagnostics.wrong(path, format!("{text:?} is not a time such as \"2026-12-01T00:00:00+08:00\""));
            None
        }
    }
}

// === impl People ===

impl People {
    /// Checks that a key which is valid now has signed a plan, where anybody has a key.
    ///
    /// # Errors
    /// Says whose key it is, and how to mend it.
    pub fn is_signed_now(&self, plan: &CheckedPlan, time: &KnownTime) -> Result<(), String> {
        let (Some(_), Some(signed)) = (&self.policy, &plan.signed) else { return Ok(()) };
        let known = signed.iter().filter_map(|id| self.keyring.key(&id.0));
        if known.clone().any(|key| key.counts(time)) {
            return Ok(());
        }
        let keys: Vec<String> = known.map(|key| format!("{} of {}", key.public.id(), key.person)).collect();
        Err(format!(
            "is signed by no key that is valid now ({}): sign it anew, `linli order sign {} --key FILE`",
            if keys.is_empty() { "none".to_owned() } else { keys.join(", ") },
            plan.file
        ))
    }

    /// Name of a person; the id when the person is no longer configured.
    #[must_use]
    pub fn name(&self, id: &Id) -> String {
        let found = self.people.iter().find(|person| person.id == *id);
        found.map_or_else(|| id.to_string(), |person| person.name.clone())
    }
}
