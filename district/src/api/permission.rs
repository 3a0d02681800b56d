//! The table of routes: what each needs. What has no row is refused.
// tidy: table

use crate::accounts::{Permission, Role};

/// What a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: whoever reaches the listener.
    Nothing,
    /// A log-in whose roles allow it.
    May(Permission),
}

/// A row: method, path as the router has it, need.
type Row = (&'static str, &'static str, Needs);

const OPEN: Needs = Needs::Nothing;
const VIEW: Needs = Needs::May(Permission::View);
const PREPARE: Needs = Needs::May(Permission::Prepare);
const APPROVE: Needs = Needs::May(Permission::Approve);
const STOP: Needs = Needs::May(Permission::Stop);
const ACCOUNTS: Needs = Needs::May(Permission::Accounts);
const CENTRES: Needs = Needs::May(Permission::Centres);
const RECORD: Needs = Needs::May(Permission::Record);
const OWN: Needs = Needs::May(Permission::Own);

/// Every route but the screens themselves, which hold nothing.
pub const ROUTES: &[Row] = &[
    ("GET", "/metrics", OPEN),
    ("GET", "/readyz", OPEN),
    ("POST", "/api/v1/session", OPEN),
    ("POST", "/api/v1/enrol", OPEN),
    ("GET", "/api/v1/session", OWN),
    ("DELETE", "/api/v1/session", OWN),
    ("GET", "/api/v1/centres", VIEW),
    ("GET", "/api/v1/centres/{centre}", VIEW),
    ("GET", "/api/v1/centres/{centre}/report", VIEW),
    ("GET", "/api/v1/centres/{centre}/{gateway}/trend", VIEW),
    ("GET", "/api/v1/alarms", VIEW),
    ("GET", "/api/v1/aside", VIEW),
    ("GET", "/api/v1/outlines", VIEW),
    ("GET", "/api/v1/orders", VIEW),
    ("POST", "/api/v1/orders", PREPARE),
    ("GET", "/api/v1/orders/{id}", VIEW),
    ("GET", "/api/v1/orders/{id}/report", VIEW),
    ("POST", "/api/v1/orders/{id}/preview", PREPARE),
    ("POST", "/api/v1/orders/{id}/approve", APPROVE),
    ("POST", "/api/v1/orders/{id}/release", APPROVE),
    ("POST", "/api/v1/orders/{id}/stop", STOP),
    ("POST", "/api/v1/orders/{id}/called", STOP),
    ("GET", "/api/v1/accounts", ACCOUNTS),
    ("POST", "/api/v1/accounts", ACCOUNTS),
    ("POST", "/api/v1/accounts/{id}/reset", ACCOUNTS),
    ("POST", "/api/v1/accounts/{id}/disable", ACCOUNTS),
    ("POST", "/api/v1/accounts/{id}/enable", ACCOUNTS),
    ("GET", "/api/v1/record", RECORD),
    ("POST", "/api/v1/record/verify", RECORD),
    ("GET", "/api/v1/record/export", RECORD),
    // Of gateways, which have no account: a fingerprint, a code or a certificate says who they are.
    ("GET", "/api/v1/authority", OPEN),
    ("POST", "/api/v1/certificate", OPEN),
    ("POST", "/api/v1/certificate/renew", OPEN),
    ("GET", "/api/v1/enrolment", CENTRES),
    ("POST", "/api/v1/enrolment", CENTRES),
    ("POST", "/api/v1/enrolment/{centre}/{gateway}/code", CENTRES),
    ("POST", "/api/v1/enrolment/{centre}/{gateway}/revoke", CENTRES),
];

/// What a request needs; `None` when there is no such route.
#[must_use]
pub fn needs(method: &str, path: &str) -> Option<Needs> {
    let method = if method == "HEAD" { "GET" } else { method };
    ROUTES.iter().find(|(of, route, _)| *of == method && is_of(route, path)).map(|(.., needs)| *needs)
}

