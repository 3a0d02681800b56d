//! The screens, embedded: plain HTML, CSS and JavaScript with the gateway's design tokens; no build, nothing from outside.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Name, type and content of each file.
const FILES: [(&str, &str, &str); 5] = [
    ("", "text/html; charset=utf-8", include_str!("../page/index.html")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("../page/page.js")),
    ("words.js", "text/javascript; charset=utf-8", include_str!("../page/words.js")),
    ("page.css", "text/css; charset=utf-8", include_str!("../page/page.css")),
    ("tokens.css", "text/css; charset=utf-8", include_str!("../../../dashboards/web/src/design/tokens.css")),
];

/// What the page may load: its own files and answers. A style on an element is the width of a bar.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page itself.
pub async fn index() -> Response {
    serve("")
}

/// One of its files.
pub async fn file(Path(name): Path<String>) -> Response {
    serve(&name)
}

fn serve(name: &str) -> Response {
    let Some((_, kind, text)) = FILES.iter().find(|(file, ..)| *file == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let fixed = |name: HeaderName, value: &'static str| (name, HeaderValue::from_static(value));
    let headers: HeaderMap = [
        fixed(header::CONTENT_TYPE, kind),
        fixed(header::CONTENT_SECURITY_POLICY, POLICY),
        fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        fixed(header::CACHE_CONTROL, "no-cache"),
    ]
    .into_iter()
    .collect();
    (headers, *text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each key of a language, in order.
    fn keys(text: &str) -> Vec<&str> {
        let word = |c: char| c.is_ascii_alphanumeric();
        let mut keys: Vec<&str> = text
            .match_indices(": '")
            .filter_map(|(at, _)| text[..at].rsplit(|c| !word(c)).next())
            .filter(|key| !key.is_empty())
            .collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn every_text_stands_in_both_languages() {
        let words = FILES[2].2;
        let (zh, en) = words.split_once("  en: {").expect("two languages");
        assert_eq!(keys(zh), keys(en));
    }

    #[test]
    fn the_page_makes_no_markup_from_texts_and_loads_nothing_from_outside() {
        let page = FILES[1].2;
        assert!(!page.contains("innerHTML") && !page.contains("insertAdjacentHTML"));
        let outside = |text: &str| text.replace("http://www.w3.org/2000/svg", "").contains("://");
        assert!(FILES.iter().all(|(_, _, text)| !outside(text)));
    }
}
