//! The rows: what is changed where. A row that no longer fits the sources is an error, not a survivor.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail, ensure};

/// The folder of the tables, relative to the root.
const FOLDER: &str = "xtask/mutants";

/// One wrong decision.
#[derive(Debug)]
pub struct Mutant {
    /// Its name: what goes wrong.
    pub name: String,
    /// What it is about, one word.
    pub kind: String,
    /// The source file, relative to the root.
    pub file: String,
    /// Why no test can notice it; it is not tried.
    pub equivalent: Option<String>,
    /// The text of the file.
    pub original: String,
    /// The text of the file with the change.
    pub changed: String,
}

/// Reads every table and puts each row into its source.
///
/// # Errors
/// Names every row that is malformed, not unique, or whose source text does not occur exactly once.
pub fn read(root: &Path) -> anyhow::Result<Vec<Mutant>> {
    let mut tables = std::fs::read_dir(root.join(FOLDER))?.collect::<Result<Vec<_>, _>>()?;
    tables.sort_by_key(std::fs::DirEntry::path);
    let (mut mutants, mut wrong) = (Vec::new(), Vec::new());
    for table in tables {
        let path = table.path();
        let text = std::fs::read_to_string(&path)?;
        let source = |file: &str| {
            std::fs::read_to_string(root.join(file)).with_context(|| format!("{file} cannot be read"))
        };
        for row in rows(&text, source).with_context(|| path.display().to_string())? {
            match row {
                Ok(mutant) => mutants.push(mutant),
                Err(error) => wrong.push(format!("{error:#}")),
            }
        }
    }
    let mut names = BTreeSet::new();
    let twice = mutants.iter().filter(|mutant| !names.insert(mutant.name.clone()));
    wrong.extend(twice.map(|mutant| format!("{}: the name stands twice", mutant.name)));
    ensure!(wrong.is_empty(), "rows of {FOLDER} to mend:\n  {}", wrong.join("\n  "));
    Ok(mutants)
}

/// The rows of one table, each put into its source.
fn rows(
    text: &str,
    source: impl Fn(&str) -> anyhow::Result<String>,
) -> anyhow::Result<Vec<anyhow::Result<Mutant>>> {
    let mut table: toml::Table = text.parse()?;
    let rows = table.remove("mutant").context("there is no [[mutant]]")?;
    ensure!(table.is_empty(), "only [[mutant]] stands in a table");
    let toml::Value::Array(rows) = rows else { bail!("mutant is a list: [[mutant]]") };
    Ok(rows.into_iter().map(|row| mutant(row, &source)).collect())
}

fn mutant(row: toml::Value, source: impl Fn(&str) -> anyhow::Result<String>) -> anyhow::Result<Mutant> {
    let toml::Value::Table(mut row) = row else { bail!("a row is a table: [[mutant]]") };
    let mut text = |key: &str| match row.remove(key) {
        Some(toml::Value::String(text)) => Ok(Some(text)),
        Some(_) => bail!("{key} is no text"),
        None => Ok(None),
    };
    let name = text("name")?.context("a row without a name")?;
    let mut needed = |key: &str| text(key)?.with_context(|| format!("{name}: {key} is missing"));
    let (kind, file) = (needed("kind")?, needed("file")?);
    let (from, to) = (needed("from")?, needed("to")?);
    let equivalent = text("equivalent")?;
    if let Some(unknown) = row.keys().next() {
        bail!("{name}: {unknown} is not known");
    }
    let original = source(&file).with_context(|| name.clone())?;
    let changed = changed(&original, &from, &to).with_context(|| format!("{name}: {file}"))?;
    Ok(Mutant { name, kind, file, equivalent, original, changed })
}

/// The text with `from`, which occurs exactly once, replaced by `to`.
fn changed(original: &str, from: &str, to: &str) -> anyhow::Result<String> {
    ensure!(from != to && !from.is_empty(), "nothing is changed");
    match original.matches(from).count() {
        1 => Ok(original.replacen(from, to, 1)),
        count => bail!("{from:?} must occur once, it occurs {count} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = "[[mutant]]\nname = 'n'\nkind = 'k'\nfile = 'f'\nfrom = 'b'\nto = 'c'\n";

    fn read_row(text: &str, source: &str) -> Result<Mutant, String> {
        let mut rows = rows(text, |_| Ok(source.to_owned())).expect("a table");
        rows.remove(0).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn every_row_fits_the_sources() {
        let mutants = read(&crate::root()).unwrap_or_else(|error| panic!("{error:#}"));
        assert!(mutants.len() >= 90, "{}", mutants.len());
        for mutant in &mutants {
            crate::mutants::suites::package(&mutant.file).expect("a crate whose tests are run");
        }
    }

    #[test]
    fn a_row_changes_its_place_and_nothing_else() {
        let mutant = read_row(ROW, "1b2").expect("a row");
        assert_eq!((mutant.original.as_str(), mutant.changed.as_str()), ("1b2", "1c2"));
        assert_eq!((mutant.name.as_str(), mutant.kind.as_str(), mutant.file.as_str()), ("n", "k", "f"));
    }

    #[test]
    fn a_row_that_does_not_fit_is_named() {
        for (source, told) in [("12", "occurs 0 times"), ("1bb", "occurs 2 times")] {
            let error = read_row(ROW, source).expect_err(source);
            assert!(error.starts_with("n: f") && error.contains(told), "{error}");
        }
        let same = ROW.replace("'c'", "'b'");
        assert!(read_row(&same, "1b2").expect_err("the same").contains("nothing is changed"));
    }

    #[test]
    fn a_malformed_row_is_told() {
        for (text, told) in [
            (ROW.replace("kind = 'k'\n", ""), "kind is missing"),
            (ROW.replace("name = 'n'\n", ""), "without a name"),
            (ROW.replace("'k'", "1"), "kind is no text"),
            (format!("{ROW}why = 'x'\n"), "why is not known"),
        ] {
            let error = read_row(&text, "1b2").expect_err(told);
            assert!(error.contains(told), "{error}");
        }
        assert!(rows("a = 1", |_| Ok(String::new())).is_err());
    }
}
