//! What is built for people has no crate that is left unoptimised for the sake of a quick build.

use std::collections::BTreeSet;
use std::path::Path;

use super::File;

/// Returns a problem for each crate that `release` leaves unoptimised and `dist` inherits as it is.
pub fn check(files: &[File]) -> Vec<String> {
    let Some(manifest) = files.iter().find(|file| file.path == Path::new("Cargo.toml")) else {
        return Vec::new();
    };
    let shipped = unoptimised_or_not(&manifest.text, "[profile.dist.package]", false);
    let problem = |name: &&str| {
        format!(
            "Cargo.toml: {name} has opt-level = 0 in [profile.release.package]: set it in [profile.dist.package] too"
        )
    };
    unoptimised_or_not(&manifest.text, "[profile.release.package]", true)
        .difference(&shipped)
        .map(problem)
        .collect()
}

/// Returns the crates of a table with `opt-level = 0`, or those with another one.
fn unoptimised_or_not<'t>(text: &'t str, table: &str, is_unoptimised: bool) -> BTreeSet<&'t str> {
    let rows =
        text.lines().skip_while(|line| *line != table).skip(1).take_while(|line| !line.starts_with('['));
    rows.filter_map(|line| line.split_once(" = "))
        .filter(|(_, settings)| settings.contains("opt-level = 0") == is_unoptimised)
        .map(|(name, _)| name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_left_unoptimised_is_not_shipped() {
        let manifest = |dist: &str| {
            let text = format!(
                "[profile.release.package]\nquick = {{ opt-level = 0 }}\nfast = {{ opt-level = 3 }}\n\n\
                 [profile.dist.package]\n{dist}\n"
            );
            [File { path: "Cargo.toml".into(), text, is_test: false }]
        };
        let problems = check(&manifest("fast = { opt-level = \"s\" }"));
        assert!(matches!(problems.as_slice(), [one] if one.contains("quick")), "{problems:?}");
        assert_eq!(check(&manifest("quick = { opt-level = 0 }")).len(), 1);
        assert!(check(&manifest("quick = { opt-level = \"s\" }")).is_empty());
    }
}
