//! Golden files: what a gateway answers, exactly, but for what differs from run to run.
//!
//! Keys are compared in the order in which they come. Moments, ids, ports, paths of the test and the
//! version are replaced by their kind; a counter that depends on how fast the machine is becomes
//! `<number>` where the test names its key.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// JSON that keeps the order of its keys.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// Any number.
    Number(serde_json::Number),
    /// Text.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object, in the order of its text.
    Object(Vec<(String, Json)>),
}

/// How answers are made comparable.
#[derive(Debug, Default)]
pub struct Normal {
    /// Keys whose numbers, or their absence, depend on the machine.
    pub numbers: Vec<&'static str>,
    /// Texts that differ from run to run, and what stands for them; longer ones first.
    pub texts: Vec<(String, String)>,
}

/// Smallest number that is taken for a moment, in Unix milliseconds (September 2001).
const FIRST_MOMENT: u64 = 1_000_000_000_000;

/// Fewest hexadecimal digits that are an id.
const ID_DIGITS: usize = 16;

/// Fewest letters of a digest in base 64: SHA-256 takes 44.
const FEWEST_BASE64: usize = 43;

/// Compares with the golden file of that name, or writes it when `LINLI_BLESS=1`.
pub fn check(folder: &str, name: &str, found: &Json) -> anyhow::Result<()> {
    let file = path(folder, name);
    let text = format!("{}\n", serde_json::to_string_pretty(found)?);
    if std::env::var("LINLI_BLESS").is_ok_and(|bless| bless == "1") {
        std::fs::create_dir_all(file.parent().context("it lies in a folder")?)?;
        return Ok(std::fs::write(file, text)?);
    }
    let golden = std::fs::read_to_string(&file)
        .with_context(|| format!("{} is missing: LINLI_BLESS=1 writes it", file.display()))?;
    let differs = golden.lines().zip(text.lines()).enumerate().find(|(_, (golden, found))| golden != found);
    ensure!(
        golden == text,
        "{} differs, first in line {}; LINLI_BLESS=1 writes it anew, if that is meant\n{}",
        file.display(),
        differs.map_or(golden.lines().count().min(text.lines().count()), |(line, _)| line) + 1,
        differs.map(|(_, (golden, found))| format!("golden {golden}\nfound  {found}")).unwrap_or_default(),
    );
    Ok(())
}

/// Names of the golden files in a folder, sorted.
pub fn names(folder: &str) -> anyhow::Result<Vec<String>> {
    let entries = std::fs::read_dir(path(folder, "x").parent().context("it lies in a folder")?)?;
    let name = |entry: std::fs::DirEntry| Some(entry.path().file_stem()?.to_str()?.to_owned());
    let mut names: Vec<String> = entries.flatten().filter_map(name).collect();
    names.sort();
    Ok(names)
}

/// The text of a golden file.
pub fn kept(folder: &str, name: &str) -> anyhow::Result<String> {
    let file = path(folder, name);
    std::fs::read_to_string(&file).with_context(|| file.display().to_string())
}

fn path(folder: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(folder).join(format!("{name}.json"))
}

// === impl Normal ===

impl Normal {
    /// A body: JSON where it is JSON, lines where it is text.
    #[must_use]
    pub fn body(&self, text: &str) -> Json {
        match serde_json::from_str(text) {
            Ok(json) => self.json("", json),
            Err(_) => Json::Array(text.lines().map(|line| self.line(line)).collect()),
        }
    }

    /// A line of text, which may be JSON by itself.
    fn line(&self, line: &str) -> Json {
        match serde_json::from_str(line) {
            Ok(json @ Json::Object(_)) => self.json("", json),
            _ => Json::Text(self.text(line)),
        }
    }

    fn json(&self, key: &str, json: Json) -> Json {
        match json {
            Json::Number(number) if number.as_u64().is_some_and(|moment| moment >= FIRST_MOMENT) => {
                Json::Text("<moment>".to_owned())
            }
            Json::Number(_) | Json::Null if self.numbers.contains(&key) => Json::Text("<number>".to_owned()),
            Json::Text(text) => Json::Text(self.text(&text)),
            Json::Array(all) => Json::Array(all.into_iter().map(|one| self.json(key, one)).collect()),
            Json::Object(all) => Json::Object(
                all.into_iter()
                    .map(|(key, value)| {
                        let value = self.json(&key, value);
                        (self.text(&key), value)
                    })
                    .collect(),
            ),
            same => same,
        }
    }

    /// A text with what differs replaced, word by word.
    fn text(&self, text: &str) -> String {
        let mut known = text.to_owned();
        for (from, to) in &self.texts {
            known = known.replace(from, to);
        }
        let known: Vec<String> = known.split(' ').map(secret_text).collect();
        let known = known.join(" ");
        let mut normal = String::new();
        let mut rest = known.as_str();
        while let Some(first) = rest.chars().next() {
            let is_word = |c: char| c.is_ascii_alphanumeric() || "-:+.".contains(c);
            let length = match is_word(first) {
                true => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                false => first.len_utf8(),
            };
            let (word, more) = rest.split_at(length);
            normal += &kind(word);
            rest = more;
        }
        normal
    }
}

