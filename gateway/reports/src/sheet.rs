//! A sheet for people: a title, some lines, tables. What it is written as is decided elsewhere.

/// A table under a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its title.
    pub title: String,
    /// Headings of its columns.
    pub headings: Vec<&'static str>,
    /// Its rows, each as long as the headings.
    pub rows: Vec<Vec<String>>,
}

/// A sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Its title.
    pub title: String,
    /// Who signed it when, what it rests on.
    pub signature: Vec<String>,
    /// Its tables.
    pub sections: Vec<Section>,
}
