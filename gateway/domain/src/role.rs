//! The roles, and how an account with them proves who it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an account may do in a centre; `permission` says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// An enrolled screen without a person: it only shows.
    Screen,
    /// Works in the health cabin: visits, measurements, exports.
    HealthWorker,
    /// Works in the canteen.
    Canteen,
    /// Runs the building, carries out the tasks of a plan.
    Operator,
    /// Maintains devices and nodes, changes the configuration.
    Technician,
    /// Gives orders.
    Command,
    /// Reads records, nothing else.
    Auditor,
    /// Manages accounts; never sees personal data.
    Admin,
}

/// How a person proves who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// A password, and a one-time code of RFC 6238.
    PasswordAndCode,
    /// A badge and a PIN, at an enrolled screen only.
    BadgeAndPin,
}

/// The word is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no role; roles are: screen, health_worker, canteen, operator, technician, command, auditor, admin"
)]
pub struct UnknownRole(pub String);

// === impl Role ===

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::Screen,
        Self::HealthWorker,
        Self::Canteen,
        Self::Operator,
        Self::Technician,
        Self::Command,
        Self::Auditor,
        Self::Admin,
    ];

    /// The word in configuration, commands and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::HealthWorker => "health_worker",
            Self::Canteen => "canteen",
            Self::Operator => "operator",
            Self::Technician => "technician",
            Self::Command => "command",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// Whether a person can have it; `screen` is that of an enrolled screen.
    #[must_use]
    pub const fn is_of_people(self) -> bool {
        !matches!(self, Self::Screen)
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

/// Returns how an account with these roles logs in: what the strictest of them needs.
#[must_use]
pub fn factor(roles: &[Role]) -> Factor {
    let is_of_a_shared_screen = |role: &Role| matches!(role, Role::HealthWorker | Role::Canteen);
    match !roles.is_empty() && roles.iter().all(is_of_a_shared_screen) {
        true => Factor::BadgeAndPin,
        false => Factor::PasswordAndCode,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_and_its_role_belong_together() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert!("root".parse::<Role>().unwrap_err().to_string().contains("health_worker"));
    }

    #[test]
    fn the_strictest_role_decides_how_one_logs_in() {
        assert_eq!(factor(&[Role::HealthWorker]), Factor::BadgeAndPin);
        assert_eq!(factor(&[Role::Canteen, Role::HealthWorker]), Factor::BadgeAndPin);
        for role in [Role::Operator, Role::Technician, Role::Command, Role::Auditor, Role::Admin] {
            assert_eq!(factor(&[role]), Factor::PasswordAndCode, "{role}");
            assert_eq!(factor(&[Role::Canteen, role]), Factor::PasswordAndCode, "canteen and {role}");
        }
        assert_eq!(factor(&[]), Factor::PasswordAndCode, "nothing is allowed by having no role");
    }
}
