//! Headers that every answer carries, so that a browser does nothing with it that was not meant.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::Next;
use axum::response::Response;

/// For screens: own files only, no script or style within a page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// For a document that is printed, such as the daily record: no script at all, its own style.
const DOCUMENT: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'; sandbox";

/// For a drawing, also when it is opened by itself: it loads nothing, runs nothing, and nobody shows it within a page of theirs.
const DRAWING: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";

/// Adds them.
pub async fn secure(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    let is_page = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let is_drawing = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"image/svg"));
    let policy = match (is_api, is_page, is_drawing) {
        (true, true, _) => DOCUMENT,
        (true, _, true) => DRAWING,
        _ => POLICY,
    };
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    if is_api {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    answer
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::response::Html;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn policy(path: &str) -> String {
        let page = || async { Html("") };
        let drawing = || async { ([(CONTENT_TYPE, "image/svg+xml")], "<svg/>") };
        let router = Router::new().route("/", get(page)).route("/api/v1/food/record", get(page));
        let router = router.route("/api/v1/centre/backgrounds/a", get(drawing));
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router.layer(from_fn(secure)).oneshot(request).await.unwrap();
        answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_page_takes_nothing_from_elsewhere_and_a_document_runs_nothing() {
        let page = policy("/").await;
        assert!(page.contains("default-src 'none'") && !page.contains("unsafe"), "{page}");
        let document = policy("/api/v1/food/record").await;
        assert!(document.contains("sandbox") && !document.contains("script-src"), "{document}");
        let drawing = policy("/api/v1/centre/backgrounds/a").await;
        assert!(drawing.starts_with("default-src 'none'") && drawing.ends_with("sandbox"), "{drawing}");
        assert!(
            !drawing.contains("-src '") || drawing.matches("-src").count() == 1,
            "nothing is loaded: {drawing}"
        );
    }
}
