//! Modules that import one another in a circle: none of them can be read, tested or moved alone.
//!
//! A module and its parent may use each other: a parent's file often is the place of what its parts
//! share. Every longer circle, and one of two modules that are no parent and child, is refused.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::File;
use super::source::{self, Module};

/// Crates whose circles are still accepted, each with the number of modules in circles. The number may only
/// decrease; a row with zero is removed.
const ACCEPTED: [(&str, usize); 0] = [];

/// The modules that each module imports.
type Imports = BTreeMap<Module, BTreeSet<Module>>;

/// Checks every crate for circles.
pub fn check(files: &[File]) -> Vec<String> {
    check_except(files, &ACCEPTED)
}

fn check_except(files: &[File], accepted: &[(&str, usize)]) -> Vec<String> {
    let mut problems = Vec::new();
    for (folder, imports) in crates(files) {
        let circles = circles(&imports);
        let modules: usize = circles.iter().map(|circle| circle.modules).sum();
        let limit = accepted.iter().find(|(known, _)| *known == folder).map_or(0, |(_, limit)| *limit);
        if modules > limit {
            problems.extend(circles.iter().map(|circle| circle.say(&folder)));
        } else if modules < limit {
            problems.push(format!(
                "{folder}: {modules} modules are in import circles; lower {limit} to that in ACCEPTED \
                 (xtask/src/tidy/circles.rs)"
            ));
        }
    }
    problems
}

/// Returns the imports of every crate by its folder, the part of the path before `/src/`. Modules for tests
/// are left out.
fn crates(files: &[File]) -> BTreeMap<String, Imports> {
    let mut sources: BTreeMap<String, Vec<(Module, &str)>> = BTreeMap::new();
    for file in files.iter().filter(|file| !file.is_test) {
        let path = file.path.to_string_lossy();
        let Some((folder, inner)) = path.split_once("/src/") else { continue };
        if let Some(module) = source::module_of(inner) {
            sources.entry(folder.to_owned()).or_default().push((module, &file.text));
        }
    }
    sources.into_iter().map(|(folder, sources)| (folder, imports(&sources))).collect()
}

fn imports(sources: &[(Module, &str)]) -> Imports {
    let known: BTreeSet<&Module> = sources.iter().map(|(module, _)| module).collect();
    let mut imports = Imports::new();
    for (module, text) in sources {
        let targets = source::paths(module, text).into_iter().filter_map(|mut path| {
            while !known.contains(&path) {
                path.pop()?;
            }
            Some(path)
        });
        imports.entry(module.clone()).or_default().extend(targets.filter(|target| target != module));
    }
    imports
}

/// A strongly connected group of modules.
struct Circle {
    /// Number of its modules.
    modules: usize,
    /// Shortest forbidden circle in it.
    shortest: Vec<Module>,
}

impl Circle {
    fn say(&self, folder: &str) -> String {
        let name = |module: &Module| if module.is_empty() { "crate".to_owned() } else { module.join("::") };
        let first = self.shortest.first().map(name).unwrap_or_default();
        let way: Vec<String> = self.shortest.iter().map(name).chain([first]).collect();
        format!("{folder}/src: {} modules import one another in a circle: {}", self.modules, way.join(" -> "))
    }
}

fn circles(imports: &Imports) -> Vec<Circle> {
    let mut circles: Vec<Circle> = Vec::new();
    let mut seen: BTreeSet<&Module> = BTreeSet::new();
    for module in imports.keys() {
        if seen.contains(module) {
            continue;
        }
        let knot: BTreeSet<&Module> =
            reached(imports, module).into_iter().filter(|m| reached(imports, m).contains(module)).collect();
        seen.extend(&knot);
        let ways = knot.iter().filter_map(|from| way_round(imports, from));
        if let Some(shortest) = ways.min_by_key(Vec::len) {
            circles.push(Circle { modules: knot.len(), shortest });
        }
    }
    circles
}

