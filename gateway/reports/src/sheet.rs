//! A report before it is written in a format: a title, some lines, and tables.

/// A table with a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Title of the table.
    pub title: String,
    /// Headings of the columns.
    pub headings: Vec<&'static str>,
    /// Rows, each as long as the headings.
    pub rows: Vec<Vec<String>>,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Title of the report.
    pub title: String,
    /// Lines below the title: signature, time, hash.
    pub signature: Vec<String>,
    /// Tables, in order.
    pub sections: Vec<Section>,
}
