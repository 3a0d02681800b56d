//! `linli login` and `linli logout`: proves who uses the command line, on the box or away from it.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::Context;
use linli_accounts::rules::totp;
use qrcode::QrCode;
use qrcode::render::unicode;
use serde_json::{Value, json};

use super::answer::{Answer, detail};
use super::config_dir::ConfigDir;
use super::log_in_store::{self, Kept};
use super::target::Target;

/// Longest wait for the gateway: several log-ins are compared one after the other.
const PATIENCE: Duration = Duration::from_secs(60);

/// Log in as a person, here or at a gateway elsewhere; later commands name the account with --login.
///
/// A new account is set up with the code that `linli users add` printed (--enrol). Operators, technicians, command,
/// auditors and administrators have a password and an authenticator; health workers and canteen staff a badge and a
/// PIN, which open an enrolled screen only: this command line becomes one with --screen.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli login zhao --enrol K7QF-9M2X-0V3B-6TRD\n  linli login zhao\n  linli mode commit hall --login zhao\n  linli login zhao --server https://gateway.example.org:8443 --ca centre-ca.pem\n  linli login mei --screen 4W8N-1C5H-7ZPA-Q2DE --enrol K7QF-9M2X-0V3B-6TRD\n  linli login --break-glass 3R6T-0J9V-XK2M-8BWS\n  linli logout zhao"
)]
pub struct Args {
    /// Your account; not needed with --break-glass
    #[arg(required_unless_present = "break_glass")]
    account: Option<String>,
    /// Set up the account with its one-time code first (首次登录)
    #[arg(long, value_name = "CODE")]
    enrol: Option<String>,
    /// Enrol this command line as a shared screen with its one-time code (登记屏幕)
    #[arg(long, value_name = "CODE")]
    screen: Option<String>,
    /// Log in with a sealed code, when nothing else works; that is an alarm (应急登录)
    #[arg(long, value_name = "CODE", conflicts_with_all = ["enrol", "screen", "account"])]
    break_glass: Option<String>,
    /// File with the password or PIN; asked for on the terminal otherwise
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The six digits of the authenticator; asked for on the terminal otherwise
    #[arg(long, value_name = "DIGITS", conflicts_with = "factor_file")]
    code: Option<String>,
    /// File for the authenticator's secret, or the text of the badge: written with --enrol, read otherwise. For
    /// programs; a secret beside the password is no second factor
    #[arg(long, value_name = "FILE")]
    factor_file: Option<PathBuf>,
    /// Print the six digits of the authenticator whose secret is in --factor-file, and do nothing else
    #[arg(long, requires = "factor_file", conflicts_with_all = ["enrol", "screen", "code"])]
    print_code: bool,
    /// Address of a gateway elsewhere: https://…, or http:// on this machine
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The centre's certificate, for --server https://…
    #[arg(long, value_name = "FILE", requires = "server")]
    ca: Option<PathBuf>,
    #[command(flatten)]
    site: ConfigDir,
}

/// End a log-in (退出登录).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  linli logout zhao")]
pub struct LogoutArgs {
    /// The account
    account: String,
    #[command(flatten)]
    site: ConfigDir,
}

/// What an account needs besides its password or PIN.
enum Factor {
    /// Six digits.
    Code(String),
    /// The text of the badge.
    Badge(String),
}

/// Runs `linli login`.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(file) = args.factor_file.as_ref().filter(|_| args.print_code) {
        println!("{}", digits(file)?);
        return Ok(ExitCode::SUCCESS);
    }
    let account = args.account.as_deref().unwrap_or(linli_accounts::BREAK_GLASS_ACCOUNT);
    // Cookies of a screen that this command line is already.
    let before =
        log_in_store::read(account).ok().filter(|kept| args.server.is_none() || kept.server == args.server);
    let mut kept = Kept { server: args.server.clone(), ca: args.ca.clone(), ..before.unwrap_or_default() };
    kept.cookies.retain(|(name, _)| name.ends_with("-screen"));
    if let Some(code) = &args.break_glass {
        let answer = post(&args.site, &mut kept, "/api/v1/session/break-glass", &json!({"code": code}))?;
        return finish(account, &kept, &answer);
    }
    if let Some(code) = &args.screen {
        let answer = post(&args.site, &mut kept, "/api/v1/session/screen", &json!({"code": code}))?;
        println!("屏幕已登记 enrolled as screen {}", word(&answer, "screen"));
    }
    let secret = secret(args.password_file.as_deref(), args.enrol.is_some())?;
    let factor = match &args.enrol {
        Some(code) => enrol(args, account, code, &secret, &mut kept)?,
        None => known_factor(args, &kept)?,
    };
    let body = match factor {
        Factor::Code(code) => json!({"account": account, "password": secret, "code": code}),
        Factor::Badge(badge) => json!({"badge": badge, "pin": secret}),
    };
    let answer = post(&args.site, &mut kept, "/api/v1/session", &body)?;
    finish(account, &kept, &answer)
}

/// Runs `linli logout`.
pub fn log_out(args: &LogoutArgs) -> anyhow::Result<ExitCode> {
    let kept = log_in_store::read(&args.account)?;
    let answer = Target::of(&args.site.data_dir(), &kept).ask("DELETE", "/api/v1/session", "", PATIENCE)?;
    // A session that has ended already is as good as one that ends now.
    anyhow::ensure!(answer.status < 300 || answer.status == 401, "{}", detail(&answer));
    log_in_store::remove(&args.account)?;
    println!("已退出 {} is logged out", args.account);
    Ok(ExitCode::SUCCESS)
}

