//! Golden sessions of the command line: every help page, and what is said of mistakes.

#[test]
fn sessions() {
    trycmd::TestCases::new().case("tests/cli/*.trycmd");
}
