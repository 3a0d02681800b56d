//! How much of the store each kind of document may use, and what happens when that is used up: one table.
//!
//! `[store] max_bytes` is divided by [`QUOTAS`]. The shares of all kinds together are nine tenths of it;
//! the last tenth is the reserve. A kind that is full is dealt with by its own rule ([`WhenFull`]) and
//! never takes the share of another kind.
//!
//! Sizes are those of the stored columns, multiplied by what the pages and indexes of that table cost
//! besides ([`Quota::weight`]).
// tidy: table

use std::fmt;

use serde::{Serialize, Serializer};

/// A kind of document, or lane of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The urgent lane: alarms, events, results of commands, vital signs.
    Urgent,
    /// The data lanes.
    Data,
    /// Trends: one-minute roll-ups.
    History,
    /// Measurements of vital signs and their versions.
    Measurement,
    /// Visits and sealed identities.
    Visit,
    /// Ids of messages that were taken, so that none is stored twice.
    Seen,
    /// The audit trail of the health cabin and of alarms.
    Audit,
    /// The state of each alarm.
    Alarm,
    /// State changes of alarms.
    AlarmStep,
    /// Notifications not yet delivered.
    Notification,
    /// The command journal.
    Command,
    /// Documents of the mode switch: rooms, orders, its record.
    Mode,
    /// Documents of the canteen, and those of a service that this table does not name.
    Canteen,
    /// Documents of kiosks.
    Kiosk,
    /// Documents of nodes.
    Node,
    /// Accounts, sessions, enrolled screens, and the record of them.
    Account,
    /// Records that the broker refused for ever.
    DeadLetter,
    /// Rows that cannot be decoded.
    Undecodable,
    /// Entries of the loss ledger that were sent to the district.
    Ledger,
}

/// How many kinds there are.
pub(crate) const KINDS: usize = QUOTAS.len();

/// What happens when a kind has used up its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenFull {
    /// It may use what the others leave free. When the whole store is nearly full, its oldest rows go
    /// until its share is left, and the ledger names them.
    Elastic,
    /// It may use what the others leave free. When the whole store is nearly full, the time it covers is
    /// halved again and again.
    Shortened,
    /// The oldest rows go. Nothing is refused.
    OldestGo,
    /// The oldest rows that are no longer needed go. What then does not fit into twice the share is
    /// refused; what is urgent, when the reserve is used up as well.
    OldestGoOrRefused,
    /// New ones are refused, and also when the whole store is full. Nothing stored goes.
    Refused,
    /// What is urgent is taken from the reserve, and refused when that is used up as well; the rest is refused.
    FromReserve,
    /// Always taken: their number is limited by the configuration.
    AlwaysTaken,
}

/// One row of the table.
pub(crate) struct Quota {
    pub kind: Kind,
    /// As in metrics and in the status.
    pub name: &'static str,
    /// Share of `max_bytes`, in percent.
    pub percent: u64,
    pub when_full: WhenFull,
    /// Selects the number of rows and the bytes of their columns. Empty for what can be most of the store:
    /// lanes are estimated from some of their rows, trends are not measured.
    pub size: &'static str,
    /// Bytes of a row beside its columns: header, keys in indexes.
    pub per_row: u64,
    /// Bytes of pages used for a hundred bytes of rows: more where keys come in random order.
    pub per_hundred: u64,
    /// What to do about it, for people; empty where nothing is ever refused.
    pub mend: &'static str,
}

/// Of a table that grows at its end.
const APPENDED: u64 = 115;

/// Of a table or an index whose keys come in random order: its pages are two thirds full.
const RANDOM: u64 = 150;

const RAISE: &str = "raise [store] max_bytes in gateway.toml";

const RAISE_OR_ERASE: &str =
    "raise [store] max_bytes in gateway.toml, shorten [cabin] retention, or erase visits that may go";

