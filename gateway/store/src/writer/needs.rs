//! What an operation adds to each kind of document, and how urgent it is.

use linli_domain::visit::Version;
use sqlx::SqliteConnection;

use crate::entry::{Audit, Change, Entry};
use crate::error::LONGEST_KEY;
use crate::op::{Op, Packed};
use crate::quota::{KINDS, Kind};

/// Bytes of a visit beside its texts, at most.
const VISIT: usize = 400;

/// Of the answer to a critical value in a visit.
const ANSWER: usize = 240;

/// Bytes of a version of a measurement beside its readings and texts.
const VERSION: usize = 400;

/// Bytes of one reading.
const READING: usize = 120;

/// Bytes of a command beside its texts.
const COMMAND: usize = 300;

/// Bytes of a roll-up of one point.
const ROLLUP: usize = 40;

/// The ids of commands of the mode switch and of sirens begin with one of these.
const URGENT_COMMANDS: [&str; 2] = ["mode-", "siren-"];

/// Kind and sizes of the documents that have one of these ids, in bytes.
const REPLACED: &str = "SELECT kind, octet_length(id), ifnull(octet_length(body), 0) FROM book WHERE id IN \
     (SELECT value FROM json_each(?))";

/// What an operation adds.
pub(super) struct Needs {
    bytes: [u64; KINDS],
    frees: [bool; KINDS],
    /// It is taken in a full store too: alarms, the mode switch, the end of a visit, corrections by
    /// people, and what erases something.
    pub is_urgent: bool,
    longest_key: usize,
}

// === impl Needs ===

impl Needs {
    pub(super) fn of(op: &Op) -> Self {
        let mut needs = Self { bytes: [0; KINDS], frees: [false; KINDS], is_urgent: false, longest_key: 0 };
        match op {
            Op::Record { packed, .. } => needs.record(packed),
            Op::Once { key, packed, .. } => {
                needs.seen(key);
                needs.record(packed);
            }
            Op::Entry { entry, records, .. } => {
                needs.entry(entry);
                records.iter().for_each(|packed| needs.record(packed));
            }
            Op::Begin { command, .. } => {
                let texts = [&command.id, &command.device, &command.point];
                let answer = command.response_topic.as_ref().map_or(0, String::len)
                    // A JSON array of numbers.
                    + command.correlation.as_ref().map_or(0, |data| data.len() * 4);
                needs.key(&command.id);
                needs.is_urgent = URGENT_COMMANDS.iter().any(|start| command.id.starts_with(start));
                needs.add(Kind::Command, COMMAND + 2 * texts.map(String::len).iter().sum::<usize>() + answer);
            }
            Op::Advance { record: Some(packed), .. } => needs.record(packed),
            Op::History(minutes) => {
                for minute in minutes {
                    needs.add(Kind::History, minute.points.len() * ROLLUP);
                }
            }
            Op::Advance { .. }
            | Op::Acknowledge(_)
            | Op::DeadLetter { .. }
            | Op::Undecodable { .. }
            | Op::Damaged { .. }
            | Op::Close { .. } => {}
        }
        needs
    }

    /// Takes away what documents of the same ids use now: they are replaced.
    pub(super) async fn replace(
        &mut self,
        connection: &mut SqliteConnection,
        op: &Op,
    ) -> Result<(), sqlx::Error> {
        let Op::Entry { entry, .. } = op else { return Ok(()) };
        let ids = entry.changes.iter().filter_map(|change| match change {
            Change::Document(document) => Some(document.id.as_str()),
            _ => None,
        });
        let ids: Vec<&str> = ids.collect();
        if ids.is_empty() {
            return Ok(());
        }
        let ids = serde_json::to_string(&ids).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let replaced: Vec<(String, i64, i64)> =
            sqlx::query_as(REPLACED).bind(ids).fetch_all(connection).await?;
        for (kind, id, body) in replaced {
            let names = 2 * (id.cast_unsigned() + kind.len() as u64);
            let kind = Kind::of_document(&kind);
            let bytes = kind.quota().weight(1, body.cast_unsigned() + names);
            self.bytes[kind as usize] = self.bytes[kind as usize].saturating_sub(bytes);
        }
        Ok(())
    }

    pub(super) const fn bytes(&self, kind: Kind) -> u64 {
        self.bytes[kind as usize]
    }

    /// Whether rows of this kind are removed.
    pub(super) const fn frees(&self, kind: Kind) -> bool {
        self.frees[kind as usize]
    }

    /// The length of a key that is longer than any may be.
    pub(super) fn too_long(&self) -> Option<usize> {
        Some(self.longest_key).filter(|longest| *longest > LONGEST_KEY)
    }

