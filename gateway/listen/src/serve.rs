//! The accept loop, and one connection.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::body::{TimedBody, WatchedBody};
use crate::connections::{Connections, Counts, Place};
use crate::limits::Limits;
use crate::source::Source;

/// Pause after an accept that failed: file descriptors become free meanwhile.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Longest wait for answers under way when the listener ends.
const ENDING: Duration = Duration::from_secs(5);

/// Longest time for telling a peer that it is refused.
const REFUSING: Duration = Duration::from_millis(100);

/// Bytes of headers and of read-ahead that a connection may take.
const BUFFER: usize = 64 << 10;

/// What a peer reads that is refused.
const REFUSED: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
    content-length: 78\r\nconnection: close\r\nretry-after: 5\r\n\r\n\
    {\"status\":503,\"detail\":\"too many connections are at work; try again in 5 s\"}  ";

/// Serves connections until cancelled; answers under way are then still given.
pub async fn serve<S: Source>(
    mut source: S,
    router: Router,
    limits: Limits,
    counts: Arc<Counts>,
    cancel: CancellationToken,
) {
    let connections = Arc::new(Connections::new(Arc::clone(&counts)));
    let tasks = TaskTracker::new();
    let mut has_failed = false;
    loop {
        let accepted = tokio::select! {
            () = cancel.cancelled() => break,
            accepted = source.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                counts.failed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if !std::mem::replace(&mut has_failed, true) {
                    tracing::warn!(%error, "a connection cannot be accepted; it is tried again");
                }
                tokio::select! {
                    () = cancel.cancelled() => break,
                    () = tokio::time::sleep(AFTER_FAILURE) => continue,
                }
            }
        };
        has_failed = false;
        match connections.take(S::address(&peer), &limits) {
            Some(place) => {
                let service = with_peer(router.clone(), peer);
                tasks.spawn(hold(stream, service, place, limits, cancel.clone()));
            }
            None => drop(tasks.spawn(refuse(stream))),
        }
    }
    drop(source);
    tasks.close();
    if tokio::time::timeout(ENDING, tasks.wait()).await.is_err() {
        tracing::warn!(open = tasks.len(), "connections are closed although they are at work");
    }
}

/// The service of one connection: its handlers can ask for its peer.
fn with_peer<P: Clone + Send + Sync + 'static>(router: Router, peer: P) -> Router {
    router.layer(axum::Extension(ConnectInfo(peer)))
}

/// Serves one connection until it ends, gives way to another one, or the listener ends.
async fn hold<T>(stream: T, router: Router, place: Place, limits: Limits, cancel: CancellationToken)
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::clone(&place.activity);
    let inner = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| {
        activity.works();
        let request = request.map(|body| Body::new(TimedBody::new(Body::new(body), limits.body)));
        let answer = hyper::service::Service::call(&inner, request);
        let activity = Arc::clone(&activity);
        async move {
            let answer: axum::response::Response = answer.await?;
            Ok::<_, std::convert::Infallible>(answer.map(|body| WatchedBody::new(body, activity)))
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.headers).max_buf_size(BUFFER);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let mut is_ending = false;
    loop {
        tokio::select! {
            // Errors are those of the peer: it left, or it speaks no HTTP.
            _ended = connection.as_mut() => return,
            () = place.close.cancelled() => return,
            () = cancel.cancelled(), if !is_ending => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Tells a peer that it is refused, if it takes that at once.
async fn refuse<T: tokio::io::AsyncWrite + Unpin>(mut stream: T) {
    let told = async {
        stream.write_all(REFUSED).await?;
        stream.shutdown().await
    };
    let _ = tokio::time::timeout(REFUSING, told).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_refused_peer_reads_has_the_length_it_names() {
        let text = std::str::from_utf8(REFUSED).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
    }
}
