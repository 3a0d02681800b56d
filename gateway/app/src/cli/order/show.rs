//! Prints an order for those who sign or receive it.

use std::path::Path;
use std::process::ExitCode;

use linli_domain::Timestamp;
use linli_mode::Class;
use linli_mode::order::{Envelope, Judgement, Kind, KnownTime, Order, ReplayGuard, Series, Situation, judge};
use serde_json::json;

use super::file;
use linli_domain::audit::hex;

/// Prints an order.
pub fn run(path: &Path, is_json: bool) -> anyhow::Result<()> {
    let envelope = file::read(path)?;
    if is_json {
        let body = json!({
            "order": serde_json::Value::from(&envelope.order),
            "hash": hex(&envelope.hash),
            "code": envelope.code(),
            "keys": envelope.key_ids(),
        });
        println!("{body:#}");
    } else {
        show(&envelope);
    }
    Ok(())
}

/// The headline: real order or drill.
pub fn headline(order: &Order) -> String {
    let what = match order.kind {
        Kind::Enter => "转入应急 enter emergency mode",
        Kind::Return => "恢复平时 return to peace",
        Kind::Amend => "更改指令 amend an order",
        Kind::Cancel => "撤销指令 cancel an order",
        Kind::StandDown => "解除应急 stand down",
        Kind::Stop => "停止 stop",
    };
    match order.class {
        Class::Actual => format!("【实战 ACTUAL】{what}"),
        Class::Exercise => format!("【演练 EXERCISE】{what}【演练 EXERCISE】"),
    }
}

/// Prints an order as text.
pub fn show(envelope: &Envelope) {
    let order = &envelope.order;
    println!("{}", headline(order));
    println!("校验码 code   {}", envelope.code());
    println!("指令 order    {} · 序号 number {} · {}", order.id, order.seq, order.authority.as_str());
    println!("模式 mode     {}", order.mode);
    if let Some(reference) = &order.reference {
        println!("文号 basis    {reference}");
    }
    if !order.supersedes.is_empty() {
        println!("替代 instead  {}", order.supersedes.join(", "));
    }
    println!("生效 from     {}", time(order.not_before));
    println!("截止 until    {}", time(order.expires));
    for target in &order.targets {
        let site = target.site.as_ref().map(|site| format!(" · 站点 site {site}")).unwrap_or_default();
        println!("中心 centre   {}{site}", target.centre);
        for plan in &target.plans {
            println!("  预案 plan   {} · {}", plan.plan, &hex(&plan.hash)[..16]);
        }
        if let Some(snapshot) = &target.snapshot {
            println!("  快照 seen   {}", hex(snapshot));
        }
    }
    let keys = envelope.key_ids();
    let signed = if keys.is_empty() { "尚未签署 not signed yet".to_owned() } else { keys.join(", ") };
    println!("签署 signed   {signed}");
}

/// Verifies an order with the configuration of a centre.
pub fn verify(path: &Path, dir: &Path) -> anyhow::Result<ExitCode> {
    let envelope = file::read(path)?;
    let config = linli_config::load(dir)?;
    let Some(policy) = &config.centre.people.policy else {
        anyhow::bail!(
            "{}: nobody there has a key, so no order counts; `linli order keygen` makes one",
            dir.join("facility.toml").display()
        );
    };
    show(&envelope);
    let centre = &config.centre.id;
    // Only the gateway knows earlier orders and can detect a replay.
    let before = envelope.order.seq.saturating_sub(1);
    let situation = Situation {
        centre,
        keyring: &config.centre.people.keyring,
        policy,
        replay_guard: &ReplayGuard::default().raised(&[(Series::of(&envelope.order), before)].into()),
        time: KnownTime::trusted(super::super::now()),
        waited: std::time::Duration::ZERO,
        confirmed: None,
    };
    match judge(&envelope, &situation) {
        Ok(Judgement::Accepted(accepted)) => {
            for signer in &accepted.signers {
                println!(
                    "  ✓ {} {} · {}",
                    signer.person,
                    config.centre.people.name(&signer.person),
                    signer.key
                );
            }
            println!("有效 good: {centre} 会接受 would accept it now");
            Ok(ExitCode::SUCCESS)
        }
        Ok(Judgement::Repeated) => Ok(ExitCode::SUCCESS),
        Err(refusal) => {
            println!("无效 refused: {refusal}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Formats a time in this machine's zone, with the offset: an order names centres, not their zone.
pub fn time(at: Timestamp) -> String {
    let shown = jiff::Timestamp::from_millisecond(at.0).map(|at| {
        at.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
    });
    shown.unwrap_or_else(|_| format!("{} ms", at.0))
}
