//! The highest accepted numbers of orders, and the time that this gateway has reached, in a file beside
//! the database: a new or restored database forgets neither.

use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use linli_domain::Timestamp;
use linli_domain::audit::hex;
use linli_mode::order::{Numbers, Series};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// The only version.
const VERSION: u8 = 1;

/// The file.
#[derive(Debug, Clone)]
pub struct OrderNumbersFile(PathBuf);

/// What the file contains: one line of JSON, then its SHA-256 in hexadecimal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderNumbers {
    /// Version of this form.
    pub v: u8,
    /// The highest accepted number of each series.
    pub numbers: Numbers,
    /// Whether earlier numbers were lost: a series without a number is unknown then.
    #[serde(default)]
    pub is_lost: bool,
    /// The highest time of a clock that was synchronised.
    pub trusted: Timestamp,
    /// The earliest time that it could be when this was written.
    pub reached: Timestamp,
}

// === impl OrderNumbersFile ===

impl OrderNumbersFile {
    /// The file beside a database: `linli.db.orders` beside `linli.db`.
    #[must_use]
    pub fn beside(database: &Path) -> Self {
        let mut name = database.as_os_str().to_owned();
        name.push(".orders");
        Self(name.into())
    }

    /// Reads it. A missing or damaged one is none; damage is logged.
    pub fn read(&self) -> Option<OrderNumbers> {
        let text = match std::fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::error!(file = %self.0.display(), %error, "the numbers of orders cannot be read");
                return None;
            }
        };
        let found = OrderNumbers::parse(&text);
        if found.is_none() {
            tracing::error!(file = %self.0.display(), "the numbers of orders are damaged and do not count");
        }
        found
    }

    /// Replaces it; the old or the new content is on the disk when this returns, readable by its owner
    /// only.
    ///
    /// # Errors
    /// When it cannot be written; the old content is then untouched.
    pub fn write(&self, numbers: &OrderNumbers) -> io::Result<()> {
        let dir = self.0.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut fresh = tempfile::Builder::new().prefix(".linli-").tempfile_in(dir)?;
        fresh.write_all(numbers.text().as_bytes())?;
        // Whoever commissions may be root; the gateway is the owner of its directory.
        let (owner, ours) = (std::fs::metadata(dir)?, fresh.as_file().metadata()?);
        if owner.uid() != ours.uid() {
            std::os::unix::fs::fchown(fresh.as_file(), Some(owner.uid()), Some(owner.gid()))?;
        }
        fresh.as_file().sync_all()?;
        fresh.persist(&self.0).map_err(|error| error.error)?;
        std::fs::File::open(dir)?.sync_all()
    }
}

/// Marks a new gateway: no order was accepted here yet, and those of the district are numbered from above
/// `above`. Without this mark the first order of each authority and class needs two people on the
/// spot, as after a loss.
///
/// # Errors
/// When this gateway has run before, or the mark cannot be written.
pub fn commission(database: &Path, above: u64) -> anyhow::Result<()> {
    let file = OrderNumbersFile::beside(database);
    for path in [&file.0, &database.to_owned()] {
        anyhow::ensure!(
            !path.exists(),
            "{} exists: this gateway has run before. If it lost its numbers, two people on the spot confirm the \
             next order",
            path.display()
        );
    }
    let dir = database.parent().context("the database has no directory")?;
    std::fs::create_dir_all(dir).with_context(|| format!("{} cannot be created", dir.display()))?;
    let of_district = Series::EACH.into_iter().filter(|series| series.to_string().starts_with("district"));
    let numbers = of_district.filter(|_| above > 0).map(|series| (series, above)).collect();
    let mark = OrderNumbers { numbers, ..OrderNumbers::new() };
    file.write(&mark).with_context(|| format!("{} cannot be written", file.0.display()))
}

// === impl OrderNumbers ===

impl OrderNumbers {
    /// Without any number.
    #[must_use]
    pub fn new() -> Self {
        Self { v: VERSION, ..Self::default() }
    }

    fn text(&self) -> String {
        let body = serde_json::to_string(self).expect("numbers are made of JSON values");
        let sum = hex(digest(&SHA256, body.as_bytes()).as_ref());
        format!("{body}\n{sum}\n")
    }

    fn parse(text: &str) -> Option<Self> {
        let (body, sum) = text.strip_suffix('\n')?.split_once('\n')?;
        let is_whole = hex(digest(&SHA256, body.as_bytes()).as_ref()) == sum;
        let found: Self = serde_json::from_str(body).ok().filter(|_| is_whole)?;
        (found.v == VERSION).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn numbers() -> OrderNumbers {
        let numbers = Series::EACH.map(|series| (series, 117)).into();
        OrderNumbers { numbers, trusted: Timestamp(7), reached: Timestamp(9), ..OrderNumbers::new() }
    }

    #[test]
    fn the_numbers_survive_and_what_is_damaged_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("linli.db");
        let file = OrderNumbersFile::beside(&database);
        assert_eq!(file.read(), None);
        file.write(&OrderNumbers::new()).unwrap();
        file.write(&numbers()).unwrap();
        assert_eq!(file.read(), Some(numbers()));
        let path = dir.path().join("linli.db.orders");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        let text = std::fs::read_to_string(&path).unwrap();
        linli_golden::frozen("mode/order_numbers.txt", &text);
        for damaged in [text.replacen("117", "1", 1), text[..text.len() - 1].to_owned(), String::new()] {
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(file.read(), None);
        }
    }

    #[test]
    fn only_a_new_gateway_is_commissioned() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("data/linli.db");
        commission(&database, 5_000_000).unwrap();
        let found = OrderNumbersFile::beside(&database).read().unwrap();
        let numbers: Vec<String> =
            found.numbers.iter().map(|(of, number)| format!("{of} {number}")).collect();
        assert_eq!(numbers, ["district.Exercise 5000000", "district.Actual 5000000"]);
        assert!(commission(&database, 0).unwrap_err().to_string().contains("has run before"));
        std::fs::remove_file(dir.path().join("data/linli.db.orders")).unwrap();
        std::fs::write(&database, b"").unwrap();
        assert!(commission(&database, 0).is_err(), "its numbers were lost");
    }
}
