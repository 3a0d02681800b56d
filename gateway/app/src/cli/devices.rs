//! `linli devices`: the device profiles and their points.

use std::process::ExitCode;

use linli_drivers::Coded;
use linli_drivers::health;
use linli_drivers::modbus::profile::ProfileSet;

use super::WRONG;
use super::config_dir::ConfigDir;

/// List the device profiles, or explain one.
///
/// Profiles in the configuration's `devices/` directory add to the built-in ones or replace them.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli devices\n  linli devices eastron/sdm120\n  linli devices eastron/sdm120 --zh\n  linli devices --json"
)]
pub struct Args {
    /// `vendor/model` of the profile to explain
    profile: Option<String>,
    /// Explain in Chinese (中文说明)
    #[arg(long)]
    zh: bool,
    /// Print as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    site: ConfigDir,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let own = args.site.config.join("devices");
    let mut profiles = ProfileSet::embedded();
    if own.is_dir() {
        profiles = profiles.with_dir(&own).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("profiles in {}:\n{}", own.display(), lines.join("\n"))
        })?;
    }
    let Some(name) = &args.profile else {
        return list(&profiles, args.json);
    };
    if let Some(coded) = linli_drivers::coded().into_iter().find(|coded| coded.name == *name) {
        explain(&coded);
        return Ok(ExitCode::SUCCESS);
    }
    let Some(profile) = profiles.find(name) else {
        let nearest = profiles.nearest(name).map(|n| format!("; did you mean {n:?}?")).unwrap_or_default();
        eprintln!("linli: no profile {name:?}{nearest} `linli devices` lists them");
        return Ok(ExitCode::from(WRONG));
    };
    print!("{}", profile.explain(args.zh));
    Ok(ExitCode::SUCCESS)
}

fn explain(coded: &Coded) {
    println!("{}  {} / {}\nkind of line: {}\n", coded.name, coded.title, coded.title_zh, coded.lines);
    for point in &coded.points {
        let writable = if point.writable { "writable; " } else { "" };
        println!("{:14} {:4} {:6} {writable}{}", point.name, point.kind.as_str(), point.unit, point.about);
    }
}

fn list(profiles: &ProfileSet, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        let rows: Vec<serde_json::Value> = profiles
            .iter()
            .map(|p| serde_json::json!({"profile": p.name(), "title": p.title(), "title_zh": p.title_zh(), "points": p.points().len()}))
            .collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(ExitCode::SUCCESS);
    }
    let width = profiles.iter().map(|p| p.name().len()).max().unwrap_or(0);
    for profile in profiles.iter() {
        println!(
            "{:width$}  {:3} points  {} / {}",
            profile.name(),
            profile.points().len(),
            profile.title(),
            profile.title_zh()
        );
    }
    println!("\nHealth-cabin devices (a line of their own, docs/protocols/health.md):");
    for model in health::models::MODELS {
        println!("{:width$}  serial      {} / {}", model.name, model.title, model.title_zh);
    }
    for profile in health::bluetooth::profiles::PROFILES {
        println!("{:width$}  bluetooth   {} / {}", profile.name, profile.title, profile.title_zh);
    }
    println!("{:width$}  mllp        HL7 v2 results (ORU^R01) / HL7 v2 结果", health::PROFILE);
    println!("\nSensors, kiosks and printers (docs/protocols/mqtt.md, kiosks.md):");
    for coded in linli_drivers::coded() {
        println!("{:width$}  {:17}  {} / {}", coded.name, coded.lines, coded.title, coded.title_zh);
    }
    println!("\nExplain one with `linli devices VENDOR/MODEL`; health-cabin devices are explained there.");
    Ok(ExitCode::SUCCESS)
}
