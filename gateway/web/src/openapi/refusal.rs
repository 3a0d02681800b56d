//! Why an operation refuses. Some refusals belong to every operation of a kind, because the gate and the listeners
//! give them; the others are its own.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::operation::Operation;
use crate::permission::{Needs, Row};

/// A status, its name in the document, and what it means.
const REFUSALS: [(u16, &str, &str); 14] = [
    (400, "BadRequest", "A parameter of the path or the query is wrong."),
    (
        401,
        "Unauthorized",
        "Nobody is logged in, the log-in has ended, or the secret, code or token is wrong.",
    ),
    (403, "Forbidden", "The roles do not allow it, the screen is locked, or the page of another site asks."),
    (404, "NotFound", "There is none of that name."),
    (408, "RequestTimeout", "The body did not come in time."),
    (409, "Conflict", "The present state does not permit it; the text says what does."),
    (413, "ContentTooLarge", "The body is too long."),
    (415, "UnsupportedMediaType", "The body is not of the media type that the operation takes."),
    (421, "MisdirectedRequest", "The `Host` is no name of this gateway."),
    (422, "UnprocessableContent", "The body is wrong; the text says where."),
    (429, "TooManyRequests", "Too many wrong attempts; `Retry-After` says how long to wait."),
    (500, "InternalServerError", "A fault of the gateway."),
    (503, "ServiceUnavailable", "The gateway is stopping, busy, or cannot store it now; ask again."),
    (507, "InsufficientStorage", "The store has no room for it; the text says what is full."),
];

/// The refusals that an operation can give.
pub fn of(row: &Row, operation: &Operation, has_parameters: bool) -> BTreeSet<u16> {
    let mut all: BTreeSet<u16> = operation.refusals.iter().copied().collect();
    all.extend([401, 421]);
    if has_parameters {
        all.insert(400);
    }
    if matches!(row.needs, Needs::Allowed(_)) {
        all.insert(403);
    }
    if row.method != Method::GET {
        all.extend([403, 408, 413, 415]);
    }
    if !operation.operations.is_empty() {
        all.insert(404);
    }
    all
}

/// The name of a refusal in the document.
pub fn name(status: u16) -> &'static str {
    REFUSALS.iter().find(|(known, ..)| *known == status).map_or("InternalServerError", |(_, name, _)| name)
}

/// Every refusal, with a problem as its body.
pub fn responses(content: &Value) -> Value {
    let response = |(status, name, about): &(u16, &str, &str)| {
        let mut response = json!({"description": about, "content": content});
        if *status == 429 {
            let schema = json!({"type": "integer", "minimum": 1});
            response["headers"] =
                json!({"Retry-After": {"description": "Seconds.", "required": true, "schema": schema}});
        }
        ((*name).to_owned(), response)
    };
    REFUSALS.iter().filter(|(status, ..)| *status != 500).map(response).collect::<Map<_, _>>().into()
}
