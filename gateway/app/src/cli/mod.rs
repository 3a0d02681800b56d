//! The command line. Each verb is a file here and a variant of `Verb`.
//!
//! Exit codes: 0 success, 1 failure, 2 wrong usage or configuration.

mod alarms;
mod answer;
mod audit;
mod backup;
pub mod check;
mod command;
mod config_dir;
mod demo;
mod devices;
mod doctor;
mod drill;
mod export;
mod fhir;
mod flash;
mod food;
pub mod init;
mod kiosks;
mod line_findings;
mod log_in_store;
mod logging;
mod login;
mod mode;
mod node;
mod openapi;
mod order;
mod outreach;
mod pipe;
mod port;
mod probe;
mod progress;
mod proposal;
mod provision;
mod reload;
mod remote;
mod residents;
mod run;
mod scan;
mod scan_network;
pub mod schema;
mod slip;
mod socket;
mod target;
mod tls;
mod uplink;
mod users;
mod visits;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit code for wrong usage or configuration.
pub const WRONG: u8 = 2;

/// Edge gateway for public community centres (邻里中心边缘网关).
///
/// Collects data from devices, forwards it over MQTT and loses nothing that it has accepted.
/// Start with `linli demo`, which needs no configuration; then `linli init`, `linli check`, `linli run`.
#[derive(Debug, Parser)]
#[command(name = "linli", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the gateway (运行网关)
    Run(run::Args),
    /// Run a simulated centre with its own broker (演示)
    Demo(demo::Args),
    /// Check a configuration completely; opens no port (检查配置)
    Check(check::Args),
    /// Write a commented configuration to start from (生成配置)
    Init(init::Args),
    /// Print the JSON Schema of the configuration (输出配置模式)
    Schema(schema::Args),
    /// Print the OpenAPI document of the HTTP interface (输出接口文档)
    Openapi(openapi::Args),
    /// List the device profiles, or explain one (设备型号)
    Devices(devices::Args),
    /// Find the units on a Modbus line, with a progress bar (扫描总线)
    Scan(scan::Args),
    /// Read one device once and show every point (读取一台设备)
    Probe(probe::Args),
    /// Write one point of a device and read it back (下发命令)
    Command(command::Args),
    /// Show alarms, acknowledge, reset, shelve them (报警)
    Alarms(alarms::Args),
    /// Show kiosks, the matters they offer, their availability (政务终端)
    Kiosks(kiosks::Args),
    /// Open, end, show and erase visits to the health cabin (健康小屋就诊)
    Visits(visits::Args),
    /// Make and print result slips of visits (结果单)
    Slip(slip::Args),
    /// Visits for the FHIR server: what waits, what it refuses (FHIR 队列)
    Fhir(fhir::Args),
    /// Find residents, show their visits, list who is due, join two records (居民档案)
    Residents(residents::Args),
    /// Record samples and cooling, sign the daily record (食品安全)
    Food(food::Args),
    /// Write measurements as FHIR R4 or CSV, or the record of the canteen (导出)
    Export(export::Args),
    /// Switch rooms between normal and emergency mode: preview, watch, confirm, stop, report (平急转换)
    Mode(mode::Args),
    /// Drill a mode switch: order it, carry it out, report it (演练)
    Drill(drill::Args),
    /// Write, sign, show and verify orders to change the mode of a centre (指令)
    Order(order::Args),
    /// Update our own nodes with signed firmware, resumable and verified (升级节点)
    Flash(flash::Args),
    /// Set up a new node: address, name, kind, calibration, label (设置新节点)
    Provision(provision::Args),
    /// Status, log, self-test and calibration of a node, and the maintenance record (节点维护)
    Node(node::Args),
    /// Look at outlines drawn on the map, apply or take back one (平面图修改建议)
    Proposal(proposal::Args),
    /// Apply the changed configuration to the running gateway (重新加载配置)
    Reload(reload::Args),
    /// Write a consistent copy of the database, also while the gateway runs (备份)
    Backup(backup::Args),
    /// Show, renew or import the certificate of the listeners (证书)
    Tls(tls::Args),
    /// Get the certificate for the district, renew and show it (区级平台证书)
    Uplink(uplink::Args),
    /// Who did what: show, verify, export the record (审计记录)
    Audit(audit::Args),
    /// Accounts of people, shared screens, break-glass codes (账号)
    Users(users::Args),
    /// Log in as a person, here or at a gateway elsewhere (登录)
    Login(login::Args),
    /// End a log-in (退出登录)
    Logout(login::LogoutArgs),
    /// Report the state of configuration, database and gateway (诊断)
    Doctor(doctor::Args),
}

