//! Documents of the canteen: one for each account, day, cycle and cooling batch.

use jiff::civil::Date;
use linli_domain::canteen::cooling::Cooling;
use linli_domain::canteen::wash::Cycle;
use linli_domain::canteen::{Account, Day};
use linli_domain::{Id, Timestamp};
use linli_store::Document;
use serde::{Deserialize, Serialize};

use crate::stored::body;

/// The kind of documents that hold a [`CoolingBatch`].
pub const COOLING: &str = "cooling";

/// The kind of documents of finished cycles.
pub const CYCLE: &str = "cycle";

/// The kind of documents of samples that were destroyed.
pub const DESTROYED_SAMPLE: &str = "sample-gone";

/// A batch of food that cools, or has cooled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoolingBatch {
    /// Name of the food.
    pub food: String,
    /// Device of the probe in it.
    pub probe: Id,
    /// Person who began it.
    pub by: String,
    /// Time of its beginning.
    pub begun: Timestamp,
    /// Time of the latest reading of the probe.
    pub seen: Timestamp,
    /// Time of its end; `None` while it cools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Progress under the cooling rule, and the outcome.
    pub cooling: Cooling,
}

/// The document of a cooling batch.
pub fn cooling(id: String, batch: &CoolingBatch) -> Document {
    Document { id, kind: COOLING.to_owned(), at: batch.begun, body: body(batch) }
}

/// Id of the document with the account of a cabinet.
pub fn account_id(device: &Id) -> String {
    format!("account/{device}")
}

/// The document with the account of a cabinet.
pub fn account(device: &Id, at: Timestamp, account: &Account) -> Document {
    Document { id: account_id(device), kind: "account".to_owned(), at, body: body(account) }
}

/// What a document belongs to: accounts and days to their cabinet, every other to itself.
pub fn belongs_to(id: &str) -> &str {
    match id.split_once('/') {
        Some(("account", device)) => device,
        Some(("day", rest)) => rest.split_once('/').map_or(id, |(_, device)| device),
        _ => id,
    }
}

/// Id of the document with a day of a cabinet.
pub fn day_id(day: Date, device: &Id) -> String {
    format!("day/{day}/{device}")
}

/// The document with a day of a cabinet; `midnight` is when the day began.
pub fn day(date: Date, device: &Id, midnight: Timestamp, day: &Day) -> Document {
    Document { id: day_id(date, device), kind: "day".to_owned(), at: midnight, body: body(day) }
}

/// The document with a finished cycle of a dishwasher or disinfection cabinet.
pub fn cycle(device: &Id, cycle: &Cycle) -> Document {
    let id = format!("cycle/{device}/{}", cycle.from.0);
    let body = body(&serde_json::json!({"device": device, "cycle": cycle}));
    Document { id, kind: CYCLE.to_owned(), at: cycle.from, body }
}
