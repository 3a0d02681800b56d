//! `linli order send`: sends an order, or a message, to the running gateway.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use super::super::{config_dir::ConfigDir, mode};
use super::file;
use linli_mode::order::text;

/// Sends a file, or confirms the order that waits for its code.
pub fn run(
    path: Option<&Path>,
    code: Option<&str>,
    people: &[String],
    site: &ConfigDir,
) -> anyhow::Result<()> {
    anyhow::ensure!(code.is_some() || people.is_empty(), "--as needs --code: what did they compare?");
    let text = match path {
        None => {
            anyhow::ensure!(code.is_some(), "what? name the order's file, or the code of one that waits");
            anyhow::ensure!(!people.is_empty(), "who compared the code? name them with --as");
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
    let answer = match code {
        Some(code) => confirmed(site, &text, code, people)?,
        None => mode::send(site, &text, None)?,
    };
    told(&answer, site)
}

/// Sends an order that these people on the spot compared the code of, one after the other until it is
/// accepted or refused.
pub fn confirmed(site: &ConfigDir, text: &str, code: &str, people: &[String]) -> anyhow::Result<Value> {
    let Some((first, others)) = people.split_first() else { return mode::send(site, text, None) };
    let mut answer = mode::send(site, text, Some((code, first)))?;
    for person in others {
        if answer["result"] != "quarantined" {
            break;
        }
        answer = mode::send(site, "", Some((code, person)))?;
    }
    Ok(answer)
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
        Some("quarantined") => {
            let people = answer["confirmed_by"].as_array().map_or(0, Vec::len);
            let code = answer["code"].as_str().unwrap_or_default();
            anyhow::bail!(
                "quarantined: {reason}\n已有 {people} 人核对，须两人 of two people, {people} did: linli order send --code {code} --as PERSON"
            )
        }
        Some("proposal") => println!("已收到，待签署指令 a proposal: {}", answer["proposal"]),
        Some(result) => anyhow::bail!("{result}: {reason}"),
        None => anyhow::bail!("the gateway's answer could not be understood: {answer}"),
    }
    Ok(())
}
