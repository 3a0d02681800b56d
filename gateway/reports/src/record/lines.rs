//! The lines of several logs in the order of their time.

use std::collections::BTreeMap;

use serde_json::Value;

/// Lines by time; each log keeps its own order, whatever its clock did.
pub struct Lines<'l> {
    logs: Vec<(&'l str, std::slice::Iter<'l, String>, Option<&'l String>)>,
}

/// The members of a line; none where it is no object. Earlier versions wrote a time twice in one kind of entry.
pub fn members(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_default()
}

/// The number of a line in its log.
pub fn number(line: &str) -> u64 {
    members(line)["n"].as_u64().unwrap_or_default()
}

fn time(line: &str) -> i64 {
    let members = members(line);
    members["at"].as_i64().or_else(|| members["until"].as_i64()).unwrap_or_default()
}

// === impl Lines ===

impl<'l> Lines<'l> {
    /// The lines of all logs.
    pub fn by_time(logs: &'l BTreeMap<String, Vec<String>>) -> Self {
        let logs = logs.iter().map(|(log, lines)| {
            let mut rest = lines.iter();
            let first = rest.next();
            (log.as_str(), rest, first)
        });
        Self { logs: logs.collect() }
    }
}

impl<'l> Iterator for Lines<'l> {
    type Item = (&'l str, &'l str);

    fn next(&mut self) -> Option<Self::Item> {
        let waiting = self.logs.iter_mut().filter(|(_, _, first)| first.is_some());
        let (log, rest, first) =
            waiting.min_by_key(|(_, _, first)| first.map_or(i64::MAX, |line| time(line)))?;
        let line = first.take()?;
        *first = rest.next();
        Some((*log, line.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_merged_by_time_and_each_keeps_its_order() {
        let line = |n: u64, at: i64| format!(r#"{{"n":{n},"at":{at}}}"#);
        let logs = BTreeMap::from([
            ("a".to_owned(), vec![line(0, 5), line(1, 2), line(2, 9)]),
            ("b".to_owned(), vec![line(0, 6)]),
            ("c".to_owned(), Vec::new()),
        ]);
        let merged: Vec<(&str, i64)> = Lines::by_time(&logs).map(|(log, line)| (log, time(line))).collect();
        assert_eq!(merged, [("a", 5), ("a", 2), ("b", 6), ("a", 9)]);
    }
}
