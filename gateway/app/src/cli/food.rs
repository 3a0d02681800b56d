//! `linli food`: notes of canteen staff, and the record they sign.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use super::config_dir::ConfigDir;
use super::socket;
use linli_domain::canteen::{Signed, verify};

/// Longest wait for the gateway.
const PATIENCE: Duration = Duration::from_secs(60);

/// Retain samples, record cooling and corrective actions, sign the daily record (食品安全).
///
/// Temperatures are recorded automatically; these commands record what people do. `linli export
/// haccp` writes the daily record.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli food retain --food 番茄炒蛋 --grams 150 --cabinet sample-fridge --meal 午餐 --by 李梅\n  linli food samples\n  linli food destroy 1795428000123 --by 李梅\n  linli food cool --food 红烧肉 --probe core-probe --by 王强\n  linli food note --by 李梅 二号冰箱门封条已更换\n  linli food sign --by 李梅 --day 2026-11-24\n  linli food verify\n  linli food verify chain.json"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    site: ConfigDir,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Record a retained sample: at least 125 g, for 48 h (留样)
    Retain {
        /// Name of the dish
        #[arg(long)]
        food: String,
        /// Amount in grams
        #[arg(long)]
        grams: f64,
        /// Where it is kept: a device with keeps = "samples"
        #[arg(long)]
        cabinet: String,
        /// Meal
        #[arg(long)]
        meal: Option<String>,
        /// Who took it
        #[arg(long)]
        by: String,
    },
    /// List the retained samples (留样列表)
    Samples,
    /// Record that a sample was destroyed (销毁)
    Destroy {
        /// Number of the sample
        sample: String,
        /// Who did it
        #[arg(long)]
        by: String,
        /// Reason, if before 48 h
        #[arg(long)]
        why: Option<String>,
    },
    /// Start to record the cooling of food with a probe in it (冷却)
    Cool {
        /// What it is
        #[arg(long)]
        food: String,
        /// The probe: a food-safety device
        #[arg(long)]
        probe: String,
        /// two-hours (60 to 8 °C in 2 h) or fda (57 to 21 in 2 h, 5 in 6 h)
        #[arg(long, default_value = "two-hours")]
        rule: String,
        /// Who does it
        #[arg(long)]
        by: String,
    },
    /// Add a note to the record (说明)
    Note {
        /// The note, in one line
        text: String,
        /// Who
        #[arg(long)]
        by: String,
    },
    /// Sign the record of a day (签字)
    Sign {
        /// The day, such as 2026-11-24; today unless given
        #[arg(long)]
        day: Option<String>,
        /// Who signs
        #[arg(long)]
        by: String,
        /// Remark of the signer
        #[arg(long)]
        note: Option<String>,
    },
    /// Verify that no signed record was changed or is missing (核验)
    Verify {
        /// Signed records as JSON, from `linli food chain`; those of the running gateway unless given
        chain: Option<PathBuf>,
    },
    /// Print every signed record as JSON, for others to check (导出签字链)
    Chain,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let ask = |body: Value| ask(&args.site, &body);
    match &args.verb {
        Verb::Retain { food, grams, cabinet, meal, by } => {
            let kept = ask(
                json!({"do": "retain", "food": food, "grams": grams, "cabinet": cabinet, "meal": meal, "by": by}),
            )?;
            println!("sample {} in {}, to be kept for 48 h", plain(&kept["sample"]), plain(&kept["cabinet"]));
        }
        Verb::Samples => {
            let samples = ask(json!({"do": "samples"}))?;
            for sample in samples.as_array().into_iter().flatten() {
                println!(
                    "{}  {:16} {:8} {:>6} g  {:16} {}",
                    plain(&sample["sample"]),
                    plain(&sample["food"]),
                    plain(&sample["meal"]),
                    sample["grams"],
                    plain(&sample["cabinet"]),
                    plain(&sample["by"])
                );
            }
        }
        Verb::Destroy { sample, by, why } => {
            ask(json!({"do": "destroy", "sample": sample, "by": by, "why": why}))?;
            println!("sample {sample} destroyed");
        }
        Verb::Cool { food, probe, rule, by } => {
            let begun = ask(json!({"do": "cool", "food": food, "probe": probe, "rule": rule, "by": by}))?;
            println!("{food} cools with {probe}; {}", plain(&begun["source"]));
        }
        Verb::Note { text, by } => {
            ask(json!({"do": "note", "text": text, "by": by}))?;
            println!("noted");
        }
        Verb::Sign { day, by, note } => {
            let signed = ask(json!({"do": "sign", "day": day, "by": by, "note": note}))?;
            println!(
                "{} signed as number {}: {}",
                plain(&signed["day"]),
                signed["number"],
                plain(&signed["hash"])
            );
        }
        Verb::Chain => println!("{}", serde_json::to_string_pretty(&ask(json!({"do": "signed"}))?)?),
        Verb::Verify { chain } => {
            let chain = match chain {
                Some(file) => {
                    let text = std::fs::read_to_string(file)
                        .with_context(|| format!("{} cannot be read", file.display()))?;
                    serde_json::from_str(&text).with_context(|| format!("{}", file.display()))?
                }
                None => ask(json!({"do": "signed"}))?,
            };
            let chain: Vec<Signed> = serde_json::from_value(chain).context("these are no signed records")?;
            verify(&chain).map_err(|why| anyhow::anyhow!("not whole: {why}"))?;
            println!("{} signed records, none changed, none missing", chain.len());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Sends a request to the canteen service.
pub fn ask(site: &ConfigDir, body: &Value) -> anyhow::Result<Value> {
    let answer = socket::ask(site, "POST", "/api/v1/food", &body.to_string(), PATIENCE)?;
    anyhow::ensure!(answer.status < 300, "{}", socket::detail(&answer));
    Ok(serde_json::from_str(&answer.body)?)
}

fn plain(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
