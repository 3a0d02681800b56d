//! Who may ask for what: every route, its permission, for the network and for the control socket. What is not in
//! this table is refused, whoever asks.
// tidy: table

use axum::http::Method;
use linli_accounts::rules::permission::Permission;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Everybody: it says nothing about people or values, or it is how one logs in.
    Nothing,
    /// An account whose roles allow it.
    Allowed(Permission),
}

/// One row: method, path with its parameters in braces, and what it needs.
pub struct Row {
    /// Method.
    pub method: Method,
    /// Path, as in the OpenAPI document.
    pub path: &'static str,
    /// What it needs.
    pub needs: Needs,
}

const fn row(method: Method, path: &'static str, permission: Permission) -> Row {
    Row { method, path, needs: Needs::Allowed(permission) }
}

const fn open(method: Method, path: &'static str) -> Row {
    Row { method, path, needs: Needs::Nothing }
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;

use Permission::{
    Accounts, Alarms, Commands, Configure, Export, Food, Nodes, Orders, Own, Records, Service, Stop, Tasks,
    View, Visits,
};

/// The table. Of two rows that match, the one with fewer parameters decides.
pub const TABLE: &[Row] = &[
    open(GET, "/"),
    open(GET, "/assets/{file}"),
    open(GET, "/icon.svg"),
    open(GET, "/healthz"),
    open(GET, "/readyz"),
    open(GET, "/metrics"),
    open(GET, "/api/openapi.json"),
    open(GET, "/api/v1/demo"),
    open(POST, "/api/v1/demo/{account}"),
    open(POST, "/api/v1/demo/drill"),
    open(GET, "/api/v1/demo/secrets/{account}"),
    open(GET, "/api/v1/demo/faults"),
    open(POST, "/api/v1/demo/faults/{fault}"),
    open(POST, "/api/v1/session"),
    open(POST, "/api/v1/session/enrol"),
    open(POST, "/api/v1/session/break-glass"),
    open(POST, "/api/v1/session/screen"),
    row(GET, "/api/v1/session", Own),
    row(DELETE, "/api/v1/session", Own),
    row(POST, "/api/v1/session/renew", Own),
    row(POST, "/api/v1/session/lock", Own),
    row(GET, "/api/v1/users", Accounts),
    row(POST, "/api/v1/users", Accounts),
    row(POST, "/api/v1/users/{account}/reset", Accounts),
    row(POST, "/api/v1/users/{account}/disable", Accounts),
    row(POST, "/api/v1/users/{account}/enable", Accounts),
    row(POST, "/api/v1/screens", Accounts),
    row(DELETE, "/api/v1/screens/{screen}", Accounts),
    row(POST, "/api/v1/break-glass", Accounts),
    row(GET, "/api/v1/status", View),
    row(GET, "/api/v1/system", Configure),
    row(POST, "/api/v1/system/backup", Configure),
    row(GET, "/api/v1/licences", Own),
    row(GET, "/api/v1/centre", View),
    row(GET, "/api/v1/centre/backgrounds/{background}", View),
    row(GET, "/api/v1/centre/proposals", Configure),
    row(POST, "/api/v1/centre/proposals", Configure),
    row(GET, "/api/v1/devices", View),
    row(GET, "/api/v1/devices/{device}", View),
    row(GET, "/api/v1/devices/{device}/points/{point}/trend", View),
    row(GET, "/api/v1/devices/{device}/exchange", Nodes),
    row(POST, "/api/v1/devices/{device}/retry", Nodes),
    row(GET, "/api/v1/events", View),
    row(GET, "/api/v1/alarms", View),
    row(GET, "/api/v1/alarms/journal", View),
    row(GET, "/api/v1/alarms/{alarm}/notices", View),
    row(POST, "/api/v1/alarms/test", Alarms),
    row(POST, "/api/v1/alarms/{alarm}/{operation}", Alarms),
    row(GET, "/api/v1/kiosks", View),
    row(GET, "/api/v1/kiosks/days", View),
    row(GET, "/api/v1/kiosks/{kiosk}/matters", View),
    row(GET, "/api/v1/kiosks/{kiosk}/notes", View),
    row(POST, "/api/v1/kiosks/{kiosk}/notes", Alarms),
    row(POST, "/api/v1/kiosks/{kiosk}/put-back", Alarms),
    row(GET, "/api/v1/visits", Visits),
    row(POST, "/api/v1/visits", Visits),
    row(GET, "/api/v1/visits/{id}", Visits),
    row(POST, "/api/v1/visits/{id}/end", Visits),
    row(POST, "/api/v1/visits/{id}/erase", Visits),
    row(GET, "/api/v1/visits/{id}/slip", Visits),
    row(GET, "/api/v1/visits/{id}/referral", Visits),
    row(POST, "/api/v1/visits/{id}/print", Visits),
    row(GET, "/api/v1/print", Visits),
    row(POST, "/api/v1/print/{job}/cancel", Visits),
    row(GET, "/api/v1/cabin", Visits),
    row(GET, "/api/v1/visits/counts", Visits),
    row(POST, "/api/v1/visits/{id}/measurements", Visits),
    row(POST, "/api/v1/visits/{id}/pressure", Visits),
    row(POST, "/api/v1/visits/{id}/critical", Visits),
    row(POST, "/api/v1/residents", Visits),
    row(POST, "/api/v1/residents/search", Visits),
    row(GET, "/api/v1/residents/follow-up", Visits),
    row(GET, "/api/v1/residents/{pseudonym}", Visits),
    row(POST, "/api/v1/residents/{pseudonym}", Visits),
    row(POST, "/api/v1/residents/{pseudonym}/merge", Visits),
    row(POST, "/api/v1/residents/{pseudonym}/unmerge", Visits),
    row(POST, "/api/v1/residents/find", Visits),
    row(POST, "/api/v1/residents/{pseudonym}/erase", Visits),
    row(POST, "/api/v1/outreach/export", Export),
    row(POST, "/api/v1/outreach/preview", Visits),
    row(POST, "/api/v1/outreach/import", Visits),
    row(GET, "/api/v1/outreach/doubts", Visits),
    row(POST, "/api/v1/outreach/doubts/{pseudonym}/apart", Visits),
    row(GET, "/api/v1/measurements/unassigned", Visits),
    row(GET, "/api/v1/measurements/{id}", Visits),
    row(GET, "/api/v1/measurements/{id}/attachments/{number}", Visits),
    row(POST, "/api/v1/measurements/{id}/assign", Visits),
    row(POST, "/api/v1/measurements/{id}/correct", Visits),
    row(POST, "/api/v1/measurements/{id}/withdraw", Visits),
    row(GET, "/api/v1/export/fhir", Export),
    row(GET, "/api/v1/export/csv", Export),
    row(GET, "/api/v1/residents/{pseudonym}/csv", Export),
    row(GET, "/api/v1/fhir", Export),
    row(POST, "/api/v1/fhir/{visit}/retry", Export),
    row(GET, "/api/v1/audit", Records),
    row(GET, "/api/v1/record", Records),
    row(GET, "/api/v1/record/heads", Records),
    row(GET, "/api/v1/record/{log}", Records),
    row(POST, "/api/v1/food", Food),
    row(GET, "/api/v1/food/record", Food),
    row(GET, "/api/v1/mode", View),
    row(GET, "/api/v1/mode/plans/{plan}", View),
    row(GET, "/api/v1/mode/snapshot/{plans}", View),
    row(GET, "/api/v1/mode/record", Records),
    row(GET, "/api/v1/mode/report", Orders),
    row(GET, "/api/v1/mode/drafts", View),
    row(POST, "/api/v1/mode/drafts", Orders),
    row(POST, "/api/v1/mode/drafts/{draft}/sign", Orders),
    row(DELETE, "/api/v1/mode/drafts/{draft}", Orders),
    row(POST, "/api/v1/mode/order", Orders),
    row(POST, "/api/v1/mode/findings", Tasks),
    row(POST, "/api/v1/mode/rooms/{room}/stop", Stop),
    row(POST, "/api/v1/mode/rooms/{room}/service", Service),
    row(POST, "/api/v1/mode/rooms/{room}/end_service", Service),
    row(POST, "/api/v1/mode/rooms/{room}/{operation}", Tasks),
    row(POST, "/api/v1/devices/{device}/command", Commands),
    row(POST, "/api/v1/reload", Configure),
    row(GET, "/api/v1/configuration", Configure),
    row(GET, "/api/v1/lines/{line}/scan", Nodes),
    row(GET, "/api/v1/lines/{line}/registers", Nodes),
    row(GET, "/api/v1/uplink/dead-letters", Configure),
    row(POST, "/api/v1/uplink/dead-letters/{seq}/send-again", Configure),
    row(GET, "/api/v1/support", Configure),
    row(GET, "/api/v1/qr", View),
    row(POST, "/api/v1/nodes", Nodes),
    row(POST, "/api/v1/nodes/flash", Nodes),
    row(GET, "/api/v1/nodes/record", Records),
    row(GET, "/api/v1/users/record", Records),
];

/// Returns what a request needs; `None` when no row is about it. A method that no row of the path has is judged by
/// the path's first row, so that whoever may not see a path does not learn its methods.
#[must_use]
pub fn needs(method: &Method, path: &str) -> Option<Needs> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let matching = || TABLE.iter().filter(|row| matches(row.path, path));
    let exact = matching().filter(|row| row.method == *method);
    let found = exact.min_by_key(|row| row.path.matches('{').count()).or_else(|| matching().next());
    found.map(|row| row.needs)
}

