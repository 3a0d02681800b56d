//! Rules about whole crates: how large one may be, and that services do not know each other.

use std::collections::BTreeMap;

use super::{File, source, text};

/// Largest number of lines in a crate's `src`, without tests. Smaller crates compile in parallel and are
/// easier to know.
const MOST_LINES: usize = 12_000;

/// Crates that are still larger.
const ACCEPTED: [&str; 0] = [];

/// The crate of the services: one folder each.
const SERVICES: &str = "gateway/services/src/";

/// Checks every crate.
pub fn check(files: &[File]) -> Vec<String> {
    let mut problems = sizes(files, &ACCEPTED);
    problems.extend(siblings(files));
    problems
}

fn sizes(files: &[File], accepted: &[&str]) -> Vec<String> {
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for file in files.iter().filter(|file| text::is_rust(file) && !file.is_test) {
        let path = file.path.to_string_lossy();
        let Some((folder, inner)) = path.split_once("/src/") else { continue };
        if source::module_of(inner).is_some() {
            *lines.entry(folder.to_owned()).or_default() += text::code_lines(&file.text);
        }
    }
    let problem =
        |(folder, lines): (&String, &usize)| match (*lines > MOST_LINES, accepted.contains(&folder.as_str()))
        {
            (true, false) => {
                Some(format!("{folder}/src: {lines} lines, at most {MOST_LINES}: split the crate"))
            }
            (false, true) => {
                Some(format!("{folder}/src: {lines} lines; strike it from ACCEPTED (crates.rs)"))
            }
            _ => None,
        };
    lines.iter().filter_map(problem).collect()
}

/// Checks that no service names the module of another service: it receives handles when it starts.
fn siblings(files: &[File]) -> Vec<String> {
    let inner = |file: &File| file.path.to_str()?.strip_prefix(SERVICES).map(str::to_owned);
    let services: Vec<String> = files
        .iter()
        .filter_map(|file| Some(inner(file)?.split_once('/')?.0.to_owned()))
        .filter(|folder| folder != "bin")
        .collect();
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| !file.is_test) {
        let Some(module) = inner(file).and_then(|path| source::module_of(&path)) else { continue };
        let Some(own) = module.first().filter(|first| services.contains(first)) else { continue };
        let named = source::paths(&module, &file.text);
        for other in named.iter().filter_map(|path| path.first()).filter(|first| services.contains(first)) {
            if other != own {
                problems.push(format!(
                    "{}: the service {own} names crate::{other}; it gets a handle when it starts",
                    file.path.display()
                ));
            }
        }
    }
    problems.dedup();
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.to_owned(), is_test: false }
    }

    #[test]
    fn a_crate_that_is_too_large_is_found() {
        let half = "x\n".repeat(MOST_LINES / 2);
        let tests = format!("{half}#[cfg(test)]\nmod tests {{\n{half}}}\n");
        let fits = [file("c/src/lib.rs", &half), file("c/src/a/b.rs", &tests), file("c/tests/t.rs", &half)];
        assert_eq!(sizes(&fits, &[]), Vec::<String>::new());
        assert_eq!(sizes(&fits, &["c"]), ["c/src: 12000 lines; strike it from ACCEPTED (crates.rs)"]);
        let large = [file("c/src/lib.rs", &half), file("c/src/a.rs", &half), file("c/src/b.rs", "x\n")];
        assert_eq!(sizes(&large, &[]), ["c/src: 12001 lines, at most 12000: split the crate"]);
        assert_eq!(sizes(&large, &["c"]), Vec::<String>::new());
    }

    #[test]
    fn a_service_that_names_a_sibling_is_found() {
        let good = [
            file("gateway/services/src/lib.rs", "pub mod alarms; pub use crate::alarms::X;"),
            file("gateway/services/src/error.rs", ""),
            file("gateway/services/src/alarms/mod.rs", "use crate::error::Error; use crate::alarms::X;"),
            file(
                "gateway/services/src/mode/service.rs",
                "use super::record::R; use linli_domain::alarms::A;",
            ),
            file("gateway/app/src/lib.rs", "use crate::alarms::A;"),
        ];
        assert_eq!(siblings(&good), Vec::<String>::new());
        let bad = "fn f() { crate::alarms::g(); super::super::alarms::h() }";
        let tree = [
            file("gateway/services/src/alarms/mod.rs", ""),
            file("gateway/services/src/mode/service.rs", bad),
        ];
        assert_eq!(
            siblings(&tree),
            [
                "gateway/services/src/mode/service.rs: the service mode names crate::alarms; it gets a handle when it starts"
            ]
        );
    }
}
