//! Refusals as problem documents (RFC 9457), whoever refuses: a handler, an extractor of the web framework, or its
//! router.

use axum::Json;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use linli_services::ServiceError;
use schemars::JsonSchema;

/// Media type of a problem.
pub const PROBLEM: &str = "application/problem+json";

/// Longest text of a refusal of the framework: one sentence.
const LONGEST_TEXT: usize = 16 * 1024;

/// Why a request was refused (the shape of RFC 9457 problem details).
#[derive(Debug, serde::Serialize, JsonSchema)]
pub struct Problem {
    /// HTTP status code.
    #[schemars(range(min = 400, max = 599))]
    pub status: u16,
    /// What is wrong, and how to correct it: for people, in Chinese and English where it is shown on a screen.
    pub detail: String,
}

// === impl Problem ===

impl Problem {
    /// A problem with that status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status: status.as_u16(), detail: detail.into() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(CONTENT_TYPE, PROBLEM)], Json(self)).into_response()
    }
}

impl From<ServiceError> for Problem {
    fn from(refusal: ServiceError) -> Self {
        let status = match refusal {
            ServiceError::Wrong(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ServiceError::Unknown(_) => StatusCode::NOT_FOUND,
            ServiceError::Conflict(_) => StatusCode::CONFLICT,
            ServiceError::NotNow(_) => StatusCode::SERVICE_UNAVAILABLE,
            ServiceError::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
        };
        Self::new(status, refusal.to_string())
    }
}

/// The middleware: a refusal of the API that is no problem document becomes one. Its text is kept, and so are its
/// other headers, such as `Allow`.
pub async fn every_refusal(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let answer = next.run(request).await;
    let is_refusal = answer.status().is_client_error() || answer.status().is_server_error();
    let is_problem = answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM);
    if !is_api || !is_refusal || is_problem {
        return answer;
    }
    let (mut head, body) = answer.into_parts();
    let text = text(body).await.unwrap_or_else(|| usual(head.status));
    let problem = Problem::new(head.status, text).into_response();
    head.headers.remove(CONTENT_LENGTH);
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
    Response::from_parts(head, problem.into_body())
}

/// The text of a refusal; `None` when it has none.
async fn text(body: Body) -> Option<String> {
    if body.is_end_stream() {
        return None;
    }
    let bytes = to_bytes(body, LONGEST_TEXT).await.ok()?;
    let text = String::from_utf8(bytes.to_vec()).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// What is said about a refusal without a text.
fn usual(status: StatusCode) -> String {
    match status {
        // The router adds the header after every layer.
        StatusCode::METHOD_NOT_ALLOWED => {
            "this path does not take the method; the header Allow says which it takes".to_owned()
        }
        other => other.canonical_reason().unwrap_or("refused").to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::{DefaultBodyLimit, Path, Query};
    use axum::http::HeaderMap;
    use axum::http::header::ALLOW;
    use axum::middleware::from_fn;
    use axum::routing::{get, post};
    use serde::Deserialize;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Which {
        #[serde(rename = "limit")]
        _limit: Option<u32>,
    }

    async fn refused(method: &str, path: &str, body: &str) -> (StatusCode, HeaderMap, Value) {
        let router = Router::new()
            .route("/api/list", get(|_: Query<Which>| async { "[]" }))
            .route("/api/of/{name}", get(|_: Path<String>| async { "[]" }))
            .route("/api/act", post(|text: String| async { text }).layer(DefaultBodyLimit::max(4)))
            .route("/api/own", get(|| async { Problem::new(StatusCode::CONFLICT, "as it was") }))
            .route("/page", get(|| async { (StatusCode::NOT_FOUND, "no page") }))
            .layer(from_fn(every_refusal));
        let request = Request::builder().method(method).uri(path).body(Body::from(body.to_owned())).unwrap();
        let (head, body) = router.oneshot(request).await.unwrap().into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
        (head.status, head.headers, body)
    }

    #[tokio::test]
    async fn refusals_of_the_framework_are_problems_that_keep_their_text() {
        for (method, path, body, status, text) in [
            ("GET", "/api/list?limit=x", "", 400, "limit"),
            ("GET", "/api/list?all=true", "", 400, "unknown field `all`"),
            ("GET", "/api/of/%ff", "", 400, "UTF-8"),
            ("POST", "/api/act", "too long", 413, "length limit"),
            ("DELETE", "/api/list", "", 405, "does not take the method"),
            ("GET", "/api/nothing", "", 404, "not found"),
            ("GET", "/api/own", "", 409, "as it was"),
        ] {
            let (found, headers, body) = refused(method, path, body).await;
            assert_eq!(found.as_u16(), status, "{method} {path}");
            assert_eq!(headers[CONTENT_TYPE], PROBLEM, "{method} {path}");
            assert_eq!(body["status"], status, "{body}");
            assert!(body["detail"].as_str().is_some_and(|detail| detail.contains(text)), "{body}");
        }
    }

    #[tokio::test]
    async fn a_wrong_method_is_told_the_right_ones() {
        let (_, headers, _) = refused("DELETE", "/api/list", "").await;
        assert_eq!(headers[ALLOW], "GET,HEAD");
    }

    #[tokio::test]
    async fn answers_and_pages_are_left_as_they_are() {
        let (status, _, body) = refused("GET", "/api/list", "").await;
        assert_eq!((status, body), (StatusCode::OK, json!([])));
        let (status, headers, _) = refused("GET", "/page", "").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(headers[CONTENT_TYPE], "text/plain; charset=utf-8");
    }
}
