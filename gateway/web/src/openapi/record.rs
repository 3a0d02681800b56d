//! The document's part about the record.
// tidy: table

use schemars::JsonSchema;

use super::operation::{Operation, get};
use super::schema::{Moment, Text};
use crate::record::{Head, Log, LogQuery, RecordQuery};

/// An entry of a log.
#[derive(JsonSchema)]
struct RecordEntry {
    log: Log,
    entry: LoggedEntry,
}

/// What every entry has; the other members are those of its log.
#[derive(JsonSchema)]
struct LoggedEntry {
    /// Its number in its log, from 0.
    n: u64,
    /// Hash of the entry before, hexadecimal.
    prev: String,
    at: Moment,
}

const TAG: &str = "record";

/// The operations.
pub fn operations() -> Vec<Operation> {
    vec![
        get("/api/v1/record", TAG, ("Entries of every log, newest first", "审计记录"))
            .asks::<RecordQuery>()
            .gives::<Vec<RecordEntry>>()
            .paged()
            .stored(),
        get("/api/v1/record/heads", TAG, ("The end of every log", "各日志链头"))
            .gives::<Vec<Head>>()
            .refuses(&[503]),
        get("/api/v1/record/{log}", TAG, ("Entries of a log as their hashes cover them", "日志原文"))
            .about("One JSON object a line, from number `from` on. `linli audit verify` checks them.")
            .asks::<LogQuery>()
            .gives_kind::<Text>(&["application/jsonl"])
            .refuses(&[404])
            .stored(),
    ]
}
