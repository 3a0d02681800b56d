//! matters.toml as written.

use schemars::JsonSchema;
use serde::Deserialize;

/// matters.toml: the government services that kiosks offer to residents. The file is optional.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MattersFile {
    /// Matters of the district's catalogue.
    #[serde(default)]
    pub matter: Vec<Matter>,
}

/// A matter: a government service that residents request at a kiosk.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Matter {
    /// Its number in the catalogue, unique in the file.
    pub id: String,
    /// Its name, as residents read it; not empty.
    pub name: String,
    /// The department that is responsible for it.
    #[serde(default)]
    pub department: String,
    /// Parts of the kiosk that it needs: printer, paper, toner, id_reader, card_reader, scanner, camera. An
    /// unknown part is refused.
    #[serde(default)]
    pub needs: Vec<String>,
}
