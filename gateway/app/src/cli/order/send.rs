//! `linli order send`: sends an order, or a message, to the running gateway.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

use super::super::{config_dir::ConfigDir, login, mode};
use super::file;
use linli_mode::order::text;

/// Sends a file, or confirms the order that waits for its code.
pub fn run(
    path: Option<&Path>,
    code: Option<&str>,
    password_file: Option<&Path>,
    site: &ConfigDir,
) -> anyhow::Result<()> {
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
    if code.is_some() && site.login.is_some() {
        login::renew(site, password_file)?;
    }
    told(&mode::send(site, &text, code)?, site)
}

/// Sends an order that these people on the spot compared the code of, each as the account of the same name, until
/// it is accepted or refused. Whoever is not logged in here confirms it elsewhere.
pub fn confirmed(
    site: &ConfigDir,
    text: &str,
    code: &str,
    people: &[(String, Option<PathBuf>)],
) -> anyhow::Result<Value> {
    let mut answer = mode::send(site, text, None)?;
    for (person, password_file) in people {
        let account = site.as_account(person);
        if answer["result"] != "quarantined" || account.target().is_err() {
            break;
        }
        login::renew(&account, password_file.as_deref()).with_context(|| person.clone())?;
        answer = mode::send(&account, "", Some(code))?;
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
                "quarantined: {reason}\n已有 {people} 人核对，须两人 of two people, {people} did: linli order send --code {code} --login PERSON"
            )
        }
        Some("proposal") => println!("已收到，待签署指令 a proposal: {}", answer["proposal"]),
        Some(result) => anyhow::bail!("{result}: {reason}"),
        None => anyhow::bail!("the gateway's answer could not be understood: {answer}"),
    }
    Ok(())
}
