//! Roles, and what each may do. Who may do what is decided here and in the table of routes (`api/permission.rs`), nowhere
//! else.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an account may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks only.
    Viewer,
    /// On duty: prepares mass orders, and stops them.
    DutyOfficer,
    /// Approves mass orders, with a second commander, and releases their stages.
    Commander,
    /// Manages accounts and centres, and reads the record.
    Administrator,
}

/// Something that a role allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Sees centres, values, alarms, orders and reports. The district has nothing that names a resident.
    View,
    /// Prepares a mass order and looks at its preview.
    Prepare,
    /// Approves a mass order as one of two persons, and releases its stages.
    Approve,
    /// Sends no more of a mass order.
    Stop,
    /// Manages accounts.
    Accounts,
    /// Enrols and revokes centres.
    Centres,
    /// Reads the record of who did what.
    Record,
    /// Its own session.
    Own,
}

/// A text that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("没有角色 there is no role {_0:?}; roles are {words}", words = Role::words())]
pub struct UnknownRole(pub String);

// === impl Role ===

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::DutyOfficer, Self::Commander, Self::Administrator];

    /// The word in commands and the interface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::DutyOfficer => "duty_officer",
            Self::Commander => "commander",
            Self::Administrator => "administrator",
        }
    }

    /// Every word.
    #[must_use]
    pub fn words() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(word: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == word).ok_or_else(|| UnknownRole(word.to_owned()))
    }
}

// === impl Permission ===

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 8] = [
        Self::View,
        Self::Prepare,
        Self::Approve,
        Self::Stop,
        Self::Accounts,
        Self::Centres,
        Self::Record,
        Self::Own,
    ];

    /// The roles that have it.
    #[must_use]
    pub const fn roles(self) -> &'static [Role] {
        use Role::{Administrator, Commander, DutyOfficer};
        match self {
            Self::View | Self::Own => &Role::ALL,
            Self::Prepare | Self::Stop => &[DutyOfficer, Commander],
            Self::Approve => &[Commander],
            Self::Accounts | Self::Centres | Self::Record => &[Administrator],
        }
    }

    /// Whether one of these roles allows it.
    #[must_use]
    pub fn is_allowed(self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.roles().contains(role))
    }

    /// Those that these roles have.
    #[must_use]
    pub fn of(roles: &[Role]) -> Vec<Self> {
        Self::ALL.into_iter().filter(|permission| permission.is_allowed(roles)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_does_alone_what_two_do_and_no_administrator_gives_orders() {
        use Permission::{Accounts, Approve, Centres, Own, Prepare, Record, Stop, View};
        assert_eq!(Permission::of(&[Role::Viewer]), [View, Own]);
        assert_eq!(Permission::of(&[Role::DutyOfficer]), [View, Prepare, Stop, Own]);
        assert_eq!(Permission::of(&[Role::Commander]), [View, Prepare, Approve, Stop, Own]);
        assert_eq!(Permission::of(&[Role::Administrator]), [View, Accounts, Centres, Record, Own]);
        assert_eq!(Permission::of(&[]), [], "default deny");
    }

    #[test]
    fn a_word_and_its_role_belong_together() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert!("root".parse::<Role>().unwrap_err().to_string().contains("duty_officer"));
    }
}