/// The table, in the order of [`Kind`].
pub(crate) const QUOTAS: [Quota; 19] = [
    Quota {
        kind: Kind::Urgent,
        name: "urgent",
        percent: 10,
        when_full: WhenFull::Elastic,
        size: "",
        per_row: 24,
        per_hundred: APPENDED,
        mend: "",
    },
    Quota {
        kind: Kind::Data,
        name: "data",
        percent: 6,
        when_full: WhenFull::Elastic,
        size: "",
        per_row: 24,
        per_hundred: APPENDED,
        mend: "",
    },
    Quota {
        kind: Kind::History,
        name: "history",
        percent: 2,
        when_full: WhenFull::Shortened,
        size: "",
        per_row: 24,
        per_hundred: RANDOM,
        mend: "",
    },
    Quota {
        kind: Kind::Measurement,
        name: "measurement",
        percent: 27,
        when_full: WhenFull::Refused,
        size: "SELECT sum(rows), sum(bytes) FROM (SELECT count(*) AS rows, \
               ifnull(sum(octet_length(body) + 3 * octet_length(id) + 2 * ifnull(octet_length(visit), 0)), 0) AS bytes \
               FROM measurement UNION ALL SELECT count(*), \
               ifnull(sum(octet_length(body) + 2 * octet_length(id) + 2 * octet_length(kind)), 0) \
               FROM book WHERE kind = 'vital-attachment')",
        per_row: 60,
        per_hundred: RANDOM,
        mend: RAISE_OR_ERASE,
    },
    Quota {
        kind: Kind::Visit,
        name: "visit",
        percent: 4,
        when_full: WhenFull::Refused,
        size: "SELECT sum(rows), sum(bytes) FROM (SELECT count(*) AS rows, \
               ifnull(sum(octet_length(body) + 2 * octet_length(id) + ifnull(octet_length(pseudonym), 0)), 0) AS bytes \
               FROM visit UNION ALL SELECT count(*), \
               ifnull(sum(octet_length(sealed) + octet_length(pseudonym) + octet_length(key)), 0) FROM resident)",
        per_row: 60,
        per_hundred: RANDOM,
        mend: RAISE_OR_ERASE,
    },
    Quota {
        kind: Kind::Seen,
        name: "seen",
        percent: 3,
        when_full: WhenFull::OldestGo,
        size: "SELECT count(*), ifnull(sum(octet_length(key)), 0) FROM seen",
        per_row: 12,
        per_hundred: RANDOM,
        mend: "",
    },
    Quota {
        kind: Kind::Audit,
        name: "audit",
        percent: 4,
        when_full: WhenFull::Refused,
        size: "SELECT count(*), ifnull(sum(octet_length(who) + octet_length(what) + octet_length(about) \
               + octet_length(detail)), 0) FROM audit",
        // With its place in its chain and the hash before.
        per_row: 84,
        per_hundred: APPENDED,
        mend: RAISE,
    },
    Quota {
        kind: Kind::Alarm,
        name: "alarm",
        percent: 1,
        when_full: WhenFull::AlwaysTaken,
        size: "SELECT count(*), ifnull(sum(octet_length(body) + octet_length(id)), 0) FROM alarm",
        per_row: 12,
        per_hundred: RANDOM,
        mend: "",
    },
    Quota {
        kind: Kind::AlarmStep,
        name: "alarm_step",
        percent: 3,
        when_full: WhenFull::OldestGo,
        size: "SELECT count(*), ifnull(sum(octet_length(body)), 0) FROM alarm_journal",
        per_row: 24,
        per_hundred: APPENDED,
        mend: "",
    },
    Quota {
        kind: Kind::Notification,
        name: "notification",
        percent: 1,
        when_full: WhenFull::OldestGo,
        size: "SELECT count(*), ifnull(sum(octet_length(body) + octet_length(hook) + octet_length(key)), 0) \
               FROM notification",
        per_row: 24,
        per_hundred: APPENDED,
        mend: "",
    },
    Quota {
        kind: Kind::Command,
        name: "command",
        percent: 2,
        when_full: WhenFull::OldestGoOrRefused,
        size: "SELECT count(*), ifnull(sum(octet_length(body) + octet_length(id) + octet_length(state)), 0) FROM command",
        per_row: 40,
        per_hundred: RANDOM,
        mend: "too many commands are open or not yet expired: send fewer, or give them shorter times",
    },
    Quota {
        kind: Kind::Mode,
        name: "mode",
        percent: 5,
        when_full: WhenFull::FromReserve,
        size: "SELECT count(*), ifnull(sum(octet_length(body) + 2 * octet_length(id) + 2 * octet_length(kind)), 0) FROM book \
               WHERE kind GLOB 'mode*'",
        per_row: 50,
        per_hundred: APPENDED,
        mend: RAISE,
    },
    Quota {
        kind: Kind::Canteen,
        name: "canteen",
        percent: 5,
        when_full: WhenFull::Refused,
        size: "SELECT count(*), ifnull(sum(octet_length(body) + 2 * octet_length(id) + 2 * octet_length(kind)), 0) FROM book \
               WHERE kind NOT GLOB 'mode*' AND kind NOT GLOB 'kiosk*' AND kind NOT GLOB 'node*' \
               AND kind NOT GLOB 'user*' AND kind <> 'vital-attachment'",
        per_row: 50,
        per_hundred: RANDOM,
        mend: RAISE,
    },
    Quota {
        kind: Kind::Kiosk,
        name: "kiosk_day",
        percent: 1,
        when_full: WhenFull::Refused,
        size: "SELECT count(*), ifnull(sum(octet_length(body) + 2 * octet_length(id) + 2 * octet_length(kind)), 0) FROM book \
               WHERE kind GLOB 'kiosk*'",
        per_row: 50,
        per_hundred: RANDOM,
        mend: RAISE,
    },
    Quota {
        kind: Kind::Node,
        name: "node",
        percent: 2,
        when_full: WhenFull::Refused,
        size: "SELECT count(*), ifnull(sum(octet_length(body) + 2 * octet_length(id) + 2 * octet_length(kind)), 0) FROM book \
               WHERE kind GLOB 'node*'",
        per_row: 50,
        per_hundred: APPENDED,
        mend: RAISE,
    },
    // What the reserve is for as well: logging in, and ending a log-in.
    Quota {
        kind: Kind::Account,
        name: "account",
        percent: 1,
        when_full: WhenFull::FromReserve,
        size: "SELECT count(*), ifnull(sum(octet_length(body) + 2 * octet_length(id) + 2 * octet_length(kind)), 0) FROM book \
               WHERE kind GLOB 'user*'",
        per_row: 50,
        per_hundred: APPENDED,
        mend: RAISE,
    },
    Quota {
        kind: Kind::DeadLetter,
        name: "dead_letter",
        percent: 2,
        when_full: WhenFull::OldestGo,
        size: "SELECT count(*), ifnull(sum(octet_length(body) + octet_length(detail)), 0) FROM dead_letter \
               WHERE seq NOT IN (SELECT CAST(key AS INTEGER) FROM undecodable WHERE source = 'outbox')",
        per_row: 30,
        per_hundred: APPENDED,
        mend: "",
    },
    // Enforced by `undecodable_limits`, with the dead letters that cannot be decoded.
    Quota {
        kind: Kind::Undecodable,
        name: "undecodable",
        percent: 10,
        when_full: WhenFull::OldestGo,
        size: "SELECT count(*), ifnull(sum(ifnull(octet_length(body), 0) + octet_length(reason)), 0) FROM undecodable",
        per_row: 40,
        per_hundred: APPENDED,
        mend: "",
    },
    Quota {
        kind: Kind::Ledger,
        name: "ledger",
        percent: 1,
        when_full: WhenFull::OldestGo,
        size: "SELECT count(*), ifnull(sum(octet_length(body)), 0) FROM ledger",
        per_row: 24,
        per_hundred: APPENDED,
        mend: "",
    },
];

