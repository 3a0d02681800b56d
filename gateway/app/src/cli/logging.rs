//! Logging to standard error, with the priorities of the journal when systemd reads it.

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging at `level` (a level such as `info`, or targets such as `warn,linli_drivers=debug`);
/// the variable `LINLI_LOG` overrides it.
pub fn start(level: &str) {
    let asked = std::env::var("LINLI_LOG").ok();
    let targets = |text: &str| text.parse::<Targets>().ok();
    let filter = asked.as_deref().and_then(targets).or_else(|| targets(level));
    let filter = filter.unwrap_or_else(|| Targets::new().with_default(tracing::Level::INFO));
    let format = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let log = tracing_subscriber::registry().with(filter);
    // The journal adds the time itself.
    if std::env::var_os("JOURNAL_STREAM").is_some() {
        log.with(format.without_time().with_ansi(false)).init();
    } else {
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        log.with(format.with_ansi(is_terminal)).init();
    }
}
