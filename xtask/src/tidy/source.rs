//! What the rules about modules need of Rust's text: code without comments, strings and tests, and the
//! paths that begin with `crate`, `super` or `self`.

use super::text;

/// A module of a crate: `["mode", "room"]`; the crate's root is empty.
pub type Module = Vec<String>;

/// The module a file below `src/` is, or `None` for files that are no module of the library or binary:
/// test modules and programs in `src/bin/`.
pub fn module_of(file: &str) -> Option<Module> {
    let mut module: Module = file.strip_suffix(".rs")?.split('/').map(str::to_owned).collect();
    if module.first().is_some_and(|first| first == "bin") || module.iter().any(|part| part == "tests") {
        return None;
    }
    let last = module.last().map(String::as_str)?;
    if last == "mod" || (module.len() == 1 && matches!(last, "lib" | "main")) {
        module.pop();
    }
    Some(module)
}

/// The module paths that a file of `module` names, each resolved from the crate's root. What a path ends
/// in may be an item: the caller cuts it down to a module.
pub fn paths(module: &Module, source: &str) -> Vec<Vec<String>> {
    let code = blank(text::before_tests(source));
    let words = words(&code);
    let mut found = Vec::new();
    let mut here = vec![(module.clone(), 0_usize)];
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        match *word {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if here.len() > 1 && here.last().is_some_and(|(_, opened)| depth < *opened) {
                    here.pop();
                }
            }
            "mod" if words.get(at + 2) == Some(&"{") => {
                let mut inner = here.last().map(|(module, _)| module.clone()).unwrap_or_default();
                inner.push(words[at + 1].to_owned());
                here.push((inner, depth + 1));
            }
            "crate" | "super" | "self"
                if words.get(at + 1) == Some(&"::") && (at == 0 || !matches!(words[at - 1], "::" | "$")) =>
            {
                let current = here.last().map(|(module, _)| module.as_slice()).unwrap_or_default();
                let (start, next) = start(current, &words, at);
                at = tree(&words, next, &start, &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Where a path begins: the module that `crate`, `self` or `super::super` means, and the next word.
fn start(current: &[String], words: &[&str], mut at: usize) -> (Module, usize) {
    let mut module = if words[at] == "crate" { Vec::new() } else { current.to_vec() };
    while matches!(words.get(at), Some(&("crate" | "self" | "super"))) {
        if words[at] == "super" {
            module.pop();
        }
        at += 1;
        if words.get(at) != Some(&"::") {
            break;
        }
        at += 1;
    }
    (module, at)
}

/// Reads `a::{b, c::d}` from `at`. Returns the position of its end.
fn tree(words: &[&str], mut at: usize, start: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = start.to_vec();
    while let Some(word) = words.get(at) {
        if *word == "{" {
            at += 1;
            while let Some(word) = words.get(at).filter(|word| **word != "}") {
                at = match *word {
                    "," => at + 1,
                    "as" => at + 2,
                    _ => tree(words, at, &path, found).max(at + 1),
                };
            }
            return at + 1;
        }
        if !word.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            break;
        }
        if *word != "self" {
            path.push((*word).to_owned());
        }
        at += 1;
        if words.get(at) != Some(&"::") {
            break;
        }
        at += 1;
    }
    found.push(path);
    at
}

/// Identifiers, `::`, and other characters one by one.
fn words(code: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let length = if is_name(first) {
            rest.find(|c| !is_name(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        words.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    words
}

/// The code with comments, strings and characters replaced by spaces; lines stay where they are.
fn blank(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let skipped = skipped(rest, code.chars().next_back());
        if skipped == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..skipped].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[skipped..];
        }
    }
    code
}

/// Returns the length in bytes of the comment, string or character literal at the beginning of `rest`, 0 for
/// code.
fn skipped(rest: &str, before: Option<char>) -> usize {
    let to_end =
        |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if rest.starts_with('"') {
        return quoted(rest);
    }
    let is_in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if let Some(raw) = rest.strip_prefix('r').filter(|_| !is_in_word) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            return to_end(&format!("\"{}", "#".repeat(hashes)), hashes + 2);
        }
    }
    if let Some(quote) = rest.strip_prefix('\'') {
        // A lifetime has no closing quote after one character.
        let mut characters = quote.char_indices();
        return match characters.next() {
            Some((_, '\\')) => quote[2..].find('\'').map_or(0, |at| 1 + 2 + at + 1),
            Some(_) => match characters.next() {
                Some((at, '\'')) => 1 + at + 1,
                _ => 0,
            },
            None => 0,
        };
    }
    0
}

/// Returns the length in bytes of a block comment, which may contain others.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn quoted(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(module: &str, source: &str, expect: &[&str]) {
        let module: Module = module.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let found: Vec<String> = paths(&module, source).iter().map(|path| path.join("::")).collect();
        assert_eq!(found, expect, "{source}");
    }

    #[test]
    fn paths_are_resolved_from_the_root() {
        check("a::b", "use crate::c::D;", &["c::D"]);
        check(
            "a::b",
            "use super::c::{self, D, e::{F, G}, *};",
            &["a::c", "a::c::D", "a::c::e::F", "a::c::e::G", "a::c"],
        );
        check("a::b", "use super::super::c::D as E;", &["c::D"]);
        check(
            "a::b",
            "use self::c::D; fn f() { crate::g::h(self::i()); }",
            &["a::b::c::D", "g::h", "a::b::i"],
        );
        check("a", "use crate::{b, c::D};", &["b", "c::D"]);
        check("a", "use std::fmt; use other::crate_name::x;", &[]);
        check("a", "mod inner { use super::b::C; }\nuse super::d::E;", &["a::b::C", "d::E"]);
    }

    #[test]
    fn comments_strings_and_tests_are_no_code() {
        check("a", "// use crate::b;\n/* crate::c /* crate::d */ crate::e */", &[]);
        check(
            "a",
            r####"const A: &str = "crate::b \" crate::c"; const B: &str = r#"crate::d " "#; crate::e();"####,
            &["e"],
        );
        check("a", "fn f<'a>(x: &'a str) -> char { '\"'; '\\''; crate::b::c(); 'x' }", &["b::c"]);
        check("a", "macro_rules! m { () => { $crate::b::c() } }", &[]);
        check("a", "fn f() {}\n#[cfg(test)]\nmod tests {\n use crate::b;\n}", &[]);
    }

    #[test]
    fn a_file_is_a_module() {
        let of = |file: &str| module_of(file).map(|module| module.join("::"));
        assert_eq!(of("lib.rs").as_deref(), Some(""));
        assert_eq!(of("mode/mod.rs").as_deref(), Some("mode"));
        assert_eq!(of("mode/room.rs").as_deref(), Some("mode::room"));
        assert_eq!(of("mode/main.rs").as_deref(), Some("mode::main"));
        assert_eq!((of("bin/bench.rs"), of("mode/tests.rs"), of("a.toml")), (None, None, None));
    }
}
