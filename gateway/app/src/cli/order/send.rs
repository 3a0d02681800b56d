//! `linli order send`: sends an order, or a message, to the running gateway.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use super::super::{config_dir::ConfigDir, mode};
use super::file;
use linli_mode::order::text;

/// Sends a file, or confirms the order that waits for its code.
pub fn run(path: Option<&Path>, code: Option<&str>, site: &ConfigDir) -> anyhow::Result<()> {
    let text = match path {
        None => {
            anyhow::ensure!(code.is_some(), "what? name the order's file, or the code of one that waits");
            String::new()
        }
        Some(path) => {
            let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
            match String::from_utf8(bytes) {
                Ok(text) if text.trim_start().starts_with('<') => text,
                _ => text::write(&file::read(path)?.bytes()),
            }
        }
    };
    told(&mode::send(site, &text, code)?, site)
}

/// Prints the result; a refused order is an error.
pub fn told(answer: &Value, site: &ConfigDir) -> anyhow::Result<()> {
    if answer["rooms"].is_array() && answer["together"].is_object() {
        println!("已接受 accepted");
        let zone = site.zone();
        let rooms = answer["rooms"].as_array().into_iter().flatten();
        rooms.for_each(|room| mode::print_room(room, &zone));
        return Ok(());
    }
    let reason = answer["reason"].as_str().unwrap_or_default();
    match answer["result"].as_str() {
        Some("repeated") => println!("此前已接受 accepted before: nothing more happens"),
        Some("proposal") => println!("已收到，待签署指令 a proposal: {}", answer["proposal"]),
        Some(result) => anyhow::bail!("{result}: {reason}"),
        None => anyhow::bail!("the gateway's answer could not be understood: {answer}"),
    }
    Ok(())
}
