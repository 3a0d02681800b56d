//! Verifies the record: every log is a whole chain that ends where it is said to end, and runs through the ends that
//! the mode switch's log holds of it.

use std::collections::BTreeMap;

use anyhow::Context;
use linli_domain::audit::{Base, Chain, hex, unhex};
use linli_mode::record::LogHead;
use serde_json::Value;

use super::Record;
use super::lines::{members, number};

/// What was verified of a log.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified {
    log: String,
    /// Number of the first entry that is there.
    first: u64,
    count: u64,
    last: String,
    /// Ends of this log in the mode switch's that it runs through.
    held: usize,
}

/// The name of the mode switch's log.
const MODE: &str = "mode";

/// Verifies every log.
///
/// # Errors
/// When an entry was changed or is missing.
pub fn verified(record: &Record) -> anyhow::Result<Vec<Verified>> {
    let held = held(record)?;
    let mut all = Vec::new();
    for (log, head) in &record.heads {
        let none = Vec::new();
        let (lines, held) = (record.logs.get(log).unwrap_or(&none), held.get(log));
        let ends = held.map(Vec::as_slice).unwrap_or_default();
        all.push(one(log, lines, head, ends).with_context(|| log.clone())?);
    }
    let unknown = record.logs.keys().find(|log| !record.heads.contains_key(*log));
    anyhow::ensure!(unknown.is_none(), "nothing says where the log {unknown:?} ends");
    Ok(all)
}

/// The ends of the other logs that the mode switch's log holds.
fn held(record: &Record) -> anyhow::Result<BTreeMap<String, Vec<LogHead>>> {
    let mut held: BTreeMap<String, Vec<LogHead>> = BTreeMap::new();
    for line in record.logs.get(MODE).into_iter().flatten() {
        let mut entry = members(line);
        if entry["kind"] != "heads" {
            continue;
        }
        let heads = entry["heads"].take();
        let heads: BTreeMap<String, LogHead> = serde_json::from_value(heads).context(MODE)?;
        heads.into_iter().for_each(|(log, head)| held.entry(log).or_default().push(head));
    }
    Ok(held)
}

fn one(log: &str, lines: &[String], head: &LogHead, held: &[LogHead]) -> anyhow::Result<Verified> {
    let (first, mut chain) = start(lines, head)?;
    // What the log begins with tells of entries that left by the rule of age.
    let is_begun = lines.first().is_some_and(|line| Base::of_line(line).is_some());
    let (mut is_said, mut met) = (first == 0 || is_begun, 0);
    let after = if is_begun { first } else { first + 1 };
    let mut ends = held.iter().filter(|end| end.count >= after).peekable();
    for line in lines {
        chain.follow(line)?;
        is_said |= says_first(&members(line), first);
        while let Some(end) = ends.next_if(|end| end.count <= chain.count) {
            anyhow::ensure!(
                end.count == chain.count && end.last == hex(&chain.last),
                "entry {} is not the one whose hash the mode switch's log holds",
                end.count - 1
            );
            met += 1;
        }
    }
    anyhow::ensure!(
        is_said,
        "it begins with entry {first}, and no entry says that those before were removed"
    );
    anyhow::ensure!(
        chain.count == head.count && hex(&chain.last) == head.last,
        "it ends with {} entries, but {} were stored: entries are missing at its end, or the last was changed",
        chain.count,
        head.count
    );
    let beyond = ends.next().map(|end| end.count);
    anyhow::ensure!(
        beyond.is_none(),
        "it ends with {} entries, but the mode switch's log knows of {beyond:?}",
        chain.count
    );
    Ok(Verified { log: log.to_owned(), first, count: chain.count, last: hex(&chain.last), held: met })
}

/// The number of the first entry that is there, and the chain before it.
fn start(lines: &[String], head: &LogHead) -> anyhow::Result<(u64, Chain)> {
    let Some(line) = lines.first() else {
        anyhow::ensure!(head.count == 0, "its {} entries are missing", head.count);
        return Ok((0, Chain::default()));
    };
    if let Some(Base { earlier, .. }) = Base::of_line(line) {
        return Ok((earlier.count, Chain::default()));
    }
    let first = number(line);
    if first == 0 {
        return Ok((0, Chain::default()));
    }
    let before = members(line)["prev"].as_str().and_then(unhex).and_then(|hash| hash.try_into().ok());
    Ok((first, Chain::resumed(first, before.context("its first entry names no hash")?)))
}

/// Whether an entry says that this is the first that was left.
fn says_first(entry: &Value, first: u64) -> bool {
    let is_removal = matches!(entry["what"].as_str(), Some("audit.forget" | "alarm.forget"));
    is_removal && entry["about"].as_str().is_some_and(|about| about.parse() == Ok(first))
}

// === impl Verified ===

