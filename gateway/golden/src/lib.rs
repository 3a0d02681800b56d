//! Golden files: they freeze the forms in which values are stored and sent. Each file of `tests/golden` holds
//! one form, one value per line, as version 0.1 wrote it.
//!
//! **If a test here fails, do not change the file.** Databases and districts hold these bytes. A new
//! variant or member is one more line; `LINLI_BLESS=1 cargo test golden` writes it.

use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Returns the folder `tests/golden` of the crate under test.
///
/// # Panics
/// Outside `cargo test`, which says where the crate is.
#[must_use]
pub fn files() -> PathBuf {
    let crate_under_test =
        std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo test names the crate's folder");
    PathBuf::from(crate_under_test).join("tests/golden")
}

/// Checks that values serialise to the lines of `tests/golden/name.jsonl`, and that each line survives reading
/// and writing unchanged.
pub fn stored<T: Serialize + DeserializeOwned>(name: &str, values: &[T]) {
    for line in sent(name, values).lines() {
        let value: T = serde_json::from_str(line).unwrap_or_else(|why| panic!("{name}: {line}: {why}"));
        assert_eq!(written(&value), line, "{name}: read and written again");
    }
}

/// Checks that values serialise to the lines of `tests/golden/name.jsonl`. Returns the text of the file.
pub fn sent<T: Serialize>(name: &str, values: &[T]) -> String {
    let lines: String = values.iter().map(|value| written(value) + "\n").collect();
    frozen(&format!("{name}.jsonl"), &lines)
}

/// Checks that `text` is the text of the file `tests/golden/name`. Returns it.
pub fn frozen(name: &str, text: &str) -> String {
    let file = files().join(name);
    if std::env::var_os("LINLI_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().expect("it is below tests/golden"))
            .expect("the folder can be made");
        std::fs::write(&file, text).expect("the file can be written");
    }
    let known = golden(name);
    for (index, (known, now)) in known.lines().zip(text.lines()).enumerate() {
        assert_eq!(now, known, "{name} line {}: what is stored or sent has changed", index + 1);
    }
    assert_eq!(text, known, "{name}: lines were added or removed");
    known
}

/// Returns the text of the file `tests/golden/name`.
///
/// # Panics
/// When the file cannot be read.
#[must_use]
pub fn golden(name: &str) -> String {
    let file = files().join(name);
    std::fs::read_to_string(&file)
        .unwrap_or_else(|why| panic!("{}: {why}; LINLI_BLESS=1 writes it", file.display()))
}

/// Checks that the folder `tests/golden/folder` has no other files than these, besides Rust sources and
/// folders.
pub fn only<N: AsRef<str>>(folder: &str, names: &[N]) {
    let folder = files().join(folder);
    for entry in std::fs::read_dir(&folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_known = name.ends_with(".rs") || names.iter().any(|known| known.as_ref() == name);
        assert!(is_known || path.is_dir(), "{}: no golden value is written to this file", path.display());
    }
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
