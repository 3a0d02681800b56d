//! `linli command`: writes one point through the command service of the running gateway.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::config_dir::ConfigDir;
use super::{WRONG, socket};

/// Write one point of a device and wait until it is read back.
///
/// The command takes the same way as one over MQTT: checked, journaled, sent before any poll,
/// read back, answered on `cmd/{device}/result` too.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli command fan-1 run true\n  linli command fan-1 speed 42.5 --expires 30s\n  linli command fan-1 run false --json\n\nExit codes: 0 read back as asked, 1 failed or unknown, 2 refused"
)]
pub struct Args {
    /// The device's id
    device: String,
    /// The point's id
    point: String,
    /// true, false, a number, or a text
    #[arg(allow_hyphen_values = true)]
    value: String,
    /// The command must not act after this time
    #[arg(long, default_value = "10s", value_parser = linli_drivers::duration::parse)]
    expires: Duration,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    site: ConfigDir,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let now = super::now().0;
    let value: Value = serde_json::from_str(&args.value).unwrap_or_else(|_| args.value.clone().into());
    let id = linli_services::random::command_id("cli-")?;
    let life = i64::try_from(args.expires.as_millis()).unwrap_or(i64::MAX);
    let body = json!({"id": id, "point": args.point, "value": value, "expires": now.saturating_add(life)});
    anyhow::ensure!(
        args.device.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)),
        "{:?} is not a device id; `linli doctor` lists the devices",
        args.device
    );
    let path = format!("/api/v1/devices/{}/command", args.device);
    let timeout = args.expires + Duration::from_secs(90);
    let answer = socket::ask(&args.site, "POST", &path, &body.to_string(), timeout)?;
    // No such device, or no command.
    if matches!(answer.status, 404 | 422) {
        eprintln!("linli: {}", socket::detail(&answer));
        return Ok(ExitCode::from(WRONG));
    }
    anyhow::ensure!(answer.status == 200, "{}", socket::detail(&answer));
    let outcome: Value = serde_json::from_str(&answer.body)?;
    let word = |key: &str| outcome.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    if args.json {
        println!("{}", answer.body);
    } else {
        let read_back = outcome.get("value").map(|v| format!(", read back {v}")).unwrap_or_default();
        let reason =
            Some(word("reason")).filter(|r| !r.is_empty()).map(|r| format!(": {r}")).unwrap_or_default();
        println!("{} {} = {}: {}{read_back}{reason}", args.device, args.point, value, word("result"));
    }
    Ok(match word("result").as_str() {
        "done" => ExitCode::SUCCESS,
        "refused" => ExitCode::from(WRONG),
        _ => ExitCode::FAILURE,
    })
}