/// Whether a path is one of a row. Parts are compared as handlers see them: without percent-encoding.
fn matches(row: &str, path: &str) -> bool {
    let (mut row, mut path) = (row.split('/'), path.split('/'));
    loop {
        match (row.next(), path.next()) {
            (None, None) => return true,
            (Some(part), Some(given)) if part.starts_with('{') && !given.is_empty() => {}
            (Some(part), Some(given)) if part.bytes().eq(decoded(given)) => {}
            _ => return false,
        }
    }
}

/// The bytes of a part of a path (RFC 3986 section 2.1).
fn decoded(part: &str) -> impl Iterator<Item = u8> {
    let mut bytes = part.bytes();
    std::iter::from_fn(move || {
        let byte = bytes.next()?;
        let mut rest = bytes.clone();
        let mut digit = || char::from(rest.next()?).to_digit(16);
        match (byte, digit(), digit()) {
            (b'%', Some(high), Some(low)) => {
                bytes.nth(1);
                u8::try_from(high * 16 + low).ok()
            }
            _ => Some(byte),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_accounts::rules::role::Role;

    /// Every `.route("…")` of this crate's sources, in their own words.
    fn routes() -> std::collections::BTreeSet<String> {
        let folders = [
            concat!(env!("CARGO_MANIFEST_DIR"), "/src"),
            concat!(env!("CARGO_MANIFEST_DIR"), "/src/openapi"),
        ];
        let sources = folders.into_iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
        let texts = sources.flatten().filter_map(|file| std::fs::read_to_string(file.path()).ok());
        let own = concat!(".rou", "te(");
        let of = |text: String| {
            // Without the routers of tests.
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            let parts: Vec<String> = text.split(own).skip(1).map(str::to_owned).collect();
            parts
                .into_iter()
                .filter_map(|part| Some(part.trim_start().strip_prefix('"')?.split('"').next()?.to_owned()))
                .collect::<Vec<_>>()
        };
        texts.flat_map(of).filter(|path| path.starts_with('/')).collect()
    }

    #[test]
    fn no_route_is_missing_from_the_table_and_no_row_is_without_a_route() {
        let routes = routes();
        assert!(routes.len() > 40, "{routes:?}");
        for route in &routes {
            assert!(TABLE.iter().any(|row| row.path == route), "{route} is in no row of the table");
        }
        for row in TABLE {
            let is_served = routes.contains(row.path)
                || routes.iter().any(|route| matches(route, &row.path.replace(['{', '}'], "x")));
            assert!(is_served, "{} is served nowhere", row.path);
        }
    }

    #[test]
    fn what_no_row_names_is_refused() {
        for path in [
            "/api/v1/nothing",
            "/api/v1",
            "/api/v1/visits/",
            "/api/v1//visits",
            "/API/v1/visits",
            "/api/v1/visits/a/b/c",
        ] {
            assert_eq!(needs(&GET, path), None, "{path}");
        }
        assert_eq!(needs(&DELETE, "/api/v1/visits"), Some(Needs::Allowed(Visits)), "no such method");
        assert_eq!(needs(&Method::HEAD, "/healthz"), Some(Needs::Nothing));
    }

    #[test]
    fn the_narrower_row_decides() {
        let room = |operation: &str| needs(&POST, &format!("/api/v1/mode/rooms/hall/{operation}"));
        assert_eq!(room("stop"), Some(Needs::Allowed(Stop)));
        assert_eq!(room("service"), Some(Needs::Allowed(Service)));
        assert_eq!(room("confirm"), Some(Needs::Allowed(Tasks)));
        // The handler sees the same word.
        assert_eq!(room("%73ervice"), Some(Needs::Allowed(Service)));
        assert_eq!(room("%53ervice"), Some(Needs::Allowed(Tasks)), "capitals are another word");
        for odd in ["%", "%7", "%zz", "a%2fb"] {
            assert_eq!(room(odd), Some(Needs::Allowed(Tasks)), "{odd}");
        }
        assert_eq!(needs(&POST, "/api/v1/alarms/test"), Some(Needs::Allowed(Alarms)));
        assert_eq!(needs(&GET, "/api/v1/measurements/unassigned"), Some(Needs::Allowed(Visits)));
    }

    #[test]
    fn personal_data_is_for_health_workers_and_what_is_open_names_nobody() {
        for row in TABLE {
            let is_personal = ["visits", "residents", "measurements", "export"]
                .iter()
                .any(|part| row.path.starts_with(&format!("/api/v1/{part}")));
            match row.needs {
                Needs::Nothing => assert!(!is_personal, "{}", row.path),
                Needs::Allowed(permission) if is_personal => {
                    assert_eq!(permission.roles(), [Role::HealthWorker], "{}", row.path);
                }
                Needs::Allowed(_) => {}
            }
        }
    }
}
