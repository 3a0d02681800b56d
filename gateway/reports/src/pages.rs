//! Exports that come in pages, joined.

use anyhow::Context;
use serde_json::Value;

/// The entries of all pages in the first bundle.
///
/// # Errors
/// When a page is no bundle.
pub fn one_bundle(mut pages: Vec<String>) -> anyhow::Result<String> {
    if pages.len() == 1 {
        return Ok(pages.remove(0));
    }
    let mut bundles = pages.iter().map(|page| serde_json::from_str::<Value>(page));
    let mut whole = bundles.next().context("the gateway gave nothing")??;
    for bundle in bundles {
        let mut bundle = bundle?;
        let more = bundle["entry"].as_array_mut().map(std::mem::take).unwrap_or_default();
        whole["entry"].as_array_mut().context("the bundle has no entries")?.extend(more);
    }
    Ok(whole.to_string())
}

/// The rows of all pages below the head of the first.
#[must_use]
pub fn one_table(pages: &[String]) -> String {
    let rest = pages.iter().skip(1).filter_map(|page| page.split_once('\n').map(|(_, rows)| rows));
    pages.first().map(String::as_str).into_iter().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pages_become_one_table_and_one_bundle() {
        let table = one_table(&["a,b\r\n1,2\r\n".to_owned(), "a,b\r\n3,4\r\n".to_owned()]);
        assert_eq!(table, "a,b\r\n1,2\r\n3,4\r\n");
        let page = |id: u8| json!({"resourceType": "Bundle", "entry": [{"id": id}]}).to_string();
        let whole: Value = serde_json::from_str(&one_bundle(vec![page(1), page(2)]).unwrap()).unwrap();
        assert_eq!(whole["entry"], json!([{"id": 1}, {"id": 2}]));
        assert_eq!(one_bundle(vec!["as it was".to_owned()]).unwrap(), "as it was");
    }
}
