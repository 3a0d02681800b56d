//! `linli openapi`: the OpenAPI document of the HTTP interface.

use std::process::ExitCode;

/// Print the OpenAPI document of the HTTP interface; a gateway serves it at /api/openapi.json.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli openapi > openapi.json\n  npx openapi-typescript openapi.json --output schema.d.ts"
)]
pub struct Args {}

/// Runs the verb.
pub fn run(_: &Args) -> anyhow::Result<ExitCode> {
    println!("{}", serde_json::to_string_pretty(&linli_web::openapi::document())?);
    Ok(ExitCode::SUCCESS)
}
