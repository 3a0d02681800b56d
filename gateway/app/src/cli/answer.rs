//! An answer of the gateway, whichever way it came.

/// A whole answer of the gateway.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// Text of the body.
    pub body: String,
    /// Cookies that it sets.
    pub cookies: Vec<String>,
}

/// The `detail` of a problem document (RFC 9457); the whole body where there is none.
#[must_use]
pub fn detail(answer: &Answer) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_str(&answer.body).ok();
    problem
        .and_then(|p| p.get("detail").and_then(|d| d.as_str().map(str::to_owned)))
        .unwrap_or_else(|| answer.body.clone())
}
