//! Golden files: read, compare, and written anew when `LINLI_BLESS=1` asks for it.

use std::path::{Path, PathBuf};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// The text of a golden file. A missing one fails.
pub fn golden(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|e| panic!("golden file {name}: {e}"))
}

/// Fails unless the golden file is exactly `text`; writes it instead when asked to.
pub fn compare(name: &str, text: &str) {
    if std::env::var_os("LINLI_BLESS").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
        std::fs::write(path(name), text).unwrap();
        return;
    }
    let frozen = golden(name);
    for (number, (frozen, now)) in (1..).zip(frozen.lines().zip(text.lines())) {
        assert_eq!(frozen, now, "{name}:{number}");
    }
    assert_eq!(frozen, text, "{name}: lines were added or removed");
}

/// Fails if there are golden files that nothing wrote.
pub fn nothing_else(names: &[&str]) {
    for entry in std::fs::read_dir(path("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.ends_with(".rs") || names.contains(&name.as_str()), "{name} belongs to no form");
    }
}