/// What makes room when the whole store is nearly full, in this order: the time of trends is halved, then the oldest
/// telemetry goes, then the oldest urgent records (docs/store.md). Nothing else goes for it.
pub const GIVES_WAY: [Kind; 3] = [Kind::History, Kind::Data, Kind::Urgent];

/// Share of `max_bytes`, in percent, from which on something gives way.
pub const GIVES_WAY_AT: u64 = 90;

// === impl Kind ===

impl Kind {
    /// Every kind.
    pub const ALL: [Self; KINDS] = {
        let mut all = [Self::Urgent; KINDS];
        let mut at = 0;
        while at < KINDS {
            all[at] = QUOTAS[at].kind;
            at += 1;
        }
        all
    };

    /// The name in metrics and in the status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.quota().name
    }

    /// Whether new ones can be refused.
    #[must_use]
    pub const fn can_be_refused(self) -> bool {
        matches!(
            self.quota().when_full,
            WhenFull::Refused | WhenFull::FromReserve | WhenFull::OldestGoOrRefused
        )
    }

    pub(crate) const fn quota(self) -> &'static Quota {
        &QUOTAS[self as usize]
    }

    /// The kind of a document of a service, by what the service calls it.
    pub(crate) fn of_document(kind: &str) -> Self {
        match kind {
            kind if kind.starts_with("mode") => Self::Mode,
            kind if kind.starts_with("kiosk") => Self::Kiosk,
            kind if kind.starts_with("node") => Self::Node,
            kind if kind.starts_with("user") => Self::Account,
            "vital-attachment" => Self::Measurement,
            _ => Self::Canteen,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

// === impl Quota ===

impl Quota {
    /// The share of a store of `max_bytes`.
    pub(crate) const fn share(&self, max_bytes: u64) -> u64 {
        max_bytes / 100 * self.percent
    }

    /// Most bytes before new ones are refused.
    pub(crate) const fn limit(&self, max_bytes: u64, is_urgent: bool) -> u64 {
        let share = self.share(max_bytes);
        match self.when_full {
            WhenFull::FromReserve | WhenFull::OldestGoOrRefused if is_urgent => share + reserve(max_bytes),
            // Beyond the share the oldest go; that is not done at once.
            WhenFull::OldestGoOrRefused => 2 * share,
            _ => share,
        }
    }

    /// What rows with so many bytes in their columns cost.
    pub(crate) const fn weight(&self, rows: u64, bytes: u64) -> u64 {
        (bytes + rows * self.per_row) * self.per_hundred / 100
    }
}

/// The reserve of a store of `max_bytes`: a tenth. Elastic kinds stay out of it; the half of it is for
/// what can be refused least.
pub(crate) const fn reserve(max_bytes: u64) -> u64 {
    max_bytes / 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_and_the_reserve_are_the_whole_store() {
        let shares: u64 = QUOTAS.iter().map(|quota| quota.percent).sum();
        assert_eq!(shares + 10, 100);
    }

    #[test]
    fn the_table_is_in_the_order_of_the_kinds_and_each_name_is_there_once() {
        for (at, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, at);
        }
        let names: std::collections::BTreeSet<&str> = QUOTAS.iter().map(|quota| quota.name).collect();
        assert_eq!(names.len(), KINDS);
    }

    #[test]
    fn what_can_be_refused_says_how_to_mend_it() {
        for quota in &QUOTAS {
            assert_eq!(quota.kind.can_be_refused(), !quota.mend.is_empty(), "{}", quota.name);
        }
    }
}