/// Enters the secret again, for an act that needs two persons.
pub fn renew(site: &ConfigDir, password_file: Option<&Path>) -> anyhow::Result<()> {
    let secret = secret(password_file, false)?;
    let body = json!({"secret": secret}).to_string();
    let answer = site.target()?.ask("POST", "/api/v1/session/renew", &body, PATIENCE)?;
    anyhow::ensure!(answer.status < 300, "{}", detail(&answer));
    Ok(())
}

fn enrol(args: &Args, account: &str, code: &str, secret: &str, kept: &mut Kept) -> anyhow::Result<Factor> {
    let body = json!({"account": account, "code": code, "secret": secret});
    let answer = post(&args.site, kept, "/api/v1/session/enrol", &body)?;
    let is_badge = answer["badge"].is_string();
    let factor = word(&answer, if is_badge { "badge" } else { "totp" });
    if let Some(file) = &args.factor_file {
        log_in_store::write_private(file, &factor)?;
    } else {
        let shown = if is_badge { factor.clone() } else { word(&answer, "uri") };
        let picture = QrCode::new(&shown).map(|code| code.render::<unicode::Dense1x2>().build());
        println!("{}", picture.unwrap_or_default());
        match is_badge {
            true => println!("工牌（打印此二维码） your badge, to be printed: {factor}"),
            false => println!("用验证器扫描 scan it with an authenticator, or type its secret: {factor}"),
        }
    }
    match (is_badge, &args.factor_file) {
        (true, _) => Ok(Factor::Badge(factor)),
        (false, Some(file)) => Ok(Factor::Code(digits(file)?)),
        (false, None) => Ok(Factor::Code(asked("验证码 six digits of the authenticator: ", true)?)),
    }
}

fn known_factor(args: &Args, kept: &Kept) -> anyhow::Result<Factor> {
    if let Some(code) = &args.code {
        return Ok(Factor::Code(code.clone()));
    }
    let is_screen = kept.cookies.iter().any(|(name, _)| name.ends_with("-screen"));
    match (&args.factor_file, is_screen) {
        (Some(file), true) => Ok(Factor::Badge(read(file)?)),
        (Some(file), false) => Ok(Factor::Code(digits(file)?)),
        (None, true) => Ok(Factor::Badge(asked("工牌 scan the badge: ", true)?)),
        (None, false) => Ok(Factor::Code(asked("验证码 six digits of the authenticator: ", true)?)),
    }
}

fn digits(file: &Path) -> anyhow::Result<String> {
    let code = totp::code_at(&read(file)?, super::now());
    code.with_context(|| format!("{} has no authenticator's secret", file.display()))
}

fn read(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Sends a body and keeps the cookies of the answer.
fn post(site: &ConfigDir, kept: &mut Kept, path: &str, body: &Value) -> anyhow::Result<Value> {
    let answer = Target::of(&site.data_dir(), kept).ask("POST", path, &body.to_string(), PATIENCE)?;
    anyhow::ensure!(answer.status < 300, "{}", detail(&answer));
    keep_cookies(kept, &answer);
    Ok(serde_json::from_str(&answer.body)?)
}

fn keep_cookies(kept: &mut Kept, answer: &Answer) {
    for cookie in &answer.cookies {
        let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
        let Some((name, value)) = pair else { continue };
        kept.cookies.retain(|(known, _)| known != name);
        kept.cookies.push((name.to_owned(), value.to_owned()));
    }
}

fn finish(account: &str, kept: &Kept, answer: &Value) -> anyhow::Result<ExitCode> {
    log_in_store::write(account, kept)?;
    let roles = answer["roles"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let (roles, hours) =
        (roles.collect::<Vec<_>>().join(", "), answer["longest_s"].as_u64().unwrap_or(0) / 3600);
    println!("已登录 {account} is logged in ({roles}) for at most {hours} h; name it with --login {account}");
    Ok(ExitCode::SUCCESS)
}

fn word(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// The password or PIN, from its file or from the terminal; a new one is asked for twice.
fn secret(file: Option<&Path>, is_new: bool) -> anyhow::Result<String> {
    if let Some(file) = file {
        return read(file);
    }
    let first = asked("口令或 PIN password or PIN: ", false)?;
    if is_new {
        anyhow::ensure!(
            asked("再输入一次 once more: ", false)? == first,
            "两次不一致 the two are not the same"
        );
    }
    Ok(first)
}

/// Asks for a line on the terminal; without `is_shown` it is not seen while it is typed.
fn asked(what: &str, is_shown: bool) -> anyhow::Result<String> {
    let (mut error, stdin) = (std::io::stderr(), std::io::stdin());
    write!(error, "{what}")?;
    error.flush()?;
    let is_hidden = !is_shown && stdin.is_terminal() && stty("-echo");
    let mut line = String::new();
    let read = stdin.lock().read_line(&mut line);
    if is_hidden {
        stty("echo");
        writeln!(error)?;
    }
    anyhow::ensure!(read? > 0, "没有输入 nothing was entered");
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Switches what the terminal shows; `false` when that is not possible.
fn stty(word: &str) -> bool {
    let done = Command::new("stty").arg(word).stdin(Stdio::inherit()).stderr(Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}
