//! Three-valued logic: true, false, not known.

use linli_mode::Truth::{False, True, Unknown};

#[test]
fn unknown_never_rounds_up() {
    assert_eq!(True.and(Unknown), Unknown);
    assert_eq!(False.and(Unknown), False);
    assert_eq!(True.or(Unknown), True);
    assert_eq!(False.or(Unknown), Unknown);
    assert_eq!(Unknown.not(), Unknown);
    assert!(!Unknown.holds() && !Unknown.not().holds());
}
