//! The record of accounts: log-ins, refusals, changes. Hash-chained and append-only, like that of the mode switch.

use linli_domain::audit::Chain;
use linli_domain::caller::Acting;
use linli_domain::{Id, Timestamp};
use linli_services::audit_log::Audited;
use serde::{Deserialize, Serialize};

use crate::rules::role::Role;

/// An entry. Nothing in it is a secret or leads to one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SecurityEvent {
    /// An account was added.
    Added {
        /// The account.
        account: Id,
        /// Its roles.
        roles: Vec<Role>,
        /// The person it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<Id>,
        /// Who did it.
        acting: Acting,
    },
    /// An account was reset, disabled or enabled; `what` says which.
    Changed {
        /// The account.
        account: Id,
        /// `reset`, `disabled`, `enabled`.
        what: String,
        /// Who did it.
        acting: Acting,
    },
    /// An account was set up with its enrolment code.
    Enrolled {
        /// The account.
        account: Id,
        /// From where.
        from: String,
    },
    /// Somebody logged in.
    LoggedIn {
        /// Who, how and where.
        acting: Acting,
        /// Name of the session.
        session: String,
        /// From where.
        from: String,
    },
    /// A session ended.
    LoggedOut {
        /// The account.
        account: Id,
        /// Name of the session.
        session: String,
        /// `logged out`, `revoked`, `replaced`.
        why: String,
    },
    /// A log-in was refused.
    Refused {
        /// The account that was named, if there is one of that name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<Id>,
        /// Why.
        why: String,
        /// From where.
        from: String,
        /// Refusals since the last entry that have none of their own.
        #[serde(default, skip_serializing_if = "is_zero")]
        others: u64,
    },
    /// A screen was given a code, enrolled or removed; `what` says which.
    Screen {
        /// The screen.
        screen: Id,
        /// `code issued`, `enrolled`, `removed`.
        what: String,
        /// Who did it; none for the screen itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        acting: Option<Acting>,
    },
    /// The configuration was applied, or refused.
    Configured {
        /// `started` with another one than before, `reloaded`, `refused`, `proposal`, `backup`.
        what: String,
        /// What has changed, or what is wrong with it.
        detail: String,
        /// Who did it; none where it was the start or a signal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        acting: Option<Acting>,
    },
    /// Another certificate of the listeners came into use.
    Certificate {
        /// When it ends.
        until: Timestamp,
    },
    /// What became of the certificate with which the uplink connects.
    UplinkCertificate {
        /// `in use`, `not renewed yet`, `ends soon`, `has ended`, `cannot be read`.
        what: String,
        /// When it ends; none when it cannot be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Why it was not renewed, or cannot be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// Sealed codes were printed; earlier ones no longer count.
    Sealed {
        /// How many.
        count: usize,
        /// Who did it.
        acting: Acting,
    },
    /// The seal was broken.
    BreakGlass {
        /// Number of the code.
        code: usize,
        /// Name of the session.
        session: String,
        /// From where.
        from: String,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

// === impl SecurityEvent ===

impl Audited for SecurityEvent {
    const ENTRY: &'static str = "user-line";
    const CHAIN: &'static str = "user-chain";
    const BASE: &'static str = "user-base";
    type State = Chain;
}
