//! matters.toml as written.

use schemars::JsonSchema;
use serde::Deserialize;

/// matters.toml: what residents come to the kiosks for. The file may be missing.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MattersFile {
    /// The district's catalogue.
    #[serde(default)]
    pub matter: Vec<Matter>,
}

/// Something residents come for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Matter {
    /// Its number in the catalogue.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Whose it is.
    #[serde(default)]
    pub department: String,
    /// Parts of the kiosk that it needs: printer, paper, toner, id_reader, card_reader, scanner, camera.
    #[serde(default)]
    pub needs: Vec<String>,
}
