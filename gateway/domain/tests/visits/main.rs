//! The model check of the table that decides whose a measurement is: the function that ships, in every order of
//! events of two cabins and three residents. With all rules no reading is ever in the wrong visit; with any one
//! left out a reading in the wrong visit is found.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod message;
mod search;
mod world;

use linli_domain::visit::Rule;
use search::search;

#[test]
fn with_all_rules_no_reading_is_in_the_wrong_visit() {
    let found = search(None);
    assert_eq!(found.wrong, None);
    assert!(found.right > 1000, "{found:?}: it must not be right by refusing everything");
    assert!(found.decisions > 100_000, "{found:?}");
    println!("{} decisions, {} in the right visit", found.decisions, found.right);
}

#[test]
fn without_any_one_rule_a_reading_in_the_wrong_visit_is_found() {
    for rule in Rule::ALL {
        assert!(search(Some(rule)).wrong.is_some(), "{rule:?} prevents nothing");
    }
}
