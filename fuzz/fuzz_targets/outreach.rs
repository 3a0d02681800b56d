//! The file of an outreach: no panic, nothing opens that was not sealed for its place, and what an item says comes back
//! whole.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use linli_cabin::{FileError, Item, OutreachFile};
use linli_domain::Timestamp;

/// Its key takes a while to derive: one for all inputs.
static FILE: LazyLock<OutreachFile> = LazyLock::new(|| {
    OutreachFile::begin("a secret that two sites share", "van", Timestamp(1_795_428_000_000), None)
        .expect("a file begins")
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        // Too short a secret: the header is read, and no key is derived from it.
        assert!(OutreachFile::with("short", text).is_err());
        assert!(FILE.open(2, text).is_err(), "nobody can seal a line without the secret");
    }
    let Ok(item) = serde_json::from_slice::<Item>(bytes) else { return };
    let line = FILE.seal(2, &item).expect("what was read can be written");
    assert_eq!(FILE.open(3, &line).expect_err("another place"), FileError::Sealed(3));
    match FILE.open(2, &line) {
        Ok(opened) => {
            let text = |item: &Item| serde_json::to_string(item).expect("an item is JSON");
            assert_eq!(text(&opened), text(&item));
        }
        Err(error) => assert!(matches!(error, FileError::Incomplete(2, lines) if lines != 1), "{error}"),
    }
});
