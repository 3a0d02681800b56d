//! What people write about a kiosk, and until when they have put it out of service.

use linli_domain::{Id, Timestamp};
use linli_store::Document;
use serde::{Deserialize, Serialize};

/// Kind of the documents.
pub const KIND: &str = "kiosk-note";

/// Notes of one kiosk that are kept.
const KEPT: usize = 20;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KioskNote {
    /// One line.
    pub text: String,
    /// Account of whoever wrote it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// It puts the kiosk out of service until then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub out_until: Option<Timestamp>,
    /// Who put it back before that, and when.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub put_back: Option<PutBack>,
}

/// The early end of being out of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutBack {
    /// Account.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// The notes of one kiosk, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// At most 20.
    pub notes: Vec<KioskNote>,
}

// === impl Notes ===

impl Notes {
    /// Adds a note. One that puts the kiosk out of service ends an earlier such time.
    pub fn add(&mut self, note: KioskNote) {
        if note.out_until.is_some() {
            self.put_back(&note.by, note.at);
        }
        self.notes.insert(0, note);
        self.notes.truncate(KEPT);
    }

    /// Ends being out of service. Returns whether it was.
    pub fn put_back(&mut self, by: &str, at: Timestamp) -> bool {
        let mut is_changed = false;
        for note in self.notes.iter_mut().filter(|note| is_out(note, at)) {
            note.put_back = Some(PutBack { by: by.to_owned(), at });
            is_changed = true;
        }
        is_changed
    }

    /// The note that puts the kiosk out of service at that time.
    #[must_use]
    pub fn out(&self, at: Timestamp) -> Option<&KioskNote> {
        self.notes.iter().find(|note| is_out(note, at))
    }

    /// How they are kept.
    #[must_use]
    pub fn document(&self, device: &Id, at: Timestamp) -> Document {
        let body = serde_json::to_string(self).unwrap_or_default();
        Document { id: id(device), kind: KIND.to_owned(), at, body }
    }
}

fn is_out(note: &KioskNote, at: Timestamp) -> bool {
    note.put_back.is_none() && note.out_until.is_some_and(|until| until > at)
}

/// The id of the document of a kiosk.
pub fn id(device: &Id) -> String {
    format!("{KIND}/{device}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(text: &str, at: i64, out_until: Option<i64>) -> KioskNote {
        let (text, by) = (text.to_owned(), "zhou".to_owned());
        KioskNote { text, by, at: Timestamp(at), out_until: out_until.map(Timestamp), put_back: None }
    }

    #[test]
    fn a_kiosk_is_out_until_its_time_or_until_somebody_puts_it_back() {
        let mut notes = Notes::default();
        notes.add(note("等配件", 10, Some(100)));
        assert!(notes.out(Timestamp(99)).is_some() && notes.out(Timestamp(100)).is_none());
        notes.add(note("已通知厂家", 20, None));
        assert_eq!(notes.out(Timestamp(50)).map(|note| note.text.as_str()), Some("等配件"));
        assert!(notes.put_back("lin", Timestamp(60)) && !notes.put_back("lin", Timestamp(61)));
        assert!(notes.out(Timestamp(62)).is_none());
        notes.add(note("再停", 70, Some(200)));
        notes.add(note("停久一点", 80, Some(300)));
        assert_eq!(notes.notes.iter().filter(|note| is_out(note, Timestamp(90))).count(), 1);
    }

    #[test]
    fn only_the_newest_are_kept() {
        let mut notes = Notes::default();
        (0..30).for_each(|at| notes.add(note("补纸", at, None)));
        assert_eq!((notes.notes.len(), notes.notes[0].at), (20, Timestamp(29)));
    }
}
