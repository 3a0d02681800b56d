//! `linli schema`: the JSON Schema and the reference page of the configuration.

use std::process::ExitCode;

use linli_config::schema;

/// Print the JSON Schema of the configuration, or its reference page.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli schema > linli.schema.json\n  linli schema --file devices.toml\n  linli schema --markdown"
)]
pub struct Args {
    /// Only the schema of this file
    #[arg(long, value_parser = schema::FILES)]
    file: Option<String>,
    /// The reference page in Markdown instead
    #[arg(long)]
    markdown: bool,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.markdown {
        print!("{}", schema::reference());
    } else {
        let schema = args.file.as_deref().map_or_else(schema::all, schema::of);
        println!("{}", serde_json::to_string_pretty(&schema)?);
    }
    Ok(ExitCode::SUCCESS)
}
