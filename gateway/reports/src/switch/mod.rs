//! The report of a switch or a drill, from the record alone: an export of the record suffices, without
//! the gateway and its configuration.

mod read;
mod sheet;

pub use read::{Switch, orders};

use super::{markdown, pdf};
use linli_domain::timezone::Zone;

/// How it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// Text that people and programs read.
    #[default]
    Md,
    /// A document.
    Pdf,
}

/// Returns the bytes of the report in that format.
#[must_use]
pub fn render(switch: &Switch, form: Form, zone: &Zone) -> Vec<u8> {
    let sheet = sheet::of(switch, zone);
    match form {
        Form::Md => markdown::text(&sheet).into_bytes(),
        Form::Pdf => pdf::document(&sheet),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use linli_domain::Id;
    use linli_domain::audit::Chain;
    use linli_domain::caller::{Caller, Login, Screen};
    use linli_mode::record::{ModeEntry, ModeEvent};
    use linli_mode::{Event, Planned, PlannedStep};

    use super::*;

    const JOURNEY: &str = include_str!("../../../services/tests/golden/mode/journey.txt");
    const ORDER: &str = "0197f0c2-1";

    /// The record of a whole switch, as the mode service stored it, with each entry changed first.
    fn record(change: impl Fn(&mut ModeEvent)) -> String {
        let mut chain = Chain::default();
        let entries = JOURNEY.lines().filter_map(|line| line.strip_prefix("document mode-line "));
        let line = |entry: &str| {
            let body = entry.splitn(3, ' ').nth(2).expect("id, time, body");
            let mut entry: ModeEntry = serde_json::from_str(body).expect("an entry");
            change(&mut entry.what);
            (entry.n, entry.prev) = chain.next();
            let line = serde_json::to_string(&entry).expect("JSON");
            chain.append(&line);
            line + "\n"
        };
        entries.map(line).collect()
    }

    fn report(record: &str) -> String {
        let step = |id: &str| PlannedStep {
            id: id.to_owned(),
            role: Some("staff".to_owned()),
            count: 1,
            device: None,
            span: Duration::from_secs(600),
            ends: Duration::from_secs(600),
        };
        let (ready_within, steps) = (Duration::from_secs(7200), vec![step("notice"), step("sweep")]);
        let planned = Planned { ready_within, steps };
        let switch = Switch::read(record, ORDER, &|_| Some(planned.clone())).expect("the order");
        let zone = Zone::find("Asia/Shanghai").expect("a time zone");
        String::from_utf8(render(&switch, Form::Md, &zone)).expect("text")
    }

    fn has(report: &str, row: &str) {
        assert!(report.lines().any(|line| line.contains(row)), "{row}: {report}");
    }

    #[test]
    fn a_name_that_no_log_in_proves_is_marked() {
        let report = report(&record(|_| ()));
        // qian was refused and confirmed, zhao began, sun stopped; zhao registered the finding.
        for person in ["qian", "zhao", "sun"] {
            has(&report, &format!("| {person} | lin | local | local socket | 未核实 unverified |"));
        }
        assert!(!report.contains("已核实"), "{report}");
        has(&report, "qian（未核实）、sun（未核实）");
    }

    #[test]
    fn a_person_who_logged_in_is_verified() {
        let sun = Id::new("sun").unwrap();
        let screen = Screen::Enrolled(Id::new("hall-1").unwrap());
        let logged_in = Caller::of("sun", Login::Code, screen);
        let report = report(&record(|what| match what {
            ModeEvent::Step { event: Event::Stop { .. }, acting, .. } => {
                *acting = Some(logged_in.acting(None));
            }
            ModeEvent::Step { event: Event::Confirm { who, .. }, acting, .. } if who.id == sun => {
                *acting = Some(logged_in.acting(Some(&sun)));
            }
            _ => {}
        }));
        has(&report, "| sun | sun | code | hall-1 | 已核实 verified |");
        has(&report, "| （未具名 no name given） | sun | code | hall-1 |  |");
        has(&report, "| qian | lin | local | local socket | 未核实 unverified |");
        has(&report, "qian（未核实）、sun |");
    }

    #[test]
    fn of_an_earlier_record_only_the_names_are_known() {
        let report = report(&record(|what| match what {
            ModeEvent::Order { acting, confirmed_by, result, .. } => {
                *acting = None;
                if result == "accepted" {
                    *confirmed_by = vec![Id::new("chen").unwrap()];
                }
            }
            ModeEvent::Step { acting, .. }
            | ModeEvent::Refused { acting, .. }
            | ModeEvent::Finding { acting, .. } => *acting = None,
            _ => {}
        }));
        for person in ["qian", "zhao", "chen"] {
            has(&report, &format!("| {person} | 未记录 not recorded |  |  | 未核实 unverified |"));
        }
        has(&report, "qian（未核实）");
    }
}
