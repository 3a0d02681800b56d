//! An actual mass order to 1,000 simulated centres, 5 % of which are silent. How long it takes is measured by `cargo xtask
//! bench order`.

use linli_tests::thousand::{CENTRES, mass_order};

#[tokio::test]
async fn every_answer_of_a_thousand_is_accounted_for_and_the_silent_are_named() -> anyhow::Result<()> {
    let accounted = mass_order().await?;
    assert_eq!((accounted.answers, accounted.silent), (950, CENTRES - 950));
    println!("{accounted:?}");
    Ok(())
}
