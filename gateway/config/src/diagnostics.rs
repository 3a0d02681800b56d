//! Collects the problems that a checker finds, each with its place in the file.

use linli_domain::Id;

use super::report::Problem;
use super::secret::Finding;
use super::text::{Document, Step, way};

/// Collects problems of one file.
pub struct Diagnostics<'n, 'a> {
    document: &'n Document<'a>,
    problems: &'n mut Vec<Problem>,
}

// === impl Diagnostics ===

impl<'n, 'a> Diagnostics<'n, 'a> {
    /// Starts an empty collection for one file.
    pub fn of(document: &'n Document<'a>, problems: &'n mut Vec<Problem>) -> Self {
        Self { document, problems }
    }

    /// Path of the file, relative to the configuration directory.
    pub const fn file(&self) -> &'n str
    where
        'a: 'n,
    {
        self.document.name
    }

    /// Records a problem at a key.
    pub fn wrong(&mut self, path: &[Step], message: impl Into<Finding>) {
        let Document { name, text, .. } = self.document;
        let Finding { why, is_kept } = message.into();
        let problem = Problem::at(name, text, self.document.place(path), way(path), why);
        self.problems.push(Problem { is_kept, ..problem });
    }

    /// Records a problem of another file.
    pub fn add(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Number of problems recorded so far, in all files.
    pub const fn count(&self) -> usize {
        self.problems.len()
    }

    /// Parses an id; records a problem and returns `None` when it is not valid.
    pub fn id(&mut self, path: &[Step], text: &str) -> Option<Id> {
        match Id::new(text) {
            Ok(id) => Some(id),
            Err(error) => {
                self.wrong(path, format!("{text:?} {error}"));
                None
            }
        }
    }
}

/// Builds a path of keys.
pub fn keys(keys: &[&str]) -> Vec<Step> {
    keys.iter().map(|key| Step::Key((*key).to_owned())).collect()
}

/// Builds the path to a key of the nth table of an array.
pub fn nth(array: &str, index: usize, key: &str) -> Vec<Step> {
    let mut path = vec![Step::Key(array.to_owned()), Step::Index(index)];
    if !key.is_empty() {
        path.push(Step::Key(key.to_owned()));
    }
    path
}