/// Whether a path is one of a route: `{…}` stands for a part that is not empty.
fn is_of(route: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (route.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(text)) if part.starts_with('{') && !text.is_empty() => {}
            (Some(part), Some(text)) if part == text => {}
            _ => return false,
        }
    }
}

// === impl Needs ===

impl Needs {
    /// Whether somebody with these roles, or nobody, may.
    #[must_use]
    pub fn is_met(self, roles: Option<&[Role]>) -> bool {
        match self {
            Self::Nothing => true,
            Self::May(permission) => roles.is_some_and(|roles| permission.is_allowed(roles)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Routes of the router, as they are written there: `.route("PATH", get(…).post(…))`.
    fn routed() -> Vec<(&'static str, String)> {
        // Those for gateways alone are among them.
        let all = include_str!("mod.rs").split("/// What gateways ask for").next().unwrap_or_default();
        let source: String = all.split_whitespace().collect();
        let mut routes = Vec::new();
        for part in source.split(".route(\"").skip(1) {
            let (path, rest) = part.split_once('"').expect("a path");
            let handlers = rest.split(".route(").next().unwrap_or_default();
            for (word, method) in [("get(", "GET"), ("post(", "POST"), ("delete(", "DELETE")] {
                let at = |sign: char| handlers.contains(&format!("{sign}{word}"));
                if at(',') || at('.') {
                    routes.push((method, path.to_owned()));
                }
            }
        }
        routes.sort();
        routes
    }

    #[test]
    fn no_route_is_missing_from_the_table_and_no_row_is_without_a_route() {
        let mut rows: Vec<(&str, String)> =
            ROUTES.iter().map(|(method, path, _)| (*method, (*path).to_owned())).collect();
        rows.sort();
        assert_eq!(routed(), rows);
        for (method, path) in [
            ("PUT", "/api/v1/orders"),
            ("GET", "/api/v1/orders/"),
            ("POST", "/api/v1/orders/a"),
            ("GET", "/api/v1"),
        ] {
            assert_eq!(needs(method, path), None, "{method} {path}: default deny");
        }
        assert_eq!(needs("HEAD", "/api/v1/orders/a.b-1"), Some(VIEW));
    }

    /// Every route for every role, in words of its own.
    #[test]
    fn each_role_reaches_its_routes_and_no_others() {
        use Role::{Administrator, Commander, DutyOfficer, Viewer};
        for (method, path, needs) in ROUTES {
            let allowed: &[Role] = match (*method, *path) {
                ("GET", "/metrics" | "/readyz") => &Role::ALL,
                ("POST", "/api/v1/session" | "/api/v1/enrol") => &Role::ALL,
                (_, "/api/v1/session") => &Role::ALL,
                (_, path) if path.starts_with("/api/v1/accounts") => &[Administrator],
                (_, "/api/v1/record" | "/api/v1/record/verify" | "/api/v1/record/export") => &[Administrator],
                (_, path) if path.starts_with("/api/v1/enrolment") => &[Administrator],
                (_, "/api/v1/authority" | "/api/v1/certificate" | "/api/v1/certificate/renew") => &Role::ALL,
                (_, "/api/v1/orders/{id}/called") => &[DutyOfficer, Commander],
                ("GET", _) => &Role::ALL,
                (_, "/api/v1/orders" | "/api/v1/orders/{id}/preview" | "/api/v1/orders/{id}/stop") => {
                    &[DutyOfficer, Commander]
                }
                (_, "/api/v1/orders/{id}/approve" | "/api/v1/orders/{id}/release") => &[Commander],
                other => panic!("who may {other:?}?"),
            };
            for role in [Viewer, DutyOfficer, Commander, Administrator] {
                assert_eq!(needs.is_met(Some(&[role])), allowed.contains(&role), "{method} {path} {role}");
            }
            let is_open = !path.starts_with("/api")
                || ["/api/v1/session", "/api/v1/enrol"].contains(path) && *method == "POST"
                || ["/api/v1/authority", "/api/v1/certificate", "/api/v1/certificate/renew"].contains(path);
            assert_eq!(needs.is_met(None), is_open, "{method} {path}: nobody");
        }
    }
}
