//! Performance, as ratios within one run: `cargo xtask bench [NAME…]`. Each row names its target, what was measured, and the
//! limit measured beside it on the same machine in the same minute by something simpler than linli.

mod bare;
mod browser;
mod central;
mod claim;
mod commands;
mod district;
mod events;
mod idle;
mod latency;
mod measure;
mod order;
mod region;
mod register;
mod rooms;
mod rtu;
mod rules;
mod screens;
mod stop;
mod store;
mod table;
mod tcp;
mod trend;
mod uplink;

use std::process::ExitCode;

use table::BENCHES;

/// Takes an hour: it runs when it is asked for.
const BY_NAME_ONLY: &str = "hour";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["bare-tcp", rest @ ..] => bare::tcp(rest).await,
        ["bare-mqtt", rest @ ..] => bare::mqtt(rest).await,
        names => run(names).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(names: &[&str]) -> anyhow::Result<()> {
    for name in names {
        let known: Vec<&str> = BENCHES.iter().map(|(name, ..)| *name).collect();
        anyhow::ensure!(known.contains(name), "no benchmark {name:?}; there are: {}", known.join(", "));
    }
    println!("| what | target | measured | limit in this run | ratio |\n|---|---|---|---|---|");
    for (name, about, bench) in BENCHES {
        if names.contains(&name) || (names.is_empty() && name != BY_NAME_ONLY) {
            eprintln!("{name}: {about} …");
            for row in bench().await? {
                println!("{row}");
            }
        }
    }
    Ok(())
}
