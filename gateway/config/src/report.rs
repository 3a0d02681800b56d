//! The problems of a configuration, each with its place and how to correct it.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Path of the file, relative to the configuration directory.
    pub file: String,
    /// Line, from one; zero when the file itself is the problem.
    pub line: usize,
    /// Column, from one.
    pub column: usize,
    /// The key, such as `device[3].poll`.
    pub key: String,
    /// What is wrong, and how to correct it.
    pub message: String,
    /// Text of the line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Number of characters to underline.
    #[serde(skip)]
    pub width: u32,
    /// Whether nothing is wrong but that the file belongs to the gateway's user, and is kept from whoever asks.
    #[serde(skip)]
    pub is_kept: bool,
}

/// All problems, sorted by file and line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Never empty.
    pub problems: Vec<Problem>,
}

// === impl Problem ===

impl Problem {
    /// Makes a problem at a place in a file.
    pub fn at(file: &str, text: &str, place: Range<usize>, key: String, message: impl Into<String>) -> Self {
        let mut start = place.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let source = text[line_start..].lines().next().unwrap_or_default().to_owned();
        let column = text[line_start..start].chars().count() + 1;
        let length = text
            .get(start..place.end.min(text.len()))
            .map_or(1, |part| part.lines().next().unwrap_or_default().chars().count());
        Self {
            file: file.to_owned(),
            line: text[..line_start].matches('\n').count() + 1,
            column,
            key,
            message: message.into(),
            source,
            width: u32::try_from(length.max(1)).unwrap_or(u32::MAX),
            is_kept: false,
        }
    }

    /// Makes a problem that concerns a whole file.
    pub fn file(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: 0,
            column: 0,
            key: String::new(),
            message: message.into(),
            source: String::new(),
            width: 0,
            is_kept: false,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = if self.key.is_empty() { String::new() } else { format!("{}: ", self.key) };
        if self.line == 0 {
            return write!(f, "{}: {key}{}", self.file, self.message);
        }
        write!(f, "{}:{}:{}: {key}{}", self.file, self.line, self.column, self.message)?;
        if !self.source.trim().is_empty() {
            let pad = " ".repeat(self.column - 1);
            write!(f, "\n    {}\n    {pad}{}", self.source, "^".repeat(self.width.min(60) as usize))?;
        }
        Ok(())
    }
}

// === impl Report ===

impl Report {
    /// Sorts the problems and removes duplicates; `None` when there are none.
    pub fn of(mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort_by(|a, b| {
            (&a.file, a.line, a.column, &a.message).cmp(&(&b.file, b.line, b.column, &b.message))
        });
        problems.dedup();
        (!problems.is_empty()).then_some(Self { problems })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        let count = self.problems.len();
        write!(f, "{count} problem{}", if count == 1 { "" } else { "s" })
    }
}

impl std::error::Error for Report {}
