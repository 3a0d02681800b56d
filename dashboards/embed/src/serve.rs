//! Files of screens, served from memory.

use axum::body::Body;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;

/// A file of the screens: a row of the table that the build script writes.
pub struct Asset {
    /// Path below `/`.
    pub path: &'static str,
    /// Its media type.
    pub kind: &'static str,
    /// Its entity tag.
    pub tag: &'static str,
    /// Whether its name changes with its contents.
    pub is_hashed: bool,
    /// Its bytes.
    pub plain: &'static [u8],
    /// Its bytes, compressed; `None` where that saves nothing.
    pub gzip: Option<&'static [u8]>,
}

/// The file of that path.
#[must_use]
pub fn find(assets: &'static [Asset], path: &str) -> Option<&'static Asset> {
    assets.iter().find(|asset| asset.path == path)
}

/// Whether it is a browser that opens a page.
#[must_use]
pub fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// A file as the browser asks for it: compressed where it can be, not at all where it has it.
#[must_use]
pub fn serve(asset: &'static Asset, headers: &HeaderMap) -> Response<Body> {
    let caching = if asset.is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    let accepts = |header, wanted: &str| {
        headers.get(header).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(wanted))
    };
    let mut answer = if accepts(IF_NONE_MATCH, asset.tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        match asset.gzip.filter(|_| accepts(ACCEPT_ENCODING, "gzip")) {
            Some(packed) => ([(CONTENT_ENCODING, "gzip")], packed).into_response(),
            None => asset.plain.into_response(),
        }
    };
    let fixed = [
        (CONTENT_TYPE, asset.kind),
        (ETAG, asset.tag),
        (CACHE_CONTROL, caching),
        (VARY, "accept, accept-encoding"),
    ];
    for (name, value) in fixed {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
