//! What is an id.

use linli_domain::{Id, IdError};

#[test]
fn names_that_a_topic_cannot_carry_are_refused() {
    for (text, expect) in [
        ("", IdError::Empty),
        ("Fridge", IdError::Character('F')),
        ("-fridge", IdError::Character('-')),
        ("a/b", IdError::Character('/')),
        ("a+b", IdError::Character('+')),
        ("冰箱", IdError::Character('冰')),
        ("a b", IdError::Character(' ')),
    ] {
        assert_eq!(Id::new(text), Err(expect), "{text:?}");
    }
    assert_eq!(Id::new(&"a".repeat(49)), Err(IdError::Long(49)));
    assert_eq!(Id::new("fridge-1.a_b").map(String::from), Ok("fridge-1.a_b".to_owned()));
}
