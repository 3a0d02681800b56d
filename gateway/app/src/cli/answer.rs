//! An answer of the gateway, whichever way it came.

/// A whole answer of the gateway.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// Text of the body.
    pub body: String,
    /// The body where it is no text, such as a PDF.
    pub bytes: Vec<u8>,
    /// Cookies that it sets.
    pub cookies: Vec<String>,
    /// Path of the next page, where it is a page of a list.
    pub next: Option<String>,
}

/// A body as text, or as bytes where it is none.
#[must_use]
pub fn text_or_bytes(body: Vec<u8>) -> (String, Vec<u8>) {
    String::from_utf8(body).map_or_else(|none| (String::new(), none.into_bytes()), |text| (text, Vec::new()))
}

/// The path that a header `Link` names as the next page (RFC 8288).
#[must_use]
pub fn next_page(link: Option<&str>) -> Option<String> {
    let (path, rest) = link?.strip_prefix('<')?.split_once('>')?;
    (rest.contains("rel=\"next\"") && path.starts_with('/')).then(|| path.to_owned())
}

/// The `detail` of a problem document (RFC 9457); the whole body where there is none.
#[must_use]
pub fn detail(answer: &Answer) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_str(&answer.body).ok();
    problem
        .and_then(|p| p.get("detail").and_then(|d| d.as_str().map(str::to_owned)))
        .unwrap_or_else(|| answer.body.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_a_path_of_the_same_gateway() {
        assert_eq!(next_page(Some("</a?next=7.v>; rel=\"next\"")).as_deref(), Some("/a?next=7.v"));
        for none in [None, Some(""), Some("</a>; rel=\"prev\""), Some("<https://other/a>; rel=\"next\"")] {
            assert_eq!(next_page(none), None, "{none:?}");
        }
    }
}
