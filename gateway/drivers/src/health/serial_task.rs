//! The task of a line on a serial port: keeps the port open.

use std::io;
use std::sync::atomic::Ordering;

use futures_util::future::BoxFuture;
use linli_domain::Reason;
use tokio_serial::SerialStream;

use super::talk::Talk;
use crate::backoff::Backoff;
use crate::port::Serial;

/// Opens the port, again after each failure, until cancelled. `read` reads from the open port; it returns `Ok` only when
/// cancelled.
pub(super) async fn keep_open(
    port: &Serial,
    talk: &mut Talk,
    mut read: impl for<'a> FnMut(&'a mut Talk, SerialStream) -> BoxFuture<'a, io::Result<()>> + Send,
) {
    let (mut backoff, cancel) = (Backoff::default(), talk.context.cancel.clone());
    while !cancel.is_cancelled() {
        talk.context.health.progress.fetch_add(1, Ordering::Relaxed);
        let failure = match port.open() {
            Ok(open) => {
                talk.context.health.opens.fetch_add(1, Ordering::Relaxed);
                talk.context.health.up.store(1, Ordering::Relaxed);
                backoff.opened();
                talk.line_is(true, String::new()).await;
                read(talk, open).await.err().map(|error| error.to_string())
            }
            Err(error) => Some(format!("{}: {error}", port.path)),
        };
        if let Some(failure) = failure {
            talk.lost(Reason::LineDown).await;
            talk.line_is(false, failure).await;
        }
        talk.context.health.up.store(0, Ordering::Relaxed);
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(backoff.next()) => {}
        }
    }
}
