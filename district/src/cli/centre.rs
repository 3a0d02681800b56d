//! `linli-district centre`: enrolment.

use anyhow::{Context, ensure};
use clap::Subcommand;
use linli_domain::Id;
use sqlx::Row;

use super::Common;
use crate::config::Checked;
use crate::enrolment::{self, Entry};
use crate::{migrate, service};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    operation: Operation,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Operation {
    /// Enrol a gateway, or change what is known of it (登记)
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
    },
    /// Hear a gateway no more (撤销)
    Revoke {
        /// The centre
        centre: String,
        /// The gateway
        gateway: String,
    },
    /// List the enrolled gateways (列表)
    List,
    /// Print the rules of mosquitto's acl_file: each gateway reads and writes its own topics only (代理权限)
    Acl {
        /// The user name of the district at the broker
        #[arg(long, default_value = "district")]
        district: String,
    },
}

// === impl Args ===

impl Args {
    /// The configuration to use.
    pub fn common(&self) -> &Common {
        &self.common
    }
}

/// Runs it.
pub async fn run(args: &Args, checked: Checked) -> anyhow::Result<()> {
    let pool = service::pool(&checked)?;
    migrate::check(&pool).await?;
    match &args.operation {
        Operation::Add { centre, gateway, name, phone, place } => {
            let entry = Entry {
                centre: id("centre", centre)?,
                gateway: id("gateway", gateway)?,
                name: name.clone(),
                phone: phone.clone(),
                place: place.as_deref().map(parse_place).transpose()?,
            };
            enrolment::add(&pool, &entry).await?;
            println!("{centre}/{gateway} 已登记 enrolled; broker user {}", enrolment::user(centre, gateway));
        }
        Operation::Revoke { centre, gateway } => {
            let was_heard =
                enrolment::revoke(&pool, &id("centre", centre)?, &id("gateway", gateway)?).await?;
            ensure!(was_heard, "{centre}/{gateway} 没有登记 is not enrolled");
            println!(
                "{centre}/{gateway} 已撤销 revoked; now renew the broker's rules: linli-district centre acl"
            );
        }
        Operation::List => {
            let rows = sqlx::query(
                "SELECT centre, gateway, coalesce(name, ''), revoked_at IS NOT NULL, coalesce(online, false) \
                 FROM gateway ORDER BY 1, 2",
            );
            for row in rows.fetch_all(&pool).await? {
                let (centre, gateway, name): (String, String, String) =
                    (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                let state = match (row.try_get::<bool, _>(3)?, row.try_get::<bool, _>(4)?) {
                    (true, _) => "已撤销 revoked",
                    (false, true) => "在线 online",
                    (false, false) => "离线 offline",
                };
                println!("{centre}/{gateway}\t{state}\t{name}");
            }
        }
        Operation::Acl { district } => print!("{}", enrolment::access_rules(&pool, district).await?),
    }
    Ok(())
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
