//! Words for the quality of a value.

use linli_domain::{NoQuality, Quality, Reason};

#[test]
fn every_quality_survives_its_code() {
    for reason in Reason::ALL {
        for quality in [Quality::Uncertain(reason), Quality::Bad(reason)] {
            assert_eq!(Quality::from_code(quality.code()), Some(quality));
            assert_eq!(quality.to_string().parse(), Ok(quality));
        }
    }
    assert_eq!(Quality::from_code(0), Some(Quality::Good));
    assert_eq!(("good".parse(), "bad:".parse::<Quality>()), (Ok(Quality::Good), Err(NoQuality)));
    assert_eq!(Quality::from_code(0x7F), None);
    assert_eq!(Quality::Bad(Reason::Silent).to_string(), "bad:silent");
}
