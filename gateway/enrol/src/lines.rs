//! The table `[mqtt]` of gateway.toml, for people to copy or for the program to write.

use std::fmt;
use std::path::Path;

use crate::district::Given;

/// Keys that enrolment decides; what a gateway.toml says of them is set aside as a comment.
const DECIDED: [&str; 10] = [
    "url",
    "more_urls",
    "version",
    "username",
    "password",
    "insecure",
    "tls",
    "acknowledge",
    "inbound_qos",
    "escape_dots",
];

/// The version of MQTT without a line.
const DEFAULT_VERSION: &str = "5";

/// What stands before a line that is set aside.
const ASIDE: &str = "# 登记前 before enrolment: ";

/// The lines of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines(Vec<String>);

/// Why the program does not change a gateway.toml itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("第 {0} 行跨多行，请手工修改 line {0} goes on over several lines: change gateway.toml by hand")]
pub struct NotByProgram(usize);

/// A gateway.toml with the lines in it.
pub struct MqttTable;

// === impl Lines ===

impl Lines {
    /// Those that connect with the certificate of `identity`.
    #[must_use]
    pub fn of(given: &Given, (identity, trust): (&Path, &Path), district: &str) -> Self {
        let quoted = |text: &str| toml_string(text);
        let (own, trust) = (quoted(&identity.to_string_lossy()), quoted(&trust.to_string_lossy()));
        let mut brokers = given.brokers.iter();
        let mut lines = vec![format!("url = {}", quoted(brokers.next().map_or("", String::as_str)))];
        let more: Vec<String> = brokers.map(|url| quoted(url)).collect();
        if !more.is_empty() {
            lines.push(format!("more_urls = [{}]", more.join(", ")));
        }
        if let Some(version) = given.version.as_ref().filter(|version| *version != DEFAULT_VERSION) {
            lines.push(format!("version = {}", quoted(version)));
            // Only NATS speaks another one.
            lines.push("escape_dots = true".to_owned());
        }
        lines.push(format!(
            "tls = {{ ca = {trust}, cert = {own}, key = {own}, renew = {} }}",
            quoted(district.trim_end_matches('/'))
        ));
        lines.push("acknowledge = \"district\"".to_owned());
        lines.push("inbound_qos = 0".to_owned());
        Self(lines)
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "[mqtt]")?;
        self.0.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

// === impl MqttTable ===

impl MqttTable {
    /// The text of a gateway.toml with these lines. What they replace stays as a comment; everything else stays.
    ///
    /// # Errors
    /// When a value that is to be replaced goes on over several lines.
    pub fn with(text: &str, lines: &Lines) -> Result<String, NotByProgram> {
        let (mut out, mut table, mut is_there) = (String::new(), Table::Other, false);
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(header) = header(line) {
                table = match header.as_str() {
                    "mqtt" => Table::Mqtt,
                    "mqtt.tls" => Table::Tls,
                    _ => Table::Other,
                };
                if table == Table::Mqtt {
                    is_there = true;
                    out += &format!("{line}\n{}", lines.body());
                    continue;
                }
            }
            let is_set_aside = match table {
                Table::Other => false,
                Table::Tls => !line.trim().is_empty() && !line.trim_start().starts_with('#'),
                Table::Mqtt => key(line).is_some_and(|key| DECIDED.contains(&key)),
            };
            if is_set_aside && goes_on(line) {
                return Err(NotByProgram(number));
            }
            out += &format!("{}{line}\n", if is_set_aside { ASIDE } else { "" });
        }
        if !is_there {
            out += &format!("\n{lines}");
        }
        Ok(out)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Mqtt,
    Tls,
    Other,
}

// === impl Lines ===

impl Lines {
    fn body(&self) -> String {
        self.0.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// The name of a table that a line begins.
fn header(line: &str) -> Option<String> {
    let rest = line.trim().strip_prefix('[')?;
    let name = rest.trim_start_matches('[').split(']').next()?;
    Some(name.split_whitespace().collect())
}

fn key(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    let key = key.trim();
    Some(key.split('.').next().unwrap_or(key).trim())
}

/// Whether a value does not end on its line.
fn goes_on(line: &str) -> bool {
    let open = |from: char, to: char| line.matches(from).count() > line.matches(to).count();
    open('[', ']')
        || open('{', '}')
        || line.matches("\"\"\"").count() % 2 == 1
        || line.matches("'''").count() % 2 == 1
}

fn toml_string(text: &str) -> String {
    let escaped: String = text
        .chars()
        .flat_map(|c| match c {
            '"' | '\\' => vec!['\\', c],
            other => vec![other],
        })
        .collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_domain::Timestamp;

    fn lines() -> Lines {
        of_version(None)
    }

    fn of_version(version: Option<&str>) -> Lines {
        let given = Given {
            user: "c.gw".to_owned(),
            certificate: String::new(),
            trust: String::new(),
            brokers: vec!["mqtts://d:8884".to_owned(), "mqtts://e:8884".to_owned()],
            version: version.map(str::to_owned),
            until: Timestamp(0),
        };
        Lines::of(&given, (Path::new("/s/district.pem"), Path::new("/s/trust.pem")), "https://d:8443/")
    }

    #[test]
    fn what_was_there_stays_as_a_comment() {
        let before = "[gateway]\nid = \"gw\"\n\n[mqtt] # ours\nurl = \"mqtt://old\"\nwindow = 64\npassword = \"file:p\"\n\n[store]\n";
        let after = MqttTable::with(before, &lines()).unwrap();
        let expect = "[gateway]\nid = \"gw\"\n\n[mqtt] # ours\nurl = \"mqtts://d:8884\"\nmore_urls = [\"mqtts://e:8884\"]\n\
            tls = { ca = \"/s/trust.pem\", cert = \"/s/district.pem\", key = \"/s/district.pem\", renew = \"https://d:8443\" }\n\
            acknowledge = \"district\"\ninbound_qos = 0\n\
            # 登记前 before enrolment: url = \"mqtt://old\"\nwindow = 64\n\
            # 登记前 before enrolment: password = \"file:p\"\n\n[store]\n";
        assert_eq!(after, expect);
        // Without the table it is added; a table of its own for TLS is set aside as a whole.
        assert!(MqttTable::with("[gateway]\n", &lines()).unwrap().ends_with("inbound_qos = 0\n"));
        let own =
            MqttTable::with("[mqtt]\nurl = \"a\"\n[mqtt.tls]\nca = \"x\"\n[store]\n", &lines()).unwrap();
        assert!(
            own.contains(
                "# 登记前 before enrolment: [mqtt.tls]\n# 登记前 before enrolment: ca = \"x\"\n[store]\n"
            ),
            "{own}"
        );
    }

    #[test]
    fn a_broker_of_an_earlier_version_of_mqtt_is_met_in_its_own() {
        let before = "[mqtt]\nurl = \"mqtt://old\"\nversion = \"5\"\n";
        let after = MqttTable::with(before, &of_version(Some("3.1.1"))).unwrap();
        assert!(after.contains("\nversion = \"3.1.1\"\nescape_dots = true\n"), "{after}");
        assert!(after.contains("# 登记前 before enrolment: version = \"5\"\n"), "{after}");
        // The way back: an earlier line would speak a version that the next broker refuses.
        let back =
            MqttTable::with("[mqtt]\nescape_dots = true\nversion = \"3.1.1\"\n", &of_version(Some("5")))
                .unwrap();
        assert!(back.ends_with("# 登记前 before enrolment: version = \"3.1.1\"\n"), "{back}");
        assert!(!back.contains("\nversion") && !back.contains("\nescape_dots"), "{back}");
    }

    #[test]
    fn what_goes_on_over_lines_is_left_to_people() {
        let told =
            MqttTable::with("[mqtt]\nurl = \"a\"\nmore_urls = [\n  \"b\",\n]\n", &lines()).unwrap_err();
        assert!(told.to_string().contains("line 3"), "{told}");
    }
}
