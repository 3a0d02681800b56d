//! The forms in which values are stored and sent, frozen. Each file of `tests/golden` holds one form,
//! a value a line, as version 0.1 wrote it.
//!
//! **If a test here fails, do not change the file.** Databases and districts hold these bytes. A new
//! variant or member is one more line; `LINLI_BLESS=1 cargo test golden` writes it.

use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The folder of the crate under test, `tests/golden`.
///
/// # Panics
/// Outside `cargo test`, which says where the crate is.
#[must_use]
pub fn files() -> PathBuf {
    let crate_under_test =
        std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo test names the crate's folder");
    PathBuf::from(crate_under_test).join("tests/golden")
}

/// Checks that values are written as the lines of `tests/golden/name.jsonl` are, and that each line is read
/// and written again without a change.
pub fn stored<T: Serialize + DeserializeOwned>(name: &str, values: &[T]) {
    for line in sent(name, values).lines() {
        let value: T = serde_json::from_str(line).unwrap_or_else(|why| panic!("{name}: {line}: {why}"));
        assert_eq!(written(&value), line, "{name}: read and written again");
    }
}

/// Checks that values are written as the lines of `tests/golden/name.jsonl` are; returns the file.
pub fn sent<T: Serialize>(name: &str, values: &[T]) -> String {
    let lines: String = values.iter().map(|value| written(value) + "\n").collect();
    frozen(&format!("{name}.jsonl"), &lines)
}

/// Checks that a text is that of the file `tests/golden/name`; returns it.
pub fn frozen(name: &str, text: &str) -> String {
    let file = files().join(name);
    if std::env::var_os("LINLI_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().expect("it is below tests/golden"))
            .expect("the folder can be made");
        std::fs::write(&file, text).expect("the file can be written");
    }
    let known = std::fs::read_to_string(&file)
        .unwrap_or_else(|why| panic!("{}: {why}; LINLI_BLESS=1 writes it", file.display()));
    for (index, (known, now)) in known.lines().zip(text.lines()).enumerate() {
        assert_eq!(now, known, "{name} line {}: what is stored or sent has changed", index + 1);
    }
    assert_eq!(text, known, "{name}: lines were added or removed");
    known
}

fn written(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("it is made of JSON values")
}

/// Fails unless each variant is among the values. The compiler refuses a list that lacks one.
#[macro_export]
macro_rules! every {
    ($values:expr; $($variant:pat),+ $(,)?) => {{
        let named: Vec<&str> =
            $values.iter().map(|value| match value { $($variant => stringify!($variant)),+ }).collect();
        $(assert!(named.contains(&stringify!($variant)), "no golden value of {}", stringify!($variant));)+
    }};
}

/// Freezes an enum without data, every variant of it; `stored` or `sent`.
#[macro_export]
macro_rules! words {
    ($check:ident $name:literal, $kind:ident: $($variant:ident),+ $(,)?) => {{
        let values = [$($kind::$variant),+];
        $crate::every!(values; $($kind::$variant),+);
        $crate::$check($name, &values);
    }};
}
