//! Rules about the text of files.

use std::path::{Component, Path, PathBuf};

use super::File;

/// Longest file without its tests; a flat table may say `// tidy: table`.
const LONGEST_FILE: usize = 700;

/// Longest function.
const LONGEST_FUNCTION: usize = 70;

/// Longest `main.rs`.
const LONGEST_MAIN: usize = 80;

/// Whether it is Rust of ours.
pub fn is_rust(file: &File) -> bool {
    file.path.extension().is_some_and(|ending| ending == "rs")
}

/// Lines before the tests.
pub fn code_lines(text: &str) -> usize {
    before_tests(text).lines().count()
}

/// The text before `mod tests`.
pub fn before_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod tests").map_or(text, |at| &text[..at])
}

/// Every rule on one file.
pub fn check(file: &File) -> Vec<String> {
    let mut problems = forbidden(file);
    if !is_rust(file) {
        return problems;
    }
    let name = file.path.display();
    let code = before_tests(&file.text);
    let lines = code_lines(&file.text);
    let is_table = file.text.contains("// tidy: table");
    if !file.text.starts_with("//!") {
        problems.push(format!("{name}:1: a module begins with //! and says why it exists"));
    }
    if lines > LONGEST_FILE && !is_table {
        problems.push(format!("{name}: {lines} lines, at most {LONGEST_FILE}: split it by idea"));
    }
    if file.path.ends_with("main.rs") && lines > LONGEST_MAIN {
        problems.push(format!("{name}: {lines} lines, a main.rs has at most {LONGEST_MAIN}"));
    }
    for (number, line) in code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
        let at = number + 1;
        if !file.is_test && line.contains(concat!(".unwrap", "()")) {
            problems.push(format!("{name}:{at}: unwrap outside tests; use expect with the reason"));
        }
        if line.contains(concat!("unbounded", "_channel")) {
            problems.push(format!("{name}:{at}: every queue has a bound"));
        }
    }
    if !is_table {
        problems.extend(long_functions(file));
    }
    problems
}

/// Marks the files that are tests: those below `tests`, and those that a `mod` declares for tests only,
/// with everything below them.
pub fn mark_tests(files: &mut [File]) {
    let mut declared = Vec::new();
    for file in files.iter().filter(|file| is_rust(file)) {
        let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
        for pair in lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]") {
            let name = pair[1].rsplit_once("mod ").and_then(|(_, name)| name.strip_suffix(';'));
            declared.extend(name.map(|name| modules_of(&file.path).join(name)));
        }
    }
    for file in files {
        let is_below =
            |module: &PathBuf| file.path.starts_with(module) || file.path == module.with_extension("rs");
        file.is_test = file.path.components().any(|c| c == Component::Normal("tests".as_ref()))
            || declared.iter().any(is_below);
    }
}

/// The folder of the modules that a file declares.
fn modules_of(path: &Path) -> PathBuf {
    match path.file_stem().and_then(|stem| stem.to_str()) {
        Some("mod" | "lib" | "main") | None => path.parent().unwrap_or(Path::new("")).to_owned(),
        Some(_) => path.with_extension(""),
    }
}

/// Functions whose braces span too many lines. A line that ends in `{` after `fn` begins one.
fn long_functions(file: &File) -> Vec<String> {
    let mut problems = Vec::new();
    let lines: Vec<&str> = file.text.lines().collect();
    for (start, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let begins = [
            "fn ",
            "pub fn ",
            "async fn ",
            "pub async fn ",
            "pub(crate) fn ",
            "pub(super) fn ",
            "const fn ",
            "pub const fn ",
            "pub(crate) async fn ",
            "pub(super) async fn ",
        ];
        // A signature that ends here has no body: a trait's method.
        if !begins.iter().any(|word| trimmed.starts_with(word)) || trimmed.ends_with(';') {
            continue;
        }
        let indent = line.len() - trimmed.len();
        // rustfmt closes a function at the indentation where it began.
        let closing = format!("{}}}", " ".repeat(indent));
        let end = lines[start..].iter().position(|l| **l == closing).map_or(0, |length| length + 1);
        if end > LONGEST_FUNCTION {
            let name = file.path.display();
            problems
                .push(format!("{name}:{}: a function of {end} lines, at most {LONGEST_FUNCTION}", start + 1));
        }
    }
    problems
}

/// Words that must not stand in the project: addresses of registries and paths of a machine.
fn forbidden(file: &File) -> Vec<String> {
    // A lock file names its sources.
    if file.path.ends_with("Cargo.lock") {
        return Vec::new();
    }
    let words = [
        concat!("crates", ".io"),
        concat!("pypi", ".org"),
        concat!("npmjs", ".org"),
        concat!("deb.debian", ".org"),
        concat!("/wo", "rk/"),
    ];
    let found = file.text.lines().enumerate().filter_map(|(number, line)| {
        let word = words.iter().find(|word| line.contains(**word))?;
        Some(format!("{}:{}: {word:?} must not stand in the project", file.path.display(), number + 1))
    });
    found.collect()
}

