//! Forms of the queues as they are stored.

use linli_domain::Timestamp;
use linli_domain::visit::{Naming, Paper};
use linli_golden::stored;

use crate::fhir::{Item, State as Standing};
use crate::print::{Job, State};

const AT: Timestamp = Timestamp(1_795_428_000_123);

#[test]
fn a_print_job() {
    let job = |state: State| Job {
        job: 7,
        visit: "v-0011223344556677".to_owned(),
        paper: Paper::Roll80,
        naming: Naming::Masked,
        by: "chen".to_owned(),
        at: AT,
        state,
        why: None,
        over: None,
    };
    let failed = Job {
        why: Some("the printer takes no PDF".to_owned()),
        over: Some(AT),
        paper: Paper::A5,
        naming: Naming::Full,
        ..job(State::Failed)
    };
    let states = [State::Waiting, State::Sending, State::Sent(3), State::Cancelling(3), State::Printed];
    let mut jobs: Vec<Job> = states.into_iter().map(job).collect();
    jobs.extend([
        job(State::Cancelled),
        failed,
        Job { paper: Paper::Roll58, naming: Naming::None, ..job(State::Waiting) },
    ]);
    stored("print/job", &jobs);
}

#[test]
fn a_visit_for_a_fhir_server() {
    let item = |state: Standing, sent: &[(&str, u32)]| Item {
        visit: "v-0011223344556677".to_owned(),
        state,
        at: AT,
        attempts: 0,
        why: None,
        sent: sent.iter().map(|(id, version)| ((*id).to_owned(), *version)).collect(),
        erases: false,
    };
    let refused =
        Item { attempts: 3, why: Some("HTTP 422".to_owned()), ..item(Standing::Refused, &[("m-1", 2)]) };
    let erased = Item { erases: true, ..item(Standing::Waiting, &[("m-1", 2)]) };
    stored(
        "fhir/visit",
        &[item(Standing::Waiting, &[]), item(Standing::Sent, &[("m-1", 1), ("m-2", 4)]), refused, erased],
    );
}
