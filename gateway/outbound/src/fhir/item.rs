//! A visit in the queue, as it is stored: how far it is, and what the server has of it. It holds no value and no name.

use std::collections::BTreeMap;

use linli_domain::Timestamp;
use linli_domain::visit::{Version, Visit};
use serde::{Deserialize, Serialize};

/// How far a visit is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is to be sent.
    Waiting,
    /// The server has it as it is.
    Sent,
    /// The server refuses it, which another attempt would not change.
    Refused,
}

/// A visit in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Id of the visit.
    pub visit: String,
    /// How far it is.
    pub state: State,
    /// When it came to that, Unix milliseconds UTC.
    pub at: Timestamp,
    /// Attempts since it was last sent.
    #[serde(default)]
    pub attempts: u32,
    /// Why it waits or is refused: for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What the server has: measurements, by id, with the version of each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sent: BTreeMap<String, u32>,
    /// The visit was erased here: the server is asked to delete what it has of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erases: bool,
}

/// What is to be sent of a visit: measurements, by id, with the version of each.
#[must_use]
pub fn wanted(versions: &[Version]) -> BTreeMap<String, u32> {
    versions.iter().map(|version| (version.id.clone(), version.version)).collect()
}

/// Why a visit is not sent, if the resident has not agreed to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// It has not ended yet.
    Open,
    /// It is of nobody, and such visits are not sent.
    Anonymous,
    /// The consent text that the resident agreed to is not one that allows it.
    NoConsent,
}

/// Whether a visit may be sent, by the consent of the resident.
///
/// # Errors
/// Why not.
pub fn may_send(visit: &Visit, consents: &[String], anonymous: bool) -> Result<(), Withheld> {
    if visit.ended.is_none() {
        return Err(Withheld::Open);
    }
    match (&visit.pseudonym, &visit.consent) {
        (None, _) if anonymous => Ok(()),
        (None, _) => Err(Withheld::Anonymous),
        (Some(_), Some(consent)) if consents.contains(consent) => Ok(()),
        (Some(_), _) => Err(Withheld::NoConsent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_domain::Id;
    use linli_domain::visit::{Ending, OpenedBy, Progress};

    #[test]
    fn only_what_the_resident_agreed_to_is_sent() {
        let ended = Some((Timestamp(2), Ending::Completed));
        let visit = |pseudonym: Option<&str>, consent: Option<&str>| Visit {
            id: "v-1".to_owned(),
            room: Id::new("cabin").unwrap(),
            pseudonym: pseudonym.map(str::to_owned),
            code: None,
            consent: consent.map(str::to_owned),
            opened_by: OpenedBy::Card,
            opened: Timestamp(1),
            ended,
            progress: Progress::default(),
        };
        let consents = ["2026-2".to_owned()];
        let may = |visit: &Visit, anonymous| may_send(visit, &consents, anonymous);
        assert_eq!(may(&visit(Some("P"), Some("2026-2")), false), Ok(()));
        for consent in [None, Some("2026-1"), Some("")] {
            assert_eq!(may(&visit(Some("P"), consent), true), Err(Withheld::NoConsent), "{consent:?}");
        }
        assert_eq!(may(&visit(None, None), false), Err(Withheld::Anonymous));
        assert_eq!(may(&visit(None, None), true), Ok(()));
        let open = Visit { ended: None, ..visit(Some("P"), Some("2026-2")) };
        assert_eq!(may(&open, true), Err(Withheld::Open));
    }
}
