//! The screens (`dashboards/district`): files that `build.rs` built and compressed, served from memory.
//!
//! A browser that asks for a page gets the screens at every address that is nothing else. Names of scripts and styles hold
//! a hash of their contents, so browsers keep them for ever.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use linli_embed::{Asset, serve, wants_page};

use super::Problem;

mod table {
    //! Written by `build.rs`.
    use linli_embed::Asset;

    include!(concat!(env!("OUT_DIR"), "/assets.rs"));

    /// How to get the screens where the build had none.
    pub(super) const HOW_TO_GET: &str = HOW;
}

/// What the page may load: its own files and answers. A style on an element is the place of a mark.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Routes of the screens.
pub fn router() -> Router {
    Router::new()
        .route("/", get(|request: Request| async move { page(&request) }))
        .route("/assets/{file}", get(|request: Request| async move { file(&request) }))
        .route("/icon.svg", get(|request: Request| async move { file(&request) }))
        .fallback(|request: Request| async move { elsewhere(&request) })
}

fn find(path: &str) -> Option<&'static Asset> {
    linli_embed::find(table::ASSETS, path)
}

fn page(request: &Request) -> Response {
    match find("index.html") {
        Some(page) => with_policy(serve(page, request.headers())),
        None => format!(
            "linli-district 没有构建屏幕 · linli-district is built without its screens\n{}\n",
            table::HOW_TO_GET
        )
        .into_response(),
    }
}

fn file(request: &Request) -> Response {
    match find(request.uri().path().trim_start_matches('/')) {
        Some(asset) => with_policy(serve(asset, request.headers())),
        None => nothing().into_response(),
    }
}

/// Addresses of views exist in the browser only.
fn elsewhere(request: &Request) -> Response {
    let is_view = request.method() == Method::GET
        && wants_page(request.headers())
        && !request.uri().path().starts_with("/api");
    if is_view { page(request) } else { nothing().into_response() }
}

fn nothing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "没有这个地址", "there is no such address")
}

fn with_policy(mut answer: Response) -> Response {
    for (name, value) in
        [(header::CONTENT_SECURITY_POLICY, POLICY), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")]
    {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{HeaderMap, header::ACCEPT};

    use super::*;

    fn asked(path: &str) -> (StatusCode, HeaderMap) {
        let request = Request::get(path).header(ACCEPT, "text/html").body(Body::empty()).expect("a request");
        let answer = if path == "/" { page(&request) } else { elsewhere(&request) };
        (answer.status(), answer.headers().clone())
    }

    #[test]
    fn a_browser_gets_the_screens_at_the_address_of_a_view_and_problems_of_the_api() {
        for path in ["/", "/orders", "/centre/c-1"] {
            let (status, headers) = asked(path);
            assert_eq!(status, StatusCode::OK, "{path}");
            let policy = headers.get("content-security-policy").and_then(|value| value.to_str().ok());
            assert!(find("index.html").is_none() || policy.is_some_and(|policy| policy.contains("'none'")));
        }
        assert_eq!(asked("/api/v1/nothing").0, StatusCode::NOT_FOUND);
    }

    /// As small as those of the gateway.
    #[test]
    fn the_screens_are_small() {
        let sum: usize =
            table::ASSETS.iter().map(|asset| asset.gzip.map_or(asset.plain.len(), <[u8]>::len)).sum();
        assert!(sum <= 150_000, "{sum} bytes compressed, 150 kB are allowed");
    }
}
