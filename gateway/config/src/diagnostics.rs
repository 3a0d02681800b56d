//! Where a checker writes down what is wrong, each with its place.

use linli_domain::Id;

use super::report::Problem;
use super::text::{Document, Step, way};

/// Collects problems of one file.
pub struct Diagnostics<'n, 'a> {
    document: &'n Document<'a>,
    problems: &'n mut Vec<Problem>,
}

// === impl Diagnostics ===

impl<'n, 'a> Diagnostics<'n, 'a> {
    /// Diagnostics on one file.
    pub fn of(document: &'n Document<'a>, problems: &'n mut Vec<Problem>) -> Self {
        Self { document, problems }
    }

    /// The file's name.
    pub const fn file(&self) -> &'n str
    where
        'a: 'n,
    {
        self.document.name
    }

    /// Something is wrong at that key.
    pub fn wrong(&mut self, path: &[Step], message: impl Into<String>) {
        let Document { name, text, .. } = self.document;
        self.problems.push(Problem::at(name, text, self.document.place(path), way(path), message));
    }

    /// An id, or a note of what is wrong with it.
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

/// A path of keys.
pub fn keys(keys: &[&str]) -> Vec<Step> {
    keys.iter().map(|key| Step::Key((*key).to_owned())).collect()
}

/// The path to a key of the nth table of an array.
pub fn nth(array: &str, index: usize, key: &str) -> Vec<Step> {
    let mut path = vec![Step::Key(array.to_owned()), Step::Index(index)];
    if !key.is_empty() {
        path.push(Step::Key(key.to_owned()));
    }
    path
}
