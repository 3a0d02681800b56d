//! The document's part about outreach files.
// tidy: table

use schemars::JsonSchema;

use super::cabin::{Person, Why};
use super::cabin_work::ChangedResident;
use super::operation::{Operation, get, post};
use super::schema::{Id, Moment, Nullable};

/// A page of a file that is to be written; of the first one only the secret, and the clock.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct OutreachWanted {
    /// What people share: the file opens with it only.
    #[schemars(length(min = 12, max = 256))]
    secret: String,
    /// The header, from the page before.
    header: Option<String>,
    /// Number of the first line, from the page before.
    number: Option<u64>,
    /// Where the page begins, from the page before.
    next: Option<String>,
    /// How far the clock of the box is ahead, in milliseconds; negative if it is behind.
    clock_ahead_ms: Option<i64>,
}

/// A page of a file.
#[derive(JsonSchema)]
struct OutreachPage {
    /// The first line of the file.
    header: String,
    /// Number of the line after these.
    number: u64,
    lines: Vec<String>,
    /// Where the next page begins; null when these are the last lines.
    next: Nullable<String>,
    /// How many visits are in it.
    visits: u64,
    /// How many visits were left out because they are open.
    open: u64,
}

/// Lines of a file that is read.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct OutreachLines {
    #[schemars(length(min = 12, max = 256))]
    secret: String,
    /// The first line of the file.
    header: String,
    /// Number of the first of these lines; the header is 1.
    number: u64,
    lines: Vec<String>,
    /// Only whether they open; nothing is taken.
    #[serde(default)]
    check: bool,
}

/// What was taken.
#[derive(JsonSchema)]
struct OutreachReport {
    visits: u64,
    visits_known: u64,
    measurements: u64,
    versions: u64,
    documents: u64,
    residents: u64,
    residents_known: u64,
    doubts: u64,
    /// Visits that were erased here after an earlier reading.
    erased: u64,
    /// Visits that ended longer ago than visits are kept here.
    expired: u64,
    /// Measurements that were changed here and in the box.
    conflicts: Option<Vec<String>>,
    /// Whether the last line of the file was among them.
    complete: bool,
}

/// Lines of a file of which one wants to know what they would bring.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct OutreachLook {
    #[schemars(length(min = 12, max = 256))]
    secret: String,
    /// The first line of the file.
    header: String,
    /// Number of the first of these lines; the header is 1.
    number: u64,
    lines: Vec<String>,
}

/// What the lines would bring.
#[derive(JsonSchema)]
struct OutreachPreview {
    from: Id,
    /// When the file was begun, by the clock of the box.
    made: Moment,
    report: OutreachReport,
    residents: Vec<OutreachResident>,
    /// How many residents have a number.
    numbered: u64,
    /// How many of those have a pseudonym that this district's key does not give to the number.
    other_key: u64,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum PreviewWord {
    New,
    Known,
    SameName,
    SameNumber,
}

/// A resident of the lines.
#[derive(JsonSchema)]
struct OutreachResident {
    /// Who it would be in the register.
    pseudonym: String,
    /// The masked name.
    name: String,
    person: Person,
    kind: PreviewWord,
    /// Who may be the same person.
    known: Option<Vec<DoubtRecord>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum DoubtWord {
    SameName,
    SameNumber,
}

/// A resident of whom a person must say whether they are somebody in the register.
#[derive(JsonSchema)]
struct OutreachDoubt {
    pseudonym: String,
    /// The masked name.
    name: String,
    person: Person,
    known: Vec<DoubtRecord>,
    why: DoubtWord,
    from: Id,
    at: Moment,
}

#[derive(JsonSchema)]
struct DoubtRecord {
    pseudonym: String,
    /// The masked name.
    name: String,
    person: Person,
}

const TAG: &str = "cabin";

/// The operations.
pub fn operations() -> Vec<Operation> {
    vec![
        post("/api/v1/outreach/export", TAG, ("A page of an outreach file, sealed", "导出巡诊文件"))
            .takes::<OutreachWanted>()
            .gives::<OutreachPage>()
            .refuses(&[409, 422])
            .stored(),
        post("/api/v1/outreach/preview", TAG, ("What lines of an outreach file would bring", "预览巡诊文件"))
            .takes::<OutreachLook>()
            .gives::<OutreachPreview>()
            .refuses(&[409, 422])
            .stored(),
        post("/api/v1/outreach/import", TAG, ("Takes lines of an outreach file", "导入巡诊文件"))
            .takes::<OutreachLines>()
            .gives::<OutreachReport>()
            .refuses(&[409, 422])
            .stored(),
        get(
            "/api/v1/outreach/doubts",
            TAG,
            ("Residents who may be known under another record", "待确认居民"),
        )
        .gives::<Vec<OutreachDoubt>>()
        .refuses(&[409])
        .stored(),
        post(
            "/api/v1/outreach/doubts/{pseudonym}/apart",
            TAG,
            ("Says that they are another person", "确认不是同一人"),
        )
        .takes::<Why>()
        .gives::<ChangedResident>()
        .refuses(&[404, 422])
        .stored(),
    ]
}
