//! `linli init`: a commented configuration to start from.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use linli_domain::Id;

use linli_demo::example::PLANS;

/// The files of the example centre, which a test checks.
const EXAMPLE: [(&str, &str); 5] = [
    ("gateway.toml", include_str!("../../../../deploy/example/gateway.toml")),
    ("facility.toml", include_str!("../../../../deploy/example/facility.toml")),
    ("devices.toml", include_str!("../../../../deploy/example/devices.toml")),
    ("alarms.toml", include_str!("../../../../deploy/example/alarms.toml")),
    ("matters.toml", include_str!("../../../../deploy/example/matters.toml")),
];

/// Write a commented configuration of a whole centre, to be edited. Overwrites nothing.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli init /etc/linli --centre xinghe --name 星河邻里中心\n  linli init ./my-centre && linli check ./my-centre"
)]
pub struct Args {
    /// Directory to write into; created if missing (配置目录)
    dir: PathBuf,
    /// Id of the centre, unique in the district
    #[arg(long, default_value = "xinghe")]
    centre: String,
    /// Name of the centre
    #[arg(long, default_value = "星河邻里中心")]
    name: String,
    /// Id of this gateway
    #[arg(long, default_value = "main")]
    id: String,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    for (flag, text) in [("--centre", &args.centre), ("--id", &args.id)] {
        Id::new(text).map_err(|error| anyhow::anyhow!("{flag} {text:?} {error}"))?;
    }
    anyhow::ensure!(
        !args.name.trim().is_empty() && !args.name.contains(['"', '\\', '\n']),
        "--name must be plain text"
    );
    let files = || EXAMPLE.into_iter().chain(PLANS);
    for (file, _) in files() {
        let path = args.dir.join(file);
        anyhow::ensure!(!path.exists(), "{} exists already and is not overwritten", path.display());
    }
    std::fs::create_dir_all(args.dir.join("plans"))
        .with_context(|| format!("{} cannot be created", args.dir.display()))?;
    for (file, text) in files() {
        let path = args.dir.join(file);
        std::fs::write(&path, filled(args, file, text))
            .with_context(|| format!("{} cannot be written", path.display()))?;
        println!("{}", path.display());
    }
    println!("\nEdit these files, then run `linli check {}`.", args.dir.display());
    Ok(ExitCode::SUCCESS)
}

fn filled(args: &Args, file: &str, text: &str) -> String {
    match file {
        "gateway.toml" => text.replacen("id = \"main\"", &format!("id = \"{}\"", args.id), 1),
        "facility.toml" => text
            .replacen("id = \"xinghe\"", &format!("id = \"{}\"", args.centre), 1)
            .replacen("name = \"星河邻里中心\"", &format!("name = \"{}\"", args.name), 1),
        _ => text.to_owned(),
    }
}
