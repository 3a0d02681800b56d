//! `linli-district centre`: enrolment.

use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Subcommand;
use linli_domain::Id;
use serde_json::Value;

use super::Opened;
use crate::certificates::{self, Refused, Settings};
use crate::enrolment::{self, Entry};
use crate::nats_rules::{self, Login};

/// What is done with centres.
#[derive(Debug, Subcommand)]
pub enum Operation {
    /// Enrol a gateway, or change what is known of it; prints the code for its certificate (登记)
    Add {
        /// The centre, as `centre` of its facility.toml
        centre: String,
        /// The gateway, as `gateway.id` of its gateway.toml
        gateway: String,
        /// Name for people
        #[arg(long)]
        name: Option<String>,
        /// Whom to ring when it is silent
        #[arg(long)]
        phone: Option<String>,
        /// Where it is: latitude and longitude in degrees, as 31.2304,121.4737
        #[arg(long, value_name = "LAT,LON", allow_hyphen_values = true)]
        place: Option<String>,
        /// Give out no code: it has a certificate, or a password at the broker
        #[arg(long)]
        no_code: bool,
        #[command(flatten)]
        code: Validity,
    },
    /// Give out a new code for the certificate of an enrolled gateway; an earlier one is void (登记码)
    Code {
        /// The centre
        centre: String,
        /// The gateway
        gateway: String,
        #[command(flatten)]
        code: Validity,
    },
    /// Hear a gateway no more; its certificates are void (撤销)
    Revoke {
        /// The centre
        centre: String,
        /// The gateway
        gateway: String,
    },
    /// List the enrolled gateways (列表)
    List,
    /// Print the rules of mosquitto's `acl_file`: each gateway reads and writes its own topics only (代理权限)
    Acl {
        /// The user name of the district at the broker
        #[arg(long, default_value = "district")]
        district: String,
    },
    /// Print users of NATS with their permissions, for an account of servers that are there already (NATS 用户)
    ///
    /// Each gateway publishes and reads its own subjects only. It is known by the certificate that enrolment gave it: the
    /// listener has `mqtt { tls { ca_file: …, verify_and_map: true } }` with what `centre authority` prints.
    Nats {
        /// The user name of the district
        #[arg(long, default_value = "district")]
        district: String,
        /// Passwords instead of certificates: a file with lines USER:BCRYPT, as `htpasswd -nB USER` prints them
        #[arg(long, value_name = "FILE")]
        passwords: Option<std::path::PathBuf>,
        /// Print JSON, for nsc or an auth callout
        #[arg(long)]
        json: bool,
    },
    /// Print the certificate of the authority for gateways, for the broker's `cafile` (网关证书机构)
    Authority,
    /// Print the list of void certificates, for the broker's `crlfile` (已撤销的证书)
    Void,
}

/// How long a code is valid.
#[derive(Debug, clap::Args)]
pub struct Validity {
    /// Hours for which the code is valid
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=168))]
    valid: u64,
}

