//! The screens: files that `build.rs` built and compressed, served from memory.
//!
//! A browser that asks for a page gets the screens at every address that is nothing else; a program gets the
//! list of addresses, or a problem. The names of scripts and styles hold a hash of their contents, so
//! browsers keep them for ever; the page itself is asked for again each time.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::VARY;
use axum::http::{HeaderMap, Method, Response, StatusCode};
use axum::response::IntoResponse;
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

/// Returns why the program has no screens and how to get them; `None` if it has.
#[must_use]
pub fn without_screens() -> Option<&'static str> {
    find("index.html").is_none().then_some(table::HOW_TO_GET)
}

/// Routes of the screens; `fallback` answers programs.
pub(super) fn router(list: &'static str) -> Router {
    Router::new()
        .route("/", get(move |headers: HeaderMap| async move { root(&headers, list) }))
        .route("/assets/{file}", get(|request: Request| async move { file(&request) }))
        .route("/icon.svg", get(|request: Request| async move { file(&request) }))
        .fallback(|request: Request| async move { elsewhere(&request) })
}

fn find(path: &str) -> Option<&'static Asset> {
    linli_embed::find(table::ASSETS, path)
}

fn root(headers: &HeaderMap, list: &'static str) -> Response<Body> {
    match (wants_page(headers), find("index.html")) {
        (true, Some(page)) => serve(page, headers),
        (true, None) => {
            let text =
                format!("linli 没有构建屏幕 · built without its screens\n{}\n\n{list}", table::HOW_TO_GET);
            text.into_response()
        }
        (false, _) => ([(VARY, "accept")], list).into_response(),
    }
}

fn file(request: &Request) -> Response<Body> {
    match find(request.uri().path().trim_start_matches('/')) {
        Some(asset) => serve(asset, request.headers()),
        None => nothing().into_response(),
    }
}

/// Addresses of views exist in the browser only.
fn elsewhere(request: &Request) -> Response<Body> {
    let is_view = request.method() == Method::GET
        && wants_page(request.headers())
        && !request.uri().path().starts_with("/api");
    match (is_view, find("index.html")) {
        (true, Some(page)) => serve(page, request.headers()),
        _ => nothing().into_response(),
    }
}

fn nothing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no such path; GET / lists them")
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use tower::ServiceExt;

    use super::*;

    async fn ask(path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = router("the list").oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (head, body) = answer.into_parts();
        (head.status, head.headers, to_bytes(body, usize::MAX).await.unwrap().to_vec())
    }

    const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

    #[tokio::test]
    async fn a_program_gets_the_list_and_problems() {
        let (status, _, body) = ask("/", &[]).await;
        assert_eq!((status, body.as_slice()), (StatusCode::OK, b"the list".as_slice()));
        for path in ["/nothing", "/alarms", "/assets/nothing.js"] {
            let (status, headers, _) = ask(path, &[]).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(headers["content-type"], "application/problem+json", "{path}");
        }
    }

    #[tokio::test]
    async fn an_address_of_the_api_is_never_a_page() {
        let (status, headers, _) = ask("/api/v1/nothing", &[BROWSER]).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(headers["content-type"], "application/problem+json");
    }

    #[tokio::test]
    async fn a_browser_gets_the_screens_at_the_address_of_a_view() {
        let Some(page) = find("index.html") else { return };
        for path in ["/", "/alarms", "/wall/overview"] {
            let (status, headers, body) = ask(path, &[BROWSER]).await;
            assert_eq!((status, body.as_slice()), (StatusCode::OK, page.plain), "{path}");
            assert_eq!(headers["cache-control"], "no-cache");
            let again = ask(path, &[BROWSER, ("if-none-match", page.tag)]).await;
            assert_eq!((again.0, again.2.len()), (StatusCode::NOT_MODIFIED, 0));
        }
        let script = table::ASSETS.iter().find(|asset| asset.path.ends_with(".js")).unwrap();
        let (_, headers, body) = ask(&format!("/{}", script.path), &[("accept-encoding", "gzip, br")]).await;
        assert_eq!(Some(body.as_slice()), script.gzip, "compressed at build time");
        assert_eq!(headers["content-encoding"], "gzip");
        assert!(headers["cache-control"].to_str().unwrap().contains("immutable"));
    }

    /// What a phone loads for the first view must stay small (screens.md).
    #[test]
    fn the_screens_are_small() {
        let sizes = table::ASSETS
            .iter()
            .map(|asset| (asset.path, asset.gzip.map_or(asset.plain.len(), <[u8]>::len)))
            .collect::<Vec<_>>();
        // A view loads every file but those of the other views.
        let is_of_a_view = |path: &str| path.starts_with("assets/view-");
        let (views, common): (Vec<_>, Vec<_>) = sizes.iter().partition(|(path, _)| is_of_a_view(path));
        let common: usize = common.iter().map(|(_, size)| size).sum();
        let (largest, size) = views.iter().max_by_key(|(_, size)| size).copied().unwrap_or_default();
        assert!(views.len() > 5 || sizes.is_empty(), "the views are files of their own: {sizes:?}");
        let sum = common + size;
        assert!(sum <= 150_000, "{sum} bytes compressed with {largest}, 150 kB are allowed");
    }
}
