//! The command line. Exit codes: 0 success, 1 failure, 2 wrong usage or configuration.

mod audit;
mod centre;
mod demo;
mod demo_people;
mod sample;
mod simulated;
mod users;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use sqlx::PgPool;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{self, Checked};
use crate::{migrate, service};

/// Pause before a database that takes no writes is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// Exit code for wrong usage or configuration.
const WRONG: u8 = 2;

/// The district of linli gateways (邻里区级平台).
///
/// Stores what every centre delivers, tells each gateway what is stored, distributes signed orders.
/// Any number of copies share the work. Start with `linli-district demo`, which needs no configuration.
#[derive(Debug, Parser)]
#[command(name = "linli-district", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run one copy of the service (运行)
    Run(Common),
    /// Make the tables of the database, or bring them up to date (建立或升级数据库)
    Migrate {
        /// Wait this long for a database that does not answer, or takes no writes yet, such as `60s` in a unit (等待数据库)
        #[arg(long, value_name = "SECONDS", default_value = "0s", value_parser = seconds)]
        wait: Duration,
        #[command(flatten)]
        common: Common,
    },
    /// Check the configuration; with a database that answers, its format too (检查配置)
    Check(Common),
    /// Enrol centres, list and revoke them, write the broker's rules (中心登记)
    Centre(On<centre::Operation>),
    /// Add accounts, list, disable and reset them (账号)
    Users(On<users::Operation>),
    /// Show and verify the record of who did what (审计记录)
    Audit(On<audit::Operation>),
    /// Run a district on this machine: broker, database, simulated centres (演示)
    Demo(demo::Args),
}

/// What verbs with a configuration have in common.
#[derive(Debug, Clone, clap::Args)]
struct Common {
    /// Configuration file
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "/etc/linli-district/district.toml",
        env = "LINLI_DISTRICT_CONFIG"
    )]
    config: PathBuf,
}

/// A verb with operations on the database.
#[derive(Debug, clap::Args)]
struct On<O: Subcommand> {
    #[command(subcommand)]
    operation: O,
    #[command(flatten)]
    common: Common,
}

/// What such an operation works with.
struct Opened {
    checked: Checked,
    pool: PgPool,
    /// Who does it, as the record names them.
    by: String,
}

// === impl Opened ===

impl Opened {
    /// Opens a database of this program's format.
    async fn new(checked: Checked) -> anyhow::Result<Self> {
        let pool = service::pool(&checked).await?;
        migrate::check(&pool).await?;
        Ok(Self { checked, pool, by: local() })
    }
}

/// Parses the command line and runs the verb.
#[must_use]
pub fn main() -> ExitCode {
    let verb = Cli::parse().verb;
    match &verb {
        Verb::Run(common) => with(common, |checked| {
            log();
            block_on(async move { service::run(checked, stopping()?).await })
        }),
        Verb::Migrate { wait, common } => with(common, |checked| {
            block_on(async move {
                let found = migrate::migrate(&writable(&checked, *wait).await?).await?;
                println!("数据库格式 {found} → {to}  database format {found} → {to}", to = migrate::FORMAT);
                Ok(())
            })
        }),
        Verb::Check(common) => with(common, |checked| {
            block_on(async move {
                migrate::check(&service::pool(&checked).await?).await?;
                println!("配置和数据库正确  configuration and database are right");
                Ok(())
            })
        }),
        Verb::Centre(On { operation, common }) => on(common, |opened| centre::run(operation, opened)),
        Verb::Users(On { operation: users::Operation::Code { file }, .. }) => told(users::code(file)),
        Verb::Users(On { operation, common }) => on(common, |opened| users::run(operation, opened)),
        Verb::Audit(On { operation, common }) => on(common, |opened| audit::run(operation, opened)),
        Verb::Demo(args) => {
            log();
            told(block_on(demo::run(args)))
        }
    }
}

fn with(common: &Common, verb: impl FnOnce(Checked) -> anyhow::Result<()>) -> ExitCode {
    match config::load(&common.config) {
        Ok(checked) => told(verb(checked)),
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::from(WRONG)
        }
    }
}

/// Seconds up to an hour, as `60` or `60s`.
fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix('s').unwrap_or(text).parse().ok().filter(|seconds| *seconds <= 3600);
    number.map(Duration::from_secs).ok_or_else(|| "write seconds, at most an hour, such as 60s".to_owned())
}

/// Opens a database that takes writes, and waits for it if it is to.
async fn writable(checked: &Checked, wait: Duration) -> anyhow::Result<PgPool> {
    if wait.is_zero() {
        return service::pool(checked).await;
    }
    let until = Instant::now() + wait;
    let mut last = String::new();
    loop {
        let pool = service::pool(checked).await?;
        let why = match migrate::takes_writes(&pool).await {
            Ok(true) => return Ok(pool),
            Ok(false) => "it takes no writes yet".to_owned(),
            Err(error) => error.to_string(),
        };
        if Instant::now() >= until {
            return Ok(pool);
        }
        if why != last {
            eprintln!("等待数据库 waiting for the database: {why}");
            last = why;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Runs an operation on the database.
fn on<F: Future<Output = anyhow::Result<()>>>(common: &Common, verb: impl FnOnce(Opened) -> F) -> ExitCode {
    with(common, |checked| block_on(async move { verb(Opened::new(checked).await?).await }))
}

fn told(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("linli-district: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The user of this machine, as the record names them.
fn local() -> String {
    let uid = std::fs::metadata("/proc/self").map(|process| std::os::unix::fs::MetadataExt::uid(&process));
    uid.map_or_else(|_| "local".to_owned(), |uid| format!("local:{uid}"))
}

fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// Logs to standard error; `LINLI_LOG` sets the level.
fn log() {
    let asked = std::env::var("LINLI_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    // The database's library tells of each idle connection that ended.
    let usual =
        || Targets::new().with_default(tracing::Level::INFO).with_target("sqlx", tracing::Level::WARN);
    let filter = asked.unwrap_or_else(usual);
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let format = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    tracing_subscriber::registry().with(filter).with(format.with_ansi(is_terminal)).init();
}

/// Cancelled by SIGTERM or SIGINT.
fn stopping() -> anyhow::Result<CancellationToken> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let cancel = CancellationToken::new();
    let stopped = cancel.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        tracing::info!("stopping");
        stopped.cancel();
    });
    Ok(cancel)
}
