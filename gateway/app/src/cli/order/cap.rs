//! `linli order cap`: shows a CAP message and the orders that it suggests.

use std::path::Path;

use anyhow::Context;
use linli_mode::Class;
use linli_mode::cap::{Alert, LARGEST};
use serde_json::json;

/// Reads a message from a file.
pub fn read(path: &Path) -> anyhow::Result<(Vec<u8>, Alert)> {
    let found = std::fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?;
    anyhow::ensure!(
        found.len() <= LARGEST as u64,
        "{} is {} bytes long: that is no message",
        path.display(),
        found.len()
    );
    let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let alert = Alert::read(&bytes).with_context(|| path.display().to_string())?;
    Ok((bytes, alert))
}

/// Prints the message.
pub fn run(path: &Path, is_json: bool) -> anyhow::Result<()> {
    let (_, alert) = read(path)?;
    let proposal = alert.proposes();
    if is_json {
        println!("{:#}", json!({"alert": alert, "proposal": proposal}));
        return Ok(());
    }
    let class = match proposal.as_ref().map(|proposal| proposal.class) {
        Some(Class::Actual) => "【实战 ACTUAL】",
        Some(Class::Exercise) => "【演练 EXERCISE】",
        None => "【无须处置 nothing to do】",
    };
    println!("{class}{} {}", alert.status.as_str(), alert.msg_type.as_str());
    println!("编号 id      {} · {}", alert.identifier, alert.sender);
    println!("发布 sent    {}", super::show::time(alert.sent));
    for info in &alert.info {
        println!("事件 event   {} · {} · {} · {}", info.event, info.urgency, info.severity, info.certainty);
        if let Some(headline) = &info.headline {
            println!("标题         {headline}");
        }
        for (name, value) in &info.parameters {
            println!("  {name} = {value}");
        }
        for area in &info.areas {
            println!("区域 area    {}", area.description);
        }
    }
    match proposal {
        Some(proposal) => println!(
            "\n建议 proposes: {} {}。消息本身不会触发任何动作 a message moves nothing by itself:\n  \
             linli order new --kind {} --class {} --cap {} …",
            proposal.class,
            proposal.kind.as_str(),
            proposal.kind.as_str().to_lowercase(),
            proposal.class.to_string().to_lowercase(),
            path.display(),
        ),
        None => println!("\n只需回执，无动作 only to be acknowledged"),
    }
    Ok(())
}
