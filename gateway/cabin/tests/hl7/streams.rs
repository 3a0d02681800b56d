//! Sends streams one after another; one that fails is shrunk and printed as a test.

use tokio::time::Instant;

use super::act::Act;
use super::gateway::Gateway;
use super::generate;
use super::trial::{self, Figures};

/// Streams of each run, about a minute on two cores; `LINLI_STREAMS` asks for more, `LINLI_SEED` for one.
const STREAMS: u64 = 600;

/// After this many streams a store is set aside: an old one is no slower, and a new one starts from nothing.
const OF_A_STORE: u64 = 300;

/// Runs something on a runtime whose time stands still: while a blocking task waits, it does not go on by itself.
pub fn still<T>(run: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let (done, wait) = std::sync::mpsc::sync_channel::<()>(1);
    runtime.spawn_blocking(move || wait.recv());
    let result = runtime.block_on(run);
    drop(done);
    runtime.shutdown_background();
    result
}

/// Sends a stream by itself; what is wrong with it.
pub fn alone(acts: &[Act]) -> Option<String> {
    still(async {
        let gateway = Gateway::start().await;
        let wrong = trial::run(&gateway, 0, 0, acts, &mut Figures::default()).await.1;
        gateway.stop().await;
        wrong
    })
}

/// Sends the streams of these seeds, each fault with that probability.
fn streams(seeds: impl Iterator<Item = u64>, probability: f64) -> Figures {
    let mut figures = Figures::default();
    let mut seeds = seeds.peekable();
    while seeds.peek().is_some() {
        let failed = still(async {
            let (gateway, mut from) = (Gateway::start().await, 0);
            for seed in seeds.by_ref().take(usize::try_from(OF_A_STORE).unwrap()) {
                let acts = generate::stream(seed, probability);
                let (next, wrong) = trial::run(&gateway, seed, from, &acts, &mut figures).await;
                from = next;
                if let Some(wrong) = wrong {
                    return Some((seed, acts, wrong));
                }
            }
            gateway.stop().await;
            None
        });
        if let Some((seed, acts, wrong)) = failed {
            panic!("LINLI_SEED={seed}: {wrong}\n\n{}", as_test(seed, &acts));
        }
    }
    figures
}

/// A stream that failed, shrunk, as a test for `replayed.rs`.
fn as_test(seed: u64, acts: &[Act]) -> String {
    let fails = |acts: &[Act]| alone(acts).is_some();
    let least = if fails(acts) { generate::shrunk(acts, fails) } else { acts.to_vec() };
    let lines: Vec<String> = least.iter().map(|act| serde_json::to_string(act).unwrap()).collect();
    format!("#[test]\nfn stream_{seed}() {{\n    replay(r#\"\n{}\n\"#);\n}}\n", lines.join("\n"))
}

/// The number in an environment variable, if it is one.
pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Sends the streams that are asked for, a `share`th of them unless one is named, and prints the figures.
pub fn run(probability: f64, share: u64) -> Figures {
    let began = Instant::now();
    let figures = match number("LINLI_SEED") {
        Some(seed) => streams(seed..=seed, probability),
        None => streams(0..number("LINLI_STREAMS").unwrap_or(STREAMS) / share, probability),
    };
    println!(
        "{} streams in {} s, {} messages, {} answered, {} refused, {} in visits, {} nobody's, 0 wrong, 0 lost",
        figures.streams,
        began.elapsed().as_secs(),
        figures.messages,
        figures.answered,
        figures.refused,
        figures.in_visit,
        figures.nobodys
    );
    assert_eq!(figures.messages, figures.answered);
    figures
}
