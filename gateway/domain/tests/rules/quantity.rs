//! Quantities of vital signs.

use std::collections::BTreeSet;

use linli_domain::unit;
use linli_domain::vital::Quantity;

#[test]
fn words_and_codes_name_one_quantity_each() {
    let words: BTreeSet<&str> = Quantity::ALL.into_iter().map(Quantity::as_str).collect();
    let codes: BTreeSet<&str> = Quantity::ALL.into_iter().map(Quantity::loinc).collect();
    assert_eq!((words.len(), codes.len()), (12, 12));
    for quantity in Quantity::ALL {
        assert_eq!(Quantity::find(quantity.as_str()), Some(quantity));
        assert_eq!(Quantity::by_loinc(quantity.loinc()), Some(quantity));
        assert!(unit::find(quantity.unit()).is_some(), "{}", quantity.unit());
        let word = serde_json::to_value(quantity).unwrap();
        assert_eq!(word, quantity.as_str());
    }
    assert_eq!(Quantity::by_loinc("2708-6"), Some(Quantity::OxygenSaturation));
    assert_eq!(Quantity::by_mdc(150_021), Some(Quantity::Systolic));
    assert_eq!(Quantity::by_loinc("1-8"), None);
}
