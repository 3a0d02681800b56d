//! The line task of a serial health device.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use linli_domain::{Id, Layout, Reason};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::models::{self, Decoder};
use super::talk::Talk;
use super::zone::Zone;
use crate::backoff::Backoff;
use crate::line::LineContext;
use crate::port::Serial;

/// Silence after which a stream has no value any more.
const SILENT: Duration = Duration::from_secs(5);

/// Checked settings.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    pub port: Serial,
    pub model: &'static str,
    pub zone: Zone,
}

/// Opens the port and reads from it, until cancelled.
pub(super) async fn run(settings: &Settings, line: Id, layout: Arc<Layout>, context: LineContext) {
    let Some(model) = models::find(settings.model) else { return };
    let mut backoff = Backoff::default();
    let cancel = context.cancel.clone();
    let mut talk = Talk::new(line, layout, settings.zone, context);
    while !cancel.is_cancelled() {
        talk.context.health.progress.fetch_add(1, Ordering::Relaxed);
        match settings.port.open() {
            Ok(port) => {
                talk.context.health.opens.fetch_add(1, Ordering::Relaxed);
                talk.context.health.up.store(1, Ordering::Relaxed);
                backoff.opened();
                talk.line_is(true, String::new()).await;
                if let Err(error) = listen(&mut talk, (model.decoder)(), port).await {
                    talk.lost(Reason::LineDown).await;
                    talk.line_is(false, error.to_string()).await;
                }
            }
            Err(error) => {
                talk.lost(Reason::LineDown).await;
                talk.line_is(false, format!("{}: {error}", settings.port.path)).await;
            }
        }
        talk.context.health.up.store(0, Ordering::Relaxed);
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(backoff.next()) => {}
        }
    }
}

/// Reads until the port fails. Returns `Ok` when cancelled.
async fn listen(
    talk: &mut Talk,
    mut decoder: Box<dyn Decoder>,
    mut port: impl AsyncRead + Unpin,
) -> std::io::Result<()> {
    let (mut buffer, cancel) = ([0; 256], talk.context.cancel.clone());
    loop {
        let read = tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            read = tokio::time::timeout(SILENT, port.read(&mut buffer)) => read,
        };
        talk.context.health.progress.fetch_add(1, Ordering::Relaxed);
        let Ok(read) = read else {
            // A stream that stops has no value; a monitor is silent between measurements.
            if talk.is_stream() {
                talk.lost(Reason::Silent).await;
            }
            continue;
        };
        match read? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => take(talk, &mut *decoder, &buffer[..count]).await,
        }
    }
}

async fn take(talk: &mut Talk, decoder: &mut dyn Decoder, bytes: &[u8]) {
    let before = decoder.skipped();
    for byte in bytes {
        if let Some(heard) = decoder.push(*byte) {
            talk.hear(heard).await;
        }
    }
    let skipped = decoder.skipped() - before;
    talk.context.health.resync_bytes.fetch_add(skipped, Ordering::Relaxed);
}
