//! `cargo xtask torture district [--kills N] [--seed S]`: kills and other faults, and the proof that nothing is lost.

use std::process::ExitCode;

use linli_tests::torture;

/// Kills without `--kills`.
const KILLS: usize = 200;

/// The order of the faults without `--seed`.
const SEED: u64 = 20;

const HELP: &str = "usage: cargo xtask torture district [--kills N] [--seed S]";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((kills, seed)) = read(&arguments) else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    let faults = torture::schedule(kills, seed);
    println!("{} faults, seed {seed}", faults.len());
    match torture::run(&faults, seed).await {
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("torture: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Kills and seed, if nothing else is asked for.
fn read(arguments: &[String]) -> Option<(usize, u64)> {
    let (mut kills, mut seed) = (KILLS, SEED);
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut rest = match words.split_first() {
        Some((&"district", rest)) => rest,
        _ => return None,
    };
    while let Some((&name, more)) = rest.split_first() {
        let (value, more) = more.split_first()?;
        match name {
            "--kills" => kills = value.parse().ok().filter(|kills| (1..=100_000).contains(kills))?,
            "--seed" => seed = value.parse().ok()?,
            _ => return None,
        }
        rest = more;
    }
    Some((kills, seed))
}