/// Runs it.
pub async fn run(operation: &Operation, Opened { checked, pool, by }: Opened) -> anyhow::Result<()> {
    let settings = checked.certificates.as_ref();
    match operation {
        Operation::Add { centre, gateway, name, phone, place, no_code, code } => {
            let entry = Entry {
                centre: id("centre", centre)?,
                gateway: id("gateway", gateway)?,
                name: name.clone(),
                phone: phone.clone(),
                place: place.as_deref().map(parse_place).transpose()?,
            };
            enrolment::add(&pool, &entry, &by).await?;
            println!("{centre}/{gateway} 已登记 enrolled; broker user {}", enrolment::user(centre, gateway));
            if let Some(settings) = settings.filter(|_| !no_code) {
                invite(&pool, settings, (&entry.centre, &entry.gateway), code, &by).await?;
            }
        }
        Operation::Code { centre, gateway, code } => {
            let settings = settings.ok_or_else(|| told(&Refused::NoAuthority))?;
            invite(&pool, settings, (&id("centre", centre)?, &id("gateway", gateway)?), code, &by).await?;
        }
        Operation::Revoke { centre, gateway } => {
            let was_heard =
                enrolment::revoke(&pool, &id("centre", centre)?, &id("gateway", gateway)?, &by).await?;
            ensure!(was_heard, "{centre}/{gateway} 没有登记 is not enrolled");
            println!("{centre}/{gateway} 已撤销 revoked");
            if checked.broker_files.is_none() {
                println!(
                    "请更新消息服务器的规则 now renew the broker's rules: linli-district centre acl, void"
                );
            }
        }
        Operation::List => list(&serde_json::from_str(&enrolment::list(&pool).await?)?),
        Operation::Acl { district } => print!("{}", enrolment::access_rules(&pool, district).await?),
        Operation::Nats { district, passwords, json } => {
            let group = checked.config.mqtt.group.as_str();
            nats(&pool, (district, group), passwords.as_deref(), *json).await?;
        }
        Operation::Authority => {
            let settings = settings.ok_or_else(|| told(&Refused::NoAuthority))?;
            print!("{}", settings.authority.pem);
            eprintln!("网关须核对的指纹 what gateways compare: {}", settings.fingerprint);
        }
        Operation::Void => {
            let settings = settings.ok_or_else(|| told(&Refused::NoAuthority))?;
            let now = jiff::Timestamp::now().as_millisecond();
            print!("{}", settings.authority.list(&certificates::void(&pool).await?, now)?);
        }
    }
    Ok(())
}

/// Prints the users of NATS, and says who is left out.
async fn nats(
    pool: &sqlx::PgPool,
    of: (&str, &str),
    passwords: Option<&std::path::Path>,
    is_json: bool,
) -> anyhow::Result<()> {
    let known = match passwords {
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            let hashes = nats_rules::hashes(&text).map_err(anyhow::Error::msg);
            Login::Password(hashes.with_context(|| file.display().to_string())?)
        }
        None => Login::Certificate,
    };
    let users = nats_rules::users(pool, of, &known).await?;
    for sentence in &users.left_out {
        eprintln!("没有列入 left out: {sentence}");
    }
    match is_json {
        true => println!("{:#}", users.json()),
        false => print!("{}", users.config()),
    }
    Ok(())
}

/// Gives out a code and says what is typed at the gateway.
async fn invite(
    pool: &sqlx::PgPool,
    settings: &Settings,
    of: (&Id, &Id),
    Validity { valid }: &Validity,
    by: &str,
) -> anyhow::Result<()> {
    let invited = certificates::invite(pool, of, Duration::from_secs(valid * 3600), by).await;
    let invited = invited.map_err(|refused| told(&refused))?;
    println!("{}", invited.code);
    eprintln!(
        "登记码 {valid} 小时内有效，只用一次；在网关上运行 valid for {valid} h, used once; at the gateway:\n  {}",
        settings.command(&invited.code)
    );
    Ok(())
}

fn told(refused: &Refused) -> anyhow::Error {
    anyhow::anyhow!("{} {refused}", refused.zh())
}

fn list(gateways: &Value) {
    for one in gateways.as_array().into_iter().flatten() {
        let word = |key: &str| one[key].as_str().unwrap_or_default();
        let certificate = match word("state") {
            "revoked" => "已撤销 revoked",
            "certificate" => "有证书 certificate",
            "invited" => "待登记 code given",
            "expired" => "登记码失效 code ended",
            "ended" => "证书到期 certificate ended",
            _ => "无证书 no certificate",
        };
        let is_online = one["online"] == true && word("state") != "revoked";
        let online = if is_online { "在线 online" } else { "离线 offline" };
        println!("{}/{}\t{online}\t{certificate}\t{}", word("centre"), word("gateway"), word("name"));
    }
}

fn id(what: &str, text: &str) -> anyhow::Result<Id> {
    Id::new(text).map_err(|error| anyhow::anyhow!("{what} {text:?}: {error}"))
}

fn parse_place(text: &str) -> anyhow::Result<(f64, f64)> {
    let parsed = text.split_once(',').and_then(|(lat, lon)| {
        let (lat, lon) = (lat.trim().parse::<f64>().ok()?, lon.trim().parse::<f64>().ok()?);
        ((-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon)).then_some((lat, lon))
    });
    parsed.with_context(|| format!("--place {text:?} is not a latitude and a longitude, as 31.2304,121.4737"))
}
