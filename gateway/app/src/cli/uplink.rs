//! `linli uplink`: the certificate with which this gateway connects to its district.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use linli_config::{Checked, files};
use linli_enrol::{Certified, District, Files, Lines, MqttTable};
use serde_json::json;

use super::config_dir::ConfigDir;

/// Get this gateway's certificate for its district, renew it, show it.
///
/// The district's `linli-district centre add` prints a one-time code and the fingerprint of its authority. Here a private
/// key is made, which never leaves this machine, and the certificate is asked for over TLS, after whoever answers has
/// shown that fingerprint. A running gateway renews it by itself with a third of its validity left; restarts nothing.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli uplink enrol --district https://district.example:8443 --code K7QF-9M2X-0V3B-6TRD \\\n    --fingerprint 4F:0A:…\n  linli uplink enrol --district https://district.example:8443 --code - --write < code.txt\n  linli uplink show\n  linli uplink renew\n  linli uplink undo"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    site: ConfigDir,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Ask the district for a certificate with a one-time code (向区级平台登记)
    Enrol {
        /// Address of the district, `https://HOST:PORT`
        #[arg(long, value_name = "URL")]
        district: String,
        /// The one-time code; `-` reads it from standard input
        #[arg(long)]
        code: String,
        /// SHA-256 fingerprint of the district's authority; without it the certificates that this system trusts decide
        #[arg(long, value_name = "SHA256")]
        fingerprint: Option<String>,
        /// Write the lines into gateway.toml; what they replace stays as a comment, `linli uplink undo` takes it back
        #[arg(long)]
        write: bool,
    },
    /// Show the certificate and until when it is valid (查看证书)
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Ask for the next certificate now (立即更新证书)
    Renew,
    /// Put gateway.toml back as it was before `enrol --write` (恢复配置)
    Undo,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Enrol { district, code, fingerprint, write } => {
            let checked = linli_config::load(&args.site.config)?;
            enrol(&args.site, &checked, (district, code, fingerprint.as_deref()), *write)?;
        }
        Verb::Show { json } => show(args, *json)?,
        Verb::Renew => renew(args)?,
        Verb::Undo => undo(&args.site.config)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn enrol(
    site: &ConfigDir,
    checked: &Checked,
    (url, code, fingerprint): (&str, &str, Option<&str>),
    write: bool,
) -> anyhow::Result<()> {
    let (centre, gateway) = (checked.centre.id.as_str(), checked.gateway.id.as_str());
    let code = match code {
        "-" => {
            let mut text = String::new();
            std::io::stdin().take(1024).read_to_string(&mut text)?;
            text.trim().to_owned()
        }
        code => code.to_owned(),
    };
    eprintln!("正在核对区级平台 comparing the district's fingerprint: {url}");
    let district = District::reach(url, fingerprint)?;
    eprintln!("正在申请证书 asking for the certificate of {centre}/{gateway}");
    let files = Files::below(&checked.data_dir()?);
    let given = files.enrol(&district, (centre, gateway, &code))?;
    let lines = Lines::of(
        &given,
        (&std::path::absolute(files.identity())?, &std::path::absolute(files.trust())?),
        url,
    );
    println!(
        "证书已保存，有效期至 the certificate is kept, valid until {}: {}",
        checked.centre.zone.shown(given.until),
        files.identity().display()
    );
    if write {
        return insert(&site.config, &lines);
    }
    println!("请写入 gateway.toml，然后 linli reload  for gateway.toml, then `linli reload`:\n\n{lines}");
    Ok(())
}

/// The configuration as it was before.
fn before(config: &Path) -> PathBuf {
    config.join("gateway.toml.before-enrolment")
}

/// Writes the lines into gateway.toml; a configuration that is not right then stays as it was.
fn insert(config: &Path, lines: &Lines) -> anyhow::Result<()> {
    let path = config.join("gateway.toml");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let told = || format!("gateway.toml 没有改动，请手工写入 it stays as it was; write by hand:\n\n{lines}");
    let new = MqttTable::with(&text, lines).with_context(told)?;
    if !before(config).exists() {
        files::replace(&before(config), text.as_bytes())?;
    }
    files::replace(&path, new.as_bytes())?;
    if let Err(report) = linli_config::load(config) {
        files::replace(&path, text.as_bytes())?;
        return Err(anyhow::Error::from(report).context(told()));
    }
    println!(
        "已写入 written: {}\n启用 to use it: linli reload\n恢复 to take it back: linli uplink undo",
        path.display()
    );
    Ok(())
}

fn undo(config: &Path) -> anyhow::Result<()> {
    let (path, kept) = (config.join("gateway.toml"), before(config));
    let text = std::fs::read(&kept)
        .with_context(|| format!("{}: 没有可恢复的配置 there is nothing to put back", kept.display()))?;
    files::replace(&path, &text)?;
    std::fs::remove_file(&kept)?;
    println!("已恢复，然后 linli reload  put back, then `linli reload`: {}", path.display());
    Ok(())
}

/// The file with key and certificate: of the configuration, else where enrolment puts it.
fn identity(checked: &Checked) -> anyhow::Result<PathBuf> {
    let configured = checked.uplink.as_ref().and_then(|uplink| uplink.tls.as_ref()?.identity.as_ref());
    match configured {
        Some((certificate, _)) => Ok(certificate.clone()),
        None => Ok(Files::below(&checked.data_dir()?).identity()),
    }
}

fn show(args: &Args, is_json: bool) -> anyhow::Result<()> {
    let checked = linli_config::load(&args.site.config)?;
    let path = identity(&checked)?;
    let certified = Certified::read(&path)
        .context("没有证书，请先登记 there is no certificate; enrol first: linli uplink enrol")?;
    let about = &certified.certificate;
    let renews = checked.uplink.as_ref().and_then(|uplink| uplink.tls.as_ref()?.renew.clone());
    if is_json {
        let shown = json!({"file": path, "certificate": about, "renewed_at": certified.renewed_at(), "district": renews});
        println!("{}", serde_json::to_string_pretty(&shown)?);
        return Ok(());
    }
    let zone = &checked.centre.zone;
    println!("{}\n  {}\n  SHA-256  {}", path.display(), about.subject, about.fingerprint);
    println!("  until    {}", zone.shown(about.not_after));
    match renews {
        Some(district) => println!("  renewed  {} ({district})", zone.shown(certified.renewed_at())),
        None => println!("  不会自动更新 not renewed by itself: [mqtt] tls.renew names no district"),
    }
    if let Some(why) = about.is_void(super::now()) {
        println!("\n!! 证书无效，请重新登记 {why}; enrol anew with a code of the district");
    }
    Ok(())
}

fn renew(args: &Args) -> anyhow::Result<()> {
    let checked = linli_config::load(&args.site.config)?;
    let tls = checked.uplink.as_ref().and_then(|uplink| uplink.tls.as_ref());
    let (path, district) = crate::runtime::uplink_certificate::renewing(tls).context(
        "[mqtt] tls.renew 没有写区级平台 names no district; enrol first: linli uplink enrol --write",
    )?;
    let district = crate::runtime::uplink_certificate::district(tls, &district)?;
    let given = Files::renew(&path, &district)?;
    println!(
        "证书已更新，有效期至 the certificate is renewed, valid until {}; 下次连接时使用 used with the next connection",
        checked.centre.zone.shown(given.until)
    );
    Ok(())
}
