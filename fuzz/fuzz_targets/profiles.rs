//! Whatever is written as a device profile, built-in or a site's own: no panic, and problems instead of nonsense.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linli_domain::unit;
use linli_drivers::modbus::profile::{problems_of, problems_of_own};

fuzz_target!(|text: &str| {
    let (built_in, own) = (problems_of("acme/t1.toml", text), problems_of_own("acme/t1.toml", text));
    // What a built-in profile may say, a site's own may say too.
    assert!(!built_in.is_empty() || own.is_empty(), "{own:?}");
    let _ = problems_of_own("t1.toml", text);
    for word in text.split(['"', '\n']) {
        if let Some(found) = unit::spelled(word) {
            assert_eq!(unit::find(found.code), Some(found));
        }
    }
});