    fn entry(&mut self, entry: &Entry) {
        entry.once.iter().chain(&entry.marks).for_each(|key| self.seen(key));
        entry.changes.iter().for_each(|change| self.change(change));
        for change in &entry.changes {
            if let Change::ForgetDocuments { kind, .. } = change {
                // What makes room is taken by a full store too.
                self.bytes[Kind::of_document(kind) as usize] = 0;
            }
        }
        let has = |urgency| entry.changes.iter().any(|change| Urgency::of(change) == urgency);
        self.is_urgent = has(Urgency::Urgent) && !has(Urgency::Ordinary) && !entry.is_dispensable;
        for Audit { who, what, about, detail, .. } in &entry.audit {
            self.add(Kind::Audit, [who, what, about, detail].map(String::len).iter().sum());
        }
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Resident(resident) => {
                self.key(&resident.pseudonym);
                self.add(Kind::Visit, resident.sealed.len() + resident.pseudonym.len() + resident.key.len());
            }
            Change::Visit(visit) => {
                self.key(&visit.id);
                let texts = [&visit.pseudonym, &visit.code, &visit.consent];
                let texts: usize = texts.into_iter().flatten().map(String::len).sum();
                let progress = visit.progress.critical.len() * ANSWER;
                self.add(Kind::Visit, VISIT + 3 * visit.id.len() + 2 * texts + progress);
            }
            Change::Version(version) => {
                self.key(&version.id);
                self.add(Kind::Measurement, version_bytes(version));
            }
            Change::Sealed { id, visit, body, .. } => {
                self.key(id);
                let names = 4 * id.len() + 3 * visit.as_ref().map_or(0, String::len);
                self.add(Kind::Measurement, body.len() + names);
            }
            // It replaces what is there: only what it is longer by is added, a third and the names.
            Change::Reseal { body, .. } => self.add(Kind::Measurement, body.len().div_ceil(2)),
            Change::EraseVisit(_) | Change::EraseMeasurement(_) | Change::EraseResident(_) => {
                self.free(&[Kind::Visit, Kind::Measurement, Kind::Undecodable]);
            }
            Change::EraseUnsent { .. } => self.free(&[Kind::DeadLetter]),
            Change::EraseTrend { .. } => self.free(&[Kind::History]),
            Change::ForgetAudit(_) => self.free(&[Kind::Audit]),
            Change::Alarm { id, body } => self.add(Kind::Alarm, id.as_str().len() + body.len()),
            Change::ForgetAlarm(_) => self.free(&[Kind::Alarm]),
            Change::Notify(told) => {
                self.add(Kind::Notification, told.hook.as_str().len() + told.key.len() + told.body.len());
            }
            Change::Notified(_) => self.free(&[Kind::Notification]),
            Change::Document(document) => {
                self.key(&document.id);
                let names = 2 * (document.id.len() + document.kind.len());
                self.add(Kind::of_document(&document.kind), document.body.len() + names);
            }
            Change::ForgetDocuments { kind, .. } => self.free(&[Kind::of_document(kind)]),
            Change::AlarmStep { body, .. } => self.add(Kind::AlarmStep, body.len()),
        }
    }

    fn record(&mut self, packed: &Packed) {
        self.add(if packed.table == 0 { Kind::Urgent } else { Kind::Data }, packed.body.len());
    }

    fn seen(&mut self, key: &str) {
        self.key(key);
        self.add(Kind::Seen, key.len());
    }

    fn key(&mut self, key: &str) {
        self.longest_key = self.longest_key.max(key.len());
    }

    fn add(&mut self, kind: Kind, bytes: usize) {
        self.bytes[kind as usize] += kind.quota().weight(1, bytes as u64);
    }

    fn free(&mut self, kinds: &[Kind]) {
        kinds.iter().for_each(|kind| self.frees[*kind as usize] = true);
    }
}

/// Whether a change must be possible in a full store. An entry is urgent when it has an urgent change and
/// no ordinary one.
#[derive(PartialEq, Eq)]
enum Urgency {
    Urgent,
    /// As urgent as what it comes with.
    Accompanying,
    Ordinary,
}

// === impl Urgency ===

impl Urgency {
    fn of(change: &Change) -> Self {
        let is_urgent = match change {
            Change::Notify(_) => return Self::Accompanying,
            Change::Alarm { .. }
            | Change::ForgetAlarm(_)
            | Change::AlarmStep { .. }
            | Change::Notified(_)
            | Change::EraseVisit(_)
            | Change::EraseMeasurement(_)
            | Change::EraseResident(_)
            | Change::EraseTrend { .. }
            | Change::EraseUnsent { .. }
            | Change::ForgetAudit(_)
            | Change::ForgetDocuments { .. }
            | Change::Reseal { .. } => true,
            Change::Visit(visit) => visit.ended.is_some(),
            Change::Version(version) => version.version > 1,
            Change::Sealed { version, .. } => *version > 1,
            Change::Document(document) => {
                matches!(Kind::of_document(&document.kind), Kind::Mode | Kind::Account)
            }
            Change::Resident(_) => false,
        };
        if is_urgent { Self::Urgent } else { Self::Ordinary }
    }
}

fn version_bytes(version: &Version) -> usize {
    let names = 4 * version.id.len() + 3 * version.visit.as_ref().map_or(0, String::len);
    let texts = [Some(&version.by), version.why.as_ref(), version.measurement.key.as_ref()];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    VERSION + READING * version.measurement.readings.len() + names + 2 * texts
}