fn reached<'a>(imports: &'a Imports, from: &Module) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Module> = imports.get(from).into_iter().flatten().collect();
    while let Some(module) = open.pop() {
        if reached.insert(module) {
            open.extend(imports.get(module).into_iter().flatten());
        }
    }
    reached
}

/// The shortest circle through `from` that is more than a module and its parent.
fn way_round(imports: &Imports, from: &Module) -> Option<Vec<Module>> {
    let firsts = imports.get(from)?.iter();
    firsts.filter_map(|first| way_back(imports, from, first)).min_by_key(Vec::len)
}

/// Returns the shortest path from `from` over `first` back to `from`, breadth first; a parent and its child
/// alone are no circle.
fn way_back(imports: &Imports, from: &Module, first: &Module) -> Option<Vec<Module>> {
    let is_family = is_parent(from, first) || is_parent(first, from);
    let mut open = VecDeque::from([vec![from.clone(), first.clone()]]);
    let mut seen = BTreeSet::from([first.clone()]);
    while let Some(way) = open.pop_front() {
        for next in way.last().and_then(|last| imports.get(last)).into_iter().flatten() {
            if next == from && !(way.len() == 2 && is_family) {
                return Some(way);
            }
            if next != from && seen.insert(next.clone()) {
                open.push_back(way.iter().chain([next]).cloned().collect());
            }
        }
    }
    None
}

fn is_parent(parent: &Module, child: &Module) -> bool {
    child.len() == parent.len() + 1 && child.starts_with(parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Vec<File> {
        files
            .iter()
            .map(|(path, text)| File { path: path.into(), text: (*text).to_owned(), is_test: false })
            .collect()
    }

    #[test]
    fn a_circle_is_shown_as_a_way_round() {
        let two = tree(&[
            ("c/src/lib.rs", "mod a; mod b;"),
            ("c/src/a.rs", "use crate::b::B;"),
            ("c/src/b.rs", "use crate::a::A;"),
        ]);
        assert_eq!(check_except(&two, &[]), ["c/src: 2 modules import one another in a circle: a -> b -> a"]);
        let three = tree(&[
            ("c/src/m/mod.rs", "use self::a::A;"),
            ("c/src/m/a.rs", "fn f() { super::b::g() }"),
            ("c/src/m/b.rs", "use super::M;"),
        ]);
        assert_eq!(
            check_except(&three, &[]),
            ["c/src: 3 modules import one another in a circle: m -> m::a -> m::b -> m"]
        );
    }

    #[test]
    fn a_module_and_its_parent_may_use_each_other() {
        let family = tree(&[
            ("c/src/m/mod.rs", "use self::a::A; use self::b::B;"),
            ("c/src/m/a.rs", "use super::M;"),
            ("c/src/m/b.rs", "use super::M; use crate::o::O;"),
            ("c/src/o.rs", "//! crate::m\n#[cfg(test)]\nmod tests { use crate::m::M; }"),
        ]);
        assert_eq!(check_except(&family, &[]), Vec::<String>::new());
    }

    #[test]
    fn a_circle_through_a_test_module_does_not_count() {
        let mut files = tree(&[
            ("c/src/a.rs", "use crate::b::B;"),
            ("c/src/b.rs", "use crate::golden::values;"),
            ("c/src/golden.rs", "use crate::a::A;"),
        ]);
        assert_eq!(check_except(&files, &[]).len(), 1);
        files[2].is_test = true;
        assert_eq!(check_except(&files, &[]), Vec::<String>::new());
    }

    #[test]
    fn what_is_accepted_may_only_shrink() {
        let two = tree(&[("c/src/a.rs", "use crate::b::B;"), ("c/src/b.rs", "use crate::a::A;")]);
        assert_eq!(check_except(&two, &[("c", 2)]), Vec::<String>::new());
        assert_eq!(check_except(&two, &[("c", 1)]).len(), 1);
        assert!(check_except(&two, &[("c", 3)])[0].contains("lower 3"));
    }
}
