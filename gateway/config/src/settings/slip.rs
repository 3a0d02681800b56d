//! Settings of the result slip and its printer.

use std::path::PathBuf;

use linli_domain::visit::Paper;

/// Checked settings of `[slip]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlipSettings {
    /// Paper of the printer.
    pub paper: Paper,
    /// The printer; `None`: nothing is printed.
    pub printer: Option<PrinterAddress>,
    /// Font files, the first that has a character first.
    pub fonts: Vec<PathBuf>,
}

/// A printer that speaks IPP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterAddress {
    /// `ipp://…` or `ipps://…`, as requests name it.
    pub uri: String,
    /// The same as `http://…` or `https://…`, where requests go.
    pub http: String,
    /// PEM file with the certificates to trust.
    pub ca: Option<PathBuf>,
    /// Why it is reached without encryption off this machine.
    pub insecure: Option<String>,
}

/// Font files of Debian and its relatives, in the order in which they are tried: Noto Sans CJK (fonts-noto-cjk), then
/// Hanazono Mincho, which has the characters of the extensions A to F (fonts-hanazono).
pub const USUAL_FONTS: [&str; 4] = [
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/hanazono/HanaMinA.ttf",
    "/usr/share/fonts/truetype/hanazono/HanaMinB.ttf",
];

// === impl SlipSettings ===

impl Default for SlipSettings {
    fn default() -> Self {
        Self {
            paper: Paper::default(),
            printer: None,
            fonts: USUAL_FONTS.iter().map(PathBuf::from).collect(),
        }
    }
}
