//! Golden files: entries of the record of accounts as they are stored.

use linli_domain::audit::AuditEntry;
use linli_domain::caller::{Acting, Caller, Login, Screen};
use linli_domain::{Id, Timestamp};
use linli_golden::{every, stored};

use crate::SecurityEvent;
use crate::rules::role::Role;

const NOW: Timestamp = Timestamp(1_795_428_000_123);

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn acting() -> Acting {
    Caller { person: Some(id("guan")), ..Caller::of("guan", Login::Password, Screen::Network) }
        .acting(Some(&id("guan")))
}

/// One of every kind, with what may be missing and without it.
fn events() -> Vec<SecurityEvent> {
    let (account, from) = (id("lin"), "192.0.2.7".to_owned());
    let screen =
        |what: &str, acting| SecurityEvent::Screen { screen: id("hall-1"), what: what.to_owned(), acting };
    let refused = |account, others| SecurityEvent::Refused {
        account,
        why: "wrong secret".to_owned(),
        from: from.clone(),
        others,
    };
    let configured = |what: &str, acting| SecurityEvent::Configured {
        what: what.to_owned(),
        detail: "1 line added".to_owned(),
        acting,
    };
    vec![
        SecurityEvent::Added {
            account: account.clone(),
            roles: vec![Role::HealthWorker, Role::Auditor],
            person: Some(id("lin")),
            acting: acting(),
        },
        SecurityEvent::Added {
            account: account.clone(),
            roles: vec![Role::Admin],
            person: None,
            acting: acting(),
        },
        SecurityEvent::Changed { account: account.clone(), what: "reset".to_owned(), acting: acting() },
        SecurityEvent::Enrolled { account: account.clone(), from: from.clone() },
        SecurityEvent::LoggedIn { acting: acting(), session: "a1b2".to_owned(), from: from.clone() },
        SecurityEvent::LoggedOut {
            account: account.clone(),
            session: "a1b2".to_owned(),
            why: "revoked".to_owned(),
        },
        refused(Some(account), 0),
        refused(None, 7),
        screen("code issued", Some(acting())),
        screen("enrolled", None),
        configured("reloaded", Some(acting())),
        configured("started", None),
        SecurityEvent::Certificate { until: Timestamp(NOW.0 + 86_400_000) },
        SecurityEvent::Sealed { count: 5, acting: acting() },
        SecurityEvent::BreakGlass { code: 2, session: "c3d4".to_owned(), from },
        SecurityEvent::UplinkCertificate {
            what: "ends soon".to_owned(),
            until: Some(Timestamp(NOW.0 + 86_400_000)),
            why: Some("the district does not answer".to_owned()),
        },
        SecurityEvent::UplinkCertificate { what: "cannot be read".to_owned(), until: None, why: None },
    ]
}

#[test]
fn entries_of_the_record() {
    let all = events();
    every!(all; SecurityEvent::Added { .. }, SecurityEvent::Changed { .. }, SecurityEvent::Enrolled { .. },
        SecurityEvent::LoggedIn { .. }, SecurityEvent::LoggedOut { .. }, SecurityEvent::Refused { .. },
        SecurityEvent::Screen { .. }, SecurityEvent::Configured { .. }, SecurityEvent::Certificate { .. },
        SecurityEvent::Sealed { .. }, SecurityEvent::BreakGlass { .. },
        SecurityEvent::UplinkCertificate { .. });
    let prev = "00".repeat(32);
    let lines: Vec<AuditEntry<SecurityEvent>> =
        (0..).zip(all).map(|(n, what)| AuditEntry { n, prev: prev.clone(), at: NOW, what }).collect();
    stored("accounts/line", &lines);
}
