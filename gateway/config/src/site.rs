//! Finds the site that a room or an area of facility.toml names.

use linli_domain::Id;
use linli_mode::facility::Site;

use super::diagnostics::{Diagnostics, nth};

/// Returns the site that a room or an area names; the only site if it names none.
pub fn named_site(
    array: &str,
    given: Option<&str>,
    index: usize,
    sites: &[Site],
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Option<Id> {
    let Some(given) = given else {
        if sites.len() > 1 {
            diagnostics.wrong(&nth(array, index, "site"), "is missing: this centre has several sites");
        }
        return sites.first().map(|site| site.id.clone());
    };
    let found = sites.iter().map(|site| &site.id).find(|site| site.as_str() == given);
    if found.is_none() {
        let known: Vec<&str> = sites.iter().map(|site| site.id.as_str()).collect();
        let message = match super::shape::nearest(given, &known) {
            Some(near) => format!("there is no site {given:?}; did you mean {near:?}?"),
            None => format!("there is no site {given:?}; sites are: {}", known.join(", ")),
        };
        diagnostics.wrong(&nth(array, index, "site"), message);
    }
    found.cloned()
}