/// Rust files that no `mod` declares.
pub fn dead_files(files: &[File]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| is_rust(file)) {
        let Some(stem) = file.path.file_stem().map(|s| s.to_string_lossy().into_owned()) else { continue };
        let roots = ["main", "lib", "build"];
        let folder = file.path.parent().unwrap_or(Path::new(""));
        let is_root = roots.contains(&stem.as_str())
            || ["tests", "examples", "benches", "bin", "fuzz_targets"].iter().any(|f| folder.ends_with(f));
        if is_root {
            continue;
        }
        let (name, parents) = declared_in(folder, &stem);
        let declared = files
            .iter()
            .filter(|f| parents.contains(&f.path))
            .any(|f| f.text.lines().map(str::trim).any(|l| l.ends_with(&format!("mod {name};"))));
        if !declared {
            problems.push(format!("{}: no module declares it", file.path.display()));
        }
    }
    problems
}

/// The module's name, and the files that may declare it.
fn declared_in(folder: &Path, stem: &str) -> (String, Vec<PathBuf>) {
    let (name, folder) = if stem == "mod" {
        let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        (name, folder.parent().unwrap_or(Path::new("")).to_owned())
    } else {
        (stem.to_owned(), folder.to_owned())
    };
    let mut parents: Vec<PathBuf> = ["lib.rs", "main.rs", "mod.rs"].iter().map(|f| folder.join(f)).collect();
    parents.push(folder.with_extension("rs"));
    // Support modules of integration tests are declared by the tests beside them.
    parents.extend(["outbox.rs", "journal.rs", "crash.rs", "limits.rs"].iter().map(|f| folder.join(f)));
    (name, parents)
}

/// Links in Markdown to files that are not there.
pub fn links(root: &Path, file: &File) -> Vec<String> {
    if file.path.extension().is_none_or(|ending| ending != "md") {
        return Vec::new();
    }
    let folder = file.path.parent().unwrap_or(Path::new(""));
    let targets = file.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local = targets.filter(|t| !t.contains("://") && !t.starts_with('#') && !t.starts_with("mailto:"));
    local
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !root.join(folder).join(target).exists())
        .map(|target| format!("{}: links to {target}, which is not there", file.path.display()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: PathBuf::from(path), text: text.to_owned(), is_test: false }
    }

    fn check_one(path: &str, text: &str, expect: &str) {
        let problems = check(&file(path, text)).join("\n");
        assert!(problems.contains(expect), "{expect:?} not in {problems:?}");
    }

    #[test]
    fn each_rule_finds_what_breaks_it() {
        assert_eq!(check(&file("src/a.rs", "//! Why.\nfn a() {}\n")), Vec::<String>::new());
        check_one("src/a.rs", "fn a() {}\n", "says why it exists");
        check_one("src/a.rs", &format!("//! Why.\n{}", "x\n".repeat(701)), "split it by idea");
        check_one("src/main.rs", &format!("//! Why.\n{}", "x\n".repeat(81)), "a main.rs has at most");
        check_one("src/a.rs", concat!("//! Why.\nlet a = b.unwrap", "();\n"), "unwrap outside tests");
        check_one(
            "src/a.rs",
            concat!("//! Why.\nmpsc::unbounded", "_channel()\n"),
            "every queue has a bound",
        );
        check_one(
            "src/a.rs",
            &format!("//! Why.\nfn a() {{\n{}}}\n", "    x;\n".repeat(70)),
            "a function of 72 lines",
        );
        check_one("README.md", concat!("see crates", ".io"), "must not stand");
        let table = format!("//! Why.\n// tidy: table\n{}", "x\n".repeat(900));
        assert_eq!(check(&file("src/a.rs", &table)), Vec::<String>::new());
    }

    #[test]
    fn a_file_that_nobody_declares_is_dead() {
        let files = [
            file("c/src/lib.rs", "mod a;\nmod b;\n"),
            file("c/src/a.rs", ""),
            file("c/src/b/mod.rs", "pub(crate) mod d;\n"),
            file("c/src/b/d.rs", ""),
            file("c/src/e.rs", ""),
        ];
        assert_eq!(dead_files(&files), ["c/src/e.rs: no module declares it"]);
    }

    #[test]
    fn modules_for_tests_only_are_tests() {
        let mut files = [
            file("c/src/lib.rs", "#[cfg(test)]\npub(crate) mod golden;\nmod a;\n"),
            file("c/src/golden/mod.rs", "mod site;\n"),
            file("c/src/golden/site.rs", ""),
            file("c/src/a.rs", "#[cfg(test)]\nmod b;\n"),
            file("c/src/a/b.rs", ""),
            file("c/tests/d.rs", ""),
        ];
        mark_tests(&mut files);
        assert_eq!(files.map(|file| file.is_test), [false, true, true, false, true, true]);
    }

    #[test]
    fn a_link_to_nothing_is_found() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("there.md"), "").unwrap();
        let text = "[a](there.md) [b](gone.md) [c](https://example.org) [d](there.md#part)";
        assert_eq!(links(dir.path(), &file("x.md", text)), ["x.md: links to gone.md, which is not there"]);
    }
}