impl Verified {
    /// What was verified, for people.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { log, first, count, last, held } = self;
        let from = if *first > 0 { format!(", {first} removed by rule") } else { String::new() };
        let held = if *held > 0 { format!(", {held} ends held") } else { String::new() };
        let last = last.get(..16).unwrap_or_default();
        format!("完整 whole  {log:8}  {} entries{from}{held}, last {last}", count - first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A log of those bodies from a number on.
    fn log(start: u64, bodies: &[Value]) -> (Vec<String>, LogHead) {
        let mut chain = if start == 0 { Chain::default() } else { Chain::resumed(start, [7; 32]) };
        let mut lines = Vec::new();
        for body in bodies {
            let (n, prev) = chain.next();
            let mut entry = json!({"n": n, "prev": prev, "at": 1});
            entry.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            let line = entry.to_string();
            chain.append(&line);
            lines.push(line);
        }
        (lines, LogHead { count: chain.count, last: hex(&chain.last) })
    }

    fn did(what: &str, about: &str) -> Value {
        json!({"who": "lin", "what": what, "about": about, "detail": ""})
    }

    fn record(start: u64, access: &[Value], held: usize) -> Record {
        let (lines, head) = log(start, access);
        let (_, end) = log(start, &access[..held]);
        let heads = json!({"kind": "heads", "heads": {"access": {"count": end.count, "last": end.last}}});
        let (mode, of_mode) = log(0, &[json!({"kind": "started"}), heads]);
        Record {
            heads: BTreeMap::from([("access".to_owned(), head), (MODE.to_owned(), of_mode)]),
            logs: BTreeMap::from([("access".to_owned(), lines), (MODE.to_owned(), mode)]),
        }
    }

    fn looks() -> Vec<Value> {
        ["v1", "v2", "v3"].map(|visit| did("visit.show", visit)).to_vec()
    }

    #[test]
    fn whole_logs_are_verified_with_the_ends_that_are_held() {
        let all = verified(&record(0, &looks(), 2)).unwrap();
        let access = &all[0];
        assert_eq!((access.log.as_str(), access.first, access.count, access.held), ("access", 0, 3, 1));
        assert_eq!((all[1].log.as_str(), all[1].count, all[1].held), (MODE, 2, 0));
    }

    #[test]
    fn an_entry_that_an_earlier_version_wrote_with_two_times_is_verified() {
        let (mut lines, _) = log(0, &[json!({"kind": "break_glass", "code": 1})]);
        lines[0] = lines[0].replace("\"code\"", "\"at\":7,\"code\"");
        let mut chain = Chain::default();
        chain.append(&lines[0]);
        let head = LogHead { count: 1, last: hex(&chain.last) };
        assert!(lines[0].matches("\"at\"").count() == 2 && one("accounts", &lines, &head, &[]).is_ok());
    }

    #[test]
    fn what_was_removed_by_a_rule_is_said_by_an_entry() {
        let said = [looks(), vec![did("audit.forget", "5")]].concat();
        assert_eq!(verified(&record(5, &said, 2)).unwrap()[0].first, 5);
        let silent = verified(&record(5, &looks(), 2)).unwrap_err();
        assert!(format!("{silent:#}").contains("no entry says"), "{silent:#}");
        let other = [looks(), vec![did("audit.forget", "4")]].concat();
        assert!(verified(&record(5, &other, 2)).is_err());
    }

    /// Entries that left by the rule of age are told of by what an export begins with; ends that are held of what is
    /// there, its beginning included, are checked, and of what has left they cannot be.
    #[test]
    fn a_log_that_begins_later_is_verified_from_its_beginning() {
        let (whole, head) = log(0, &[looks(), looks()].concat());
        let mut chain = Chain::default();
        let ends: Vec<LogHead> = whole
            .iter()
            .map(|line| {
                chain.append(line);
                LogHead { count: chain.count, last: hex(&chain.last) }
            })
            .collect();
        let mut earlier = Chain::default();
        whole[..4].iter().for_each(|line| earlier.append(line));
        let base = Base { v: 1, earlier, until: linli_domain::Timestamp(1) };
        let base = serde_json::to_string(&base).unwrap();
        let kept = [&[base][..], &whole[4..]].concat();
        let verified = one("accounts", &kept, &head, &ends).unwrap();
        assert_eq!((verified.first, verified.count, verified.held), (4, 6, 3), "ends 4, 5 and 6");
        assert!(verified.line().contains("2 entries, 4 removed by rule"), "{}", verified.line());
        let other = LogHead { count: 4, last: "0b".repeat(32) };
        assert!(one("accounts", &kept, &head, &[other]).is_err(), "it begins with another end than is held");
        assert!(one("accounts", &kept[..1], &head, &[]).is_err(), "entries are missing at its end");
    }

    #[test]
    fn changes_gaps_and_missing_ends_are_found() {
        let spoilt = |change: &dyn Fn(&mut Record)| {
            let mut record = record(0, &looks(), 3);
            change(&mut record);
            format!("{:#}", verified(&record).unwrap_err())
        };
        let why = spoilt(&|record| {
            let lines = record.logs.get_mut("access").unwrap();
            lines[1] = lines[1].replace("lin", "sun");
        });
        assert!(why.starts_with("access: line 3"), "{why}");
        let why = spoilt(&|record| drop(record.logs.get_mut("access").unwrap().remove(1)));
        assert!(why.starts_with("access: line 2"), "{why}");
        let why = spoilt(&|record| drop(record.logs.get_mut("access").unwrap().pop()));
        assert!(why.contains("missing at its end"), "{why}");
        // Somebody who can write the whole log anew cannot write the mode switch's.
        let why = spoilt(&|record| {
            let (lines, head) =
                log(0, &[did("visit.show", "v1"), did("visit.show", "v2"), did("visit.show", "v4")]);
            record.logs.insert("access".to_owned(), lines);
            record.heads.insert("access".to_owned(), head);
        });
        assert!(why.contains("holds"), "{why}");
        let why = spoilt(&|record| {
            let (lines, head) = log(0, &looks()[..2]);
            record.logs.insert("access".to_owned(), lines);
            record.heads.insert("access".to_owned(), head);
        });
        assert!(why.contains("knows of"), "{why}");
        let why = spoilt(&|record| drop(record.logs.remove("access")));
        assert!(why.contains("are missing"), "{why}");
    }
}
