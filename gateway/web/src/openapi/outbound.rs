//! The document's part about what leaves the health cabin: slips, print jobs, the queue for the FHIR server.
// tidy: table

use schemars::JsonSchema;

use super::operation::{Operation, get, post};
use super::schema::{Moment, NamingWord, Nullable, PaperWord, Text};
use crate::outbound::{ReferralQuery, SlipQuery};

/// A print job.
#[derive(JsonSchema)]
struct PrintJob {
    /// Number, from 1.
    job: u64,
    /// Id of the visit.
    visit: String,
    paper: PaperWord,
    naming: NamingWord,
    /// Who printed it.
    by: String,
    at: Moment,
    state: PrintState,
    /// What keeps it waiting, or why it failed.
    why: Option<String>,
    /// When it was over.
    over: Option<Moment>,
}

/// How far a job is; with the printer's number of the job where it has one.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum PrintState {
    Waiting,
    Sending,
    Sent(i64),
    Cancelling(i64),
    Printed,
    Cancelled,
    Failed,
}

/// The queue of visits for the FHIR server.
#[derive(JsonSchema)]
struct FhirQueue {
    /// Address of the server; null when none is configured.
    url: Nullable<String>,
    /// Visits that are to be sent.
    waiting: u64,
    /// Visits that the server has.
    sent: u64,
    /// Visits that the server refuses.
    refused: u64,
    /// Visits whose residents did not agree to it, when all were last compared.
    withheld: u64,
    /// What keeps visits waiting.
    trouble: Nullable<String>,
    /// Those that wait or were refused, at most 500.
    visits: Vec<FhirVisit>,
}

/// A visit of the queue.
#[derive(JsonSchema)]
struct FhirVisit {
    visit: String,
    state: FhirState,
    at: Moment,
    /// Attempts since it was last sent.
    attempts: u32,
    /// Why it waits or is refused.
    why: Option<String>,
    /// Measurements that the server has, with the version of each.
    sent: Option<std::collections::BTreeMap<String, u32>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum FhirState {
    Waiting,
    Sent,
    Refused,
}

const TAG: &str = "cabin";

/// The operations.
pub fn operations() -> Vec<Operation> {
    vec![
        get("/api/v1/visits/{id}/slip", TAG, ("The result slip of a visit as PDF", "结果单"))
            .asks::<SlipQuery>()
            .gives_kind::<Text>(&["application/pdf"])
            .refuses(&[404, 409])
            .stored(),
        get("/api/v1/visits/{id}/referral", TAG, ("The referral note of a visit as PDF", "转诊单"))
            .asks::<ReferralQuery>()
            .gives_kind::<Text>(&["application/pdf"])
            .refuses(&[404, 409])
            .stored(),
        get(
            "/api/v1/measurements/{id}/attachments/{number}",
            TAG,
            (
                "A document that came with a measurement: an electrocardiogram, a spirometry report",
                "测量附件",
            ),
        )
        .gives_kind::<Text>(&["application/pdf", "image/png", "image/jpeg", "image/tiff"])
        .refuses(&[404, 409])
        .stored(),
        post("/api/v1/visits/{id}/print", TAG, ("Prints the result slip of a visit", "打印结果单"))
            .may_take::<SlipQuery>()
            .creates::<PrintJob>()
            .refuses(&[404, 409, 422])
            .stored(),
        get("/api/v1/print", TAG, ("Print jobs, newest first", "打印任务"))
            .gives::<Vec<PrintJob>>()
            .by_service(),
        post("/api/v1/print/{job}/cancel", TAG, ("Cancels a print job", "取消打印"))
            .gives::<PrintJob>()
            .refuses(&[404, 409])
            .stored(),
        get(
            "/api/v1/residents/{pseudonym}/csv",
            TAG,
            ("Everything measured of a resident, as CSV", "居民测量数据表"),
        )
        .gives_kind::<Text>(&["text/csv; charset=utf-8"])
        .refuses(&[404])
        .stored(),
        get("/api/v1/fhir", TAG, ("Visits for the FHIR server: what waits, what it refuses", "FHIR 队列"))
            .gives::<FhirQueue>()
            .by_service(),
        post("/api/v1/fhir/{visit}/retry", TAG, ("Sends a visit to the FHIR server again", "重新发送就诊"))
            .gives::<FhirVisit>()
            .refuses(&[404, 409])
            .stored(),
    ]
}
