//! Lists in pages: `limit` and `next` in the query; the header `Link` (RFC 8288) of an answer names the next page.

use std::fmt::Display;
use std::str::FromStr;

use axum::Json;
use axum::http::header::LINK;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use linli_store::{Cursor, Listing, Paging};
use serde::Serialize;

use super::Problem;

/// The pattern of `next`, for the OpenAPI document.
pub const NEXT: &str = r"^-?[0-9]{1,18}(\.[0-9A-Za-z-]{1,64})?$";

/// Reads the parameters of a list of which a page has at most `most` rows, `usual` without `limit`.
pub fn paging((limit, next): (Option<u32>, Option<&str>), usual: u32, most: u32) -> Result<Paging, Problem> {
    let after = next.map(cursor::<Cursor>).transpose()?;
    Ok(Paging { limit: limit.unwrap_or(usual).clamp(1, most), after })
}

/// Reads `next`.
pub fn cursor<C: FromStr>(next: &str) -> Result<C, Problem> {
    next.parse().map_err(|_| wrong())
}

/// The refusal of a `next` that no page named.
pub fn wrong() -> Problem {
    let detail = "next is not one that the header Link of a page of this list named";
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

/// The page as JSON.
pub fn answer<T: Serialize>(uri: &Uri, page: &Listing<T>) -> Response {
    with_next(uri, page.next.as_ref(), Json(&page.items).into_response())
}

/// Adds the address of the next page to an answer.
pub fn with_next(uri: &Uri, next: Option<&impl Display>, mut answer: Response) -> Response {
    let Some(next) = next else { return answer };
    let kept = uri.query().unwrap_or_default().split('&');
    let kept = kept.filter(|pair| !pair.is_empty() && !pair.starts_with("next="));
    let own = format!("next={next}");
    let query: Vec<&str> = kept.chain([own.as_str()]).collect();
    let link = format!("<{}?{}>; rel=\"next\"", uri.path(), query.join("&"));
    if let Ok(link) = HeaderValue::from_str(&link) {
        answer.headers_mut().insert(LINK, link);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(uri: &str, next: Option<&str>) -> Option<String> {
        let page = Listing { items: vec![1], next: next.map(|next| next.parse().unwrap()) };
        let answer = answer(&uri.parse().unwrap(), &page);
        Some(answer.headers().get(LINK)?.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_next_page_keeps_the_other_parameters() {
        assert_eq!(link("/api/v1/visits?open=true&limit=2", None), None, "the last page");
        for (uri, next) in [
            ("/api/v1/visits", "</api/v1/visits?next=7.v-1>; rel=\"next\""),
            ("/a?limit=2&next=3.v-0&from=1", "</a?limit=2&from=1&next=7.v-1>; rel=\"next\""),
        ] {
            assert_eq!(link(uri, Some("7.v-1")).as_deref(), Some(next));
        }
    }

    #[test]
    fn a_limit_is_kept_within_bounds_and_a_wrong_cursor_is_refused() {
        for (asked, limit) in [(None, 100), (Some(0), 1), (Some(7), 7), (Some(9999), 1000)] {
            assert_eq!(paging((asked, None), 100, 1000).unwrap().limit, limit);
        }
        let refused = paging((None, Some("yesterday")), 100, 1000).unwrap_err();
        assert_eq!(refused.status, 400);
    }
}