/// Lines of base 64 (RFC 4648) that are a digest, a signature or a key stand for themselves; what
/// is before the key in a verifier key (C2SP signed-note) stays.
fn secret_text(text: &str) -> String {
    let is_base64 = |text: &str| {
        text.len() >= FEWEST_BASE64
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
            && text.bytes().any(|byte| byte.is_ascii_uppercase())
    };
    let line = |line: &str| match line.split_once('+') {
        Some((name, key)) if name.starts_with("linli/") => match key.split_once('+') {
            Some((_, key)) if is_base64(key) => format!("{name}+<id>+<base64>"),
            _ => line.to_owned(),
        },
        _ if is_base64(line) => "<base64>".to_owned(),
        _ => line.to_owned(),
    };
    let lines: Vec<String> = text.split('\n').map(line).collect();
    lines.join("\n")
}

/// A word, or what it stands for when it differs from run to run.
fn kind(word: &str) -> String {
    let bare = word.trim_end_matches(['.', ':']);
    let is_date = |text: &str| text.contains('-') && text.parse::<jiff::civil::Date>().is_ok();
    let is_time = |text: &str| text.contains(':') && text.parse::<jiff::civil::Time>().is_ok();
    if bare.parse::<u64>().is_ok_and(|moment| moment >= FIRST_MOMENT)
        || bare.parse::<jiff::Timestamp>().is_ok()
        || bare.contains('T') && bare.parse::<jiff::civil::DateTime>().is_ok()
    {
        return "<moment>".to_owned();
    }
    if is_date(bare) {
        return "<date>".to_owned();
    }
    if is_time(bare) {
        return "<time>".to_owned();
    }
    // Pseudonyms: 26 letters and digits of base 32 (RFC 4648).
    let is_base32 = |byte: u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte);
    if bare.len() == 26 && bare.bytes().all(is_base32) {
        return "<pseudonym>".to_owned();
    }
    let is_hex =
        |text: &str, fewest: usize| text.len() >= fewest && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(uuid) = bare.strip_prefix("urn:uuid:") {
        let groups: Vec<&str> = uuid.split('-').collect();
        if groups.len() == 5 && groups.iter().all(|group| is_hex(group, 4)) {
            return "urn:uuid:<id>".to_owned();
        }
    }
    // An order: its number and the beginning of its hash.
    if let Some((number, hash)) = bare.split_once('-')
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && hash.len() == 8
        && is_hex(hash, 8)
    {
        return format!("{number}-<id>");
    }
    let parts: Vec<&str> =
        word.split('-').map(|part| if is_hex(part, ID_DIGITS) { "<id>" } else { part }).collect();
    parts.join("-")
}

// === impl Json ===

impl Json {
    /// An object.
    #[must_use]
    pub fn object(members: Vec<(&str, Self)>) -> Self {
        Self::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Array(values) => serializer.collect_seq(values),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Ordered)
    }
}

/// Reads JSON without sorting it.
struct Ordered;

impl<'de> Visitor<'de> for Ordered {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json, E> {
        serde_json::Number::from_f64(value).map(Json::Number).ok_or_else(|| E::custom("no JSON number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut all = Vec::new();
        while let Some(value) = seq.next_element()? {
            all.push(value);
        }
        Ok(Json::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut all = Vec::new();
        while let Some(member) = map.next_entry()? {
            all.push(member);
        }
        Ok(Json::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, Normal};

    fn check(text: &str, expected: &str) {
        let normal = Normal { numbers: vec!["ok"], texts: vec![(":8080".to_owned(), ":<port>".to_owned())] };
        assert_eq!(serde_json::to_string(&normal.body(text)).expect("it is JSON"), expected);
    }

    #[test]
    fn what_differs_is_replaced_and_the_order_of_keys_stays() {
        check(r#"{"b":1,"a":1795899968121}"#, r#"{"b":1,"a":"<moment>"}"#);
        check(r#"{"ok":12,"other":12}"#, r#"{"ok":"<number>","other":12}"#);
        check(r#"{"id":"v-49e92a927aa14504"}"#, r#"{"id":"v-<id>"}"#);
        check("1-f133ddd7 urn:uuid:3960c322-c6c1-85d5-aef0-efcd70627ccf", r#"["1-<id> urn:uuid:<id>"]"#);
        let key = "linli/xinghe/main+010db8b9+AaGjtoihkIWLIsoxkVzmUNYEIBGQaYiUnC6k6ablb9XF";
        check(key, r#"["linli/xinghe/main+<id>+<base64>"]"#);
        check("at 2026-11-28T21:05:00Z, 127.0.0.1:8080", r#"["at <moment>, 127.0.0.1:<port>"]"#);
        check("on 2026-11-28 at 21:05", r#"["on <date> at <time>"]"#);
        check("LQKPVRYQZH4W5IBIW27POBICPL", r#"["<pseudonym>"]"#);
    }

    #[test]
    fn what_is_always_the_same_stays() {
        check(
            "reading-room.sampling@1 in 0.5 s, 45704-2025",
            r#"["reading-room.sampling@1 in 0.5 s, 45704-2025"]"#,
        );
        assert_eq!(Json::text("a"), Json::Text("a".to_owned()));
    }
}
