//! Users of NATS for the gateways that are enrolled, with permissions for their own subjects only: for whoever runs a NATS
//! already and gives the district an account in it. `deploy/district/cluster.sh` sets up servers of its own.
//!
//! The MQTT listener of nats-server maps `linli/1/C/G/data/D` to the subject `linli.1.C.G.data.D`; version 2.9 takes no `.`
//! in a topic, so gateways whose ids have one are named and left out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use sqlx::{PgPool, Row};

use crate::enrolment::user;

/// What a gateway publishes, below its own subject.
const PUBLISHES: [&str; 6] = ["status", "meta.>", "data.>", "vital.>", "event.>", "cmd.*.result"];

/// What it reads there.
const READS: [&str; 3] = ["ack", "order", "cmd.*"];

/// Where nats-server hands over what was subscribed at QoS 1.
const HANDED_OVER: &str = "$MQTT.sub.>";

/// What the copies of the service publish; `@` is the name of their durable consumer.
const OF_THE_DISTRICT: [&str; 6] = [
    "linli.1.*.*.ack",
    "linli.1.*.*.order",
    "$JS.API.STREAM.CREATE.$MQTT_msgs",
    "$JS.API.CONSUMER.DURABLE.CREATE.$MQTT_msgs.@",
    "$JS.API.CONSUMER.MSG.NEXT.$MQTT_msgs.@",
    "$JS.ACK.$MQTT_msgs.@.>",
];

/// How nats-server knows a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// By the certificate that enrolment gave it, with `verify_and_map`.
    Certificate,
    /// By a password, whose hash is here for each user.
    Password(BTreeMap<String, String>),
}

/// A user with its permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsUser {
    /// Its name.
    pub name: String,
    /// Hash of its password; none where its certificate says who it is.
    pub hash: Option<String>,
    /// `MQTT` or `STANDARD`.
    pub connection: &'static str,
    /// Subjects that it may publish.
    pub publish: Vec<String>,
    /// Subjects that it may subscribe to.
    pub subscribe: Vec<String>,
}

/// The users, and what is left out with the reason.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct NatsUsers {
    /// The service first, then the gateways.
    pub users: Vec<NatsUser>,
    /// One sentence each.
    pub left_out: Vec<String>,
}

/// Reads lines `USER:HASH`, as `htpasswd -nB` prints them.
///
/// # Errors
/// A sentence with the line that is none.
pub fn hashes(text: &str) -> Result<BTreeMap<String, String>, String> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let read = |(number, line): (usize, &str)| {
        let (name, hash) = line.trim().split_once(':').unwrap_or_default();
        let is_hash = hash.starts_with("$2") && hash.len() == 60 && !hash.contains(['"', '\\', ' ']);
        match is_hash && !name.is_empty() {
            true => Ok((name.to_owned(), hash.to_owned())),
            false => Err(format!(
                "第 {number} 行不是 用户:bcrypt line {number} is no USER:BCRYPT; as printed by: htpasswd -nB USER"
            )),
        }
    };
    lines.map(read).collect()
}

/// The users of the gateways that are enrolled and not revoked. `district` and `group`: the service's own user and its
/// durable consumer (`mqtt.group`).
///
/// # Errors
/// When the database does not answer.
pub async fn users(
    pool: &PgPool,
    (district, group): (&str, &str),
    known: &Login,
) -> Result<NatsUsers, sqlx::Error> {
    let rows = sqlx::query("SELECT centre, gateway FROM gateway WHERE revoked_at IS NULL ORDER BY 1, 2")
        .fetch_all(pool)
        .await?;
    let enrolled: Result<Vec<(String, String)>, sqlx::Error> =
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect();
    Ok(NatsUsers::of(&enrolled?, (district, group), known))
}

// === impl NatsUsers ===

impl NatsUsers {
    /// Those of these centres and gateways.
    #[must_use]
    pub fn of(enrolled: &[(String, String)], (district, group): (&str, &str), known: &Login) -> Self {
        let mut made = Self::default();
        let publish = OF_THE_DISTRICT.iter().map(|subject| subject.replace('@', group)).collect();
        made.add(
            NatsUser {
                name: district.to_owned(),
                hash: None,
                connection: "STANDARD",
                publish,
                subscribe: vec!["_INBOX.>".to_owned()],
            },
            known,
        );
        for (centre, gateway) in enrolled {
            if centre.contains('.') || gateway.contains('.') {
                made.left_out.push(format!(
                    "{centre}/{gateway}: 编号含“.”，nats-server 2.9 不收 its id has a “.”, which nats-server 2.9 takes in no topic; give it another id"
                ));
                continue;
            }
            let below = |names: &[&str]| {
                names.iter().map(|name| format!("linli.1.{centre}.{gateway}.{name}")).collect::<Vec<_>>()
            };
            let mut subscribe = below(&READS);
            subscribe.push(HANDED_OVER.to_owned());
            let (name, publish) = (user(centre, gateway), below(&PUBLISHES));
            made.add(NatsUser { name, hash: None, connection: "MQTT", publish, subscribe }, known);
        }
        made
    }

