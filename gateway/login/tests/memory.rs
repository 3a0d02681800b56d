//! What a log-in takes of memory is given back. The only test of its program: nothing else allocates meanwhile.

use linli_login::argon2id::{COST, derive};

/// What may be kept beside, in KiB: stacks and arenas of the threads.
const SPARE: u64 = 2048;

/// Resident memory that is the process's own, in KiB.
fn own_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("RssAnon");
    line.trim_end_matches("kB").trim().parse().expect("a number")
}

#[test]
fn what_a_log_in_took_is_given_back() {
    let before = own_memory();
    for round in 0..4 {
        let key = std::thread::spawn(move || derive(b"correct horse", &[round; 16], COST)).join();
        assert!(key.expect("a thread").is_ok());
        let kept = own_memory().saturating_sub(before);
        assert!(kept < SPARE, "{kept} KiB are kept after log-in {round}");
    }
}
