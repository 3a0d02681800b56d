//! Expressions of plans: every form that is parsed, and what is rejected.

use linli_mode::{Literal, Name, Op, Parsed, Side};

#[test]
fn every_form_is_understood() {
    let contact = Name { of: "door-main".to_owned(), what: "contact".to_owned() };
    let closed = Side::Literal(Literal::Word("closed".to_owned()));
    assert_eq!(
        Parsed::parse("door-main.contact == closed"),
        Ok(Parsed::Compare { name: contact, op: Op::Equal, with: closed })
    );
    let ach = Name { of: "ahu-2".to_owned(), what: "ach".to_owned() };
    let least = Side::Name(Name { of: "params".to_owned(), what: "min_ach".to_owned() });
    assert_eq!(
        Parsed::parse("ahu-2.ach>=params.min_ach"),
        Ok(Parsed::Compare { name: ach, op: Op::AtLeast, with: least })
    );
    assert!(matches!(
        Parsed::parse("climate.temperature in -20..40"),
        Ok(Parsed::Within { low, high, .. }) if (low, high) == (-20.0, 40.0)
    ));
    assert_eq!(Parsed::parse(" vacant( 2 ) "), Ok(Parsed::Vacant(2)));
    assert_eq!(Parsed::parse("exit_free"), Ok(Parsed::ExitFree));
    assert_eq!(Parsed::parse("fire == normal"), Ok(Parsed::NoFire));
    assert_eq!(Parsed::parse("free_of(hot_food)"), Ok(Parsed::FreeOf("hot_food".to_owned())));
}

#[test]
fn nothing_else_is() {
    for wrong in [
        "",
        "vacant",
        "vacant(0)",
        "vacant(9)",
        "fire == alarm",
        "fire != normal",
        "rh < 80",
        "a.b in 9..2",
        "a.b in x..2",
        "a.b == ",
        "a.b == NaN",
        "a.b < 1 and c.d < 2",
        "a.b == system('rm')",
        "A.b == 1",
        "a..b == 1",
        "a.b",
    ] {
        assert!(Parsed::parse(wrong).is_err(), "{wrong:?} was understood");
    }
}