/// Parses the command line and runs the verb.
#[must_use]
pub fn main() -> ExitCode {
    let verb = Cli::parse().verb;
    pipe::until_the_reader_leaves(|| run(verb))
}

fn run(verb: Verb) -> ExitCode {
    let outcome = match verb {
        Verb::Run(args) => run::run(&args),
        Verb::Demo(args) => demo::run(&args),
        Verb::Check(args) => check::run(&args),
        Verb::Init(args) => init::run(&args),
        Verb::Schema(args) => schema::run(&args),
        Verb::Openapi(args) => openapi::run(&args),
        Verb::Devices(args) => devices::run(&args),
        Verb::Scan(args) => scan::run(&args),
        Verb::Probe(args) => probe::run(&args),
        Verb::Command(args) => command::run(&args),
        Verb::Alarms(args) => alarms::run(&args),
        Verb::Kiosks(args) => kiosks::run(&args),
        Verb::Visits(args) => visits::run(&args),
        Verb::Slip(args) => slip::run(&args),
        Verb::Fhir(args) => fhir::run(&args),
        Verb::Residents(args) => residents::run(&args),
        Verb::Food(args) => food::run(&args),
        Verb::Export(args) => export::run(&args),
        Verb::Mode(args) => mode::run(&args),
        Verb::Drill(args) => drill::run(&args),
        Verb::Order(args) => order::run(&args),
        Verb::Flash(args) => flash::run(&args),
        Verb::Provision(args) => provision::run(&args),
        Verb::Node(args) => node::run(&args),
        Verb::Proposal(args) => proposal::run(&args),
        Verb::Reload(args) => reload::run(&args),
        Verb::Backup(args) => backup::run(&args),
        Verb::Tls(args) => tls::run(&args),
        Verb::Uplink(args) => uplink::run(&args),
        Verb::Audit(args) => audit::run(&args),
        Verb::Users(args) => users::run(&args),
        Verb::Login(args) => login::run(&args),
        Verb::Logout(args) => login::log_out(&args),
        Verb::Doctor(args) => doctor::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("linli: {error:#}{}", way_in(&error));
        match error.downcast_ref::<linli_config::Report>() {
            Some(_) => ExitCode::from(WRONG),
            None => ExitCode::FAILURE,
        }
    })
}

/// What helps whoever may not read a file of the gateway.
fn way_in(error: &anyhow::Error) -> &'static str {
    let denied = |error: &std::io::Error| error.kind() == std::io::ErrorKind::PermissionDenied;
    match error.chain().filter_map(|cause| cause.downcast_ref()).any(denied) {
        true if !rustix::process::geteuid().is_root() => {
            "; it is the gateway's: try with sudo 只有网关的用户可读，请用 sudo"
        }
        _ => "",
    }
}

/// The present time of the system clock.
fn now() -> linli_domain::Timestamp {
    linli_drivers::Clock::now(&crate::runtime::clock::SystemClock::default()).at
}

/// A single-threaded runtime for verbs that are not asynchronous as a whole.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_verb_teaches_by_example() {
        Cli::command().debug_assert();
        for verb in Cli::command().get_subcommands() {
            let help = verb.clone().render_long_help().to_string();
            assert!(help.contains("Examples"), "{} --help has no examples", verb.get_name());
        }
    }
}
