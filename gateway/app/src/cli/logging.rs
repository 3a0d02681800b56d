//! Where log lines go: to standard error, with the journal's priorities when systemd reads them.

use tracing_subscriber::EnvFilter;

/// Starts logging at `level` (a `tracing` filter such as `info` or `linli=debug`); the variable
/// `LINLI_LOG` overrides it.
pub fn start(level: &str) {
    let filter = EnvFilter::try_from_env("LINLI_LOG")
        .or_else(|_| EnvFilter::try_new(level))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let format =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // The journal stamps lines itself.
    if std::env::var_os("JOURNAL_STREAM").is_some() {
        format.without_time().with_ansi(false).init();
    } else {
        format.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init();
    }
}