    fn add(&mut self, user: NatsUser, known: &Login) {
        match known {
            // As nats-server names the subject of a certificate.
            Login::Certificate if user.connection == "MQTT" => {
                self.users.push(NatsUser { name: format!("CN={}", user.name), ..user });
            }
            Login::Certificate => self.users.push(user),
            Login::Password(hashes) => match hashes.get(&user.name) {
                Some(hash) => self.users.push(NatsUser { hash: Some(hash.clone()), ..user }),
                None => self.left_out.push(format!(
                    "{}: 没有口令 no password for it; add a line: htpasswd -nB {}",
                    user.name, user.name
                )),
            },
        }
    }

    /// For nats-server's configuration: `accounts { DISTRICT { jetstream: enabled, include "FILE" } }`.
    #[must_use]
    pub fn config(&self) -> String {
        let mut text = "# 由 linli-district centre nats 写成。Written by linli-district centre nats: users of one account.\n"
            .to_owned();
        for sentence in &self.left_out {
            let _ = writeln!(text, "# 没有列入 left out: {sentence}");
        }
        text += "users = [\n";
        for user in &self.users {
            let name = Value::from(user.name.as_str());
            // The service says who it is by a password; where it is comes from the environment of nats-server.
            let password = match (&user.hash, user.connection) {
                (Some(hash), _) => format!(", password: {}", Value::from(hash.as_str())),
                (None, "MQTT") => String::new(),
                (None, _) => ", password: $LINLI_DISTRICT_PASSWORD".to_owned(),
            };
            let list = |subjects: &[String]| Value::from(subjects.to_vec());
            let _ = writeln!(
                text,
                "  {{ user: {name}{password}, allowed_connection_types: [\"{}\"], permissions: {{\n    publish: {{ allow: {} }},\n    \
                 subscribe: {{ allow: {} }} }} }}",
                user.connection,
                list(&user.publish),
                list(&user.subscribe)
            );
        }
        text += "]\n";
        text
    }

    /// The same for other tools, such as `nsc` or an auth callout: a list of objects.
    #[must_use]
    pub fn json(&self) -> Value {
        let one = |user: &NatsUser| {
            json!({"user": user.name, "password": user.hash, "connection": user.connection,
                "publish": user.publish, "subscribe": user.subscribe})
        };
        Value::Array(self.users.iter().map(one).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2b$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234";

    fn enrolled() -> Vec<(String, String)> {
        let pair = |centre: &str, gateway: &str| (centre.to_owned(), gateway.to_owned());
        vec![pair("east", "g"), pair("north.2", "g"), pair("west", "g")]
    }

    #[test]
    fn each_has_its_own_subjects_and_no_other_ones() {
        let made = NatsUsers::of(&enrolled(), ("district", "copies"), &Login::Certificate);
        let names: Vec<&str> = made.users.iter().map(|user| user.name.as_str()).collect();
        assert_eq!(names, ["district", "CN=east.g", "CN=west.g"]);
        for user in &made.users[1..] {
            let own = user.name.replace("CN=", "linli.1.") + ".";
            let subjects = user.publish.iter().chain(&user.subscribe).filter(|one| *one != HANDED_OVER);
            assert!(subjects.clone().count() == 9 && subjects.clone().all(|one| one.starts_with(&own)));
            assert!(!user.publish.iter().any(|one| one.ends_with(".ack") || one.ends_with(".order")));
        }
        assert_eq!(made.left_out.len(), 1);
        assert!(made.config().contains("# 没有列入 left out: north.2/g"), "{}", made.config());
        assert!(made.config().contains("$JS.ACK.$MQTT_msgs.copies.>"), "{}", made.config());
    }

    #[test]
    fn who_has_no_password_is_left_out() {
        assert_eq!(HASH.len(), 60);
        let hashes = hashes(&format!("district:{HASH}\n\neast.g:{HASH}\n")).unwrap();
        let made = NatsUsers::of(&enrolled(), ("district", "copies"), &Login::Password(hashes));
        let names: Vec<&str> = made.users.iter().map(|user| user.name.as_str()).collect();
        assert_eq!(names, ["district", "east.g"]);
        assert!(made.left_out.iter().any(|why| why.starts_with("west.g: ")), "{:?}", made.left_out);
        assert_eq!(made.json()[1]["password"], HASH);
        assert_eq!(made.json()[1]["connection"], "MQTT");
    }

    #[test]
    fn a_line_that_is_no_hash_is_named() {
        for wrong in ["east.g", "east.g:plain", &format!(":{HASH}"), &format!("a:{HASH}\"")] {
            let told = hashes(&format!("district:{HASH}\n{wrong}\n")).unwrap_err();
            assert!(told.contains("line 2"), "{wrong}: {told}");
        }
    }
}
