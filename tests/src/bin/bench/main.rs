//! Performance, as ratios within one run: `cargo xtask bench [NAME…]`. Each row names its target, what was measured, and the
//! limit measured beside it on the same machine in the same minute by something simpler than linli.

mod bare;
mod commands;
mod district;
mod events;
mod idle;
mod latency;
mod measure;
mod region;
mod rooms;
mod rtu;
mod rules;
mod screens;
mod stop;
mod store;
mod tcp;
mod trend;
mod uplink;

use std::process::ExitCode;

use futures_util::future::LocalBoxFuture;
use measure::Row;

type Run = fn() -> LocalBoxFuture<'static, anyhow::Result<Vec<Row>>>;

/// A benchmark: its name, what it is for, how it runs.
const BENCHES: [(&str, &str, Run); 16] = [
    ("tcp", "Modbus TCP: 100 000 values/s stored and delivered", || Box::pin(tcp::run())),
    ("idle", "memory and CPU with little to do", || Box::pin(idle::run())),
    ("rtu", "use of a serial line, with and without dead devices", || Box::pin(rtu::run())),
    ("latency", "from the device's answer to the subscriber", || Box::pin(latency::run())),
    ("command", "from MQTT to the wire, and to the answer", || Box::pin(commands::run())),
    ("mode", "the mode switch: from a stop to the wire, decisions for 168 rooms", || {
        Box::pin(async { Ok([stop::run().await?, rooms::run().await?].concat()) })
    }),
    ("events", "from a monitor's message to a screen", || Box::pin(events::run())),
    ("rules", "what 10 000 points under rules cost", || Box::pin(rules::run())),
    ("store", "bytes per value, rows per second, reopening a gigabyte", || Box::pin(store::run())),
    ("uplink", "delivery of a backlog", || Box::pin(uplink::run())),
    ("district", "from a broker's queue into PostgreSQL", || Box::pin(district::run())),
    ("contention", "copies of the district that want the same row", || Box::pin(district::contention())),
    ("cluster", "a district's three brokers and two copies", || Box::pin(district::cluster())),
    ("region", "twenty thousand centres at a sixtieth of their rate", || Box::pin(region::run())),
    ("trend", "trends of 90 days", || Box::pin(trend::run())),
    ("screens", "twenty panels beside 10 000 values/s", || Box::pin(screens::run())),
];

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
        if names.is_empty() || names.contains(&name) {
            eprintln!("{name}: {about} …");
            for row in bench().await? {
                println!("{row}");
            }
        }
    }
    Ok(())
}
