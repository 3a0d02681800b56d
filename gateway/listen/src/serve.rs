//! The accept loop, and one connection.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::MissedTickBehavior;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::body::{TimedBody, WatchedBody};
use crate::connections::{Connections, Counts, Place};
use crate::limits::Limits;
use crate::secure::Tls;
use crate::source::Source;

/// Pause after an accept that failed: file descriptors become free meanwhile.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Longest wait for answers under way when the listener ends.
const ENDING: Duration = Duration::from_secs(5);

/// Longest time for telling a peer that it is refused.
const REFUSING: Duration = Duration::from_millis(100);

/// Bytes of headers and of read-ahead that a connection may take.
const BUFFER: usize = 64 << 10;

/// Most requests at once on a connection of HTTP/2: the event streams of many tabs and what they load.
const STREAMS: u32 = 64;

/// Bytes of headers of a request over HTTP/2.
const HEADERS: u32 = 32 << 10;

/// Bytes of a body that a peer may send before they are read (HTTP/2).
const WINDOW: u32 = 64 << 10;

/// Looks at a connection within the time limit of headers.
const LOOKS: u32 = 4;

/// What a peer reads that is refused.
const REFUSED: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
    content-length: 78\r\nconnection: close\r\nretry-after: 5\r\n\r\n\
    {\"status\":503,\"detail\":\"too many connections are at work; try again in 5 s\"}  ";

/// A byte stream of either kind.
trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Transport for T {}

/// What the connections of a listener share.
struct Shared {
    limits: Limits,
    tls: Option<Arc<ServerConfig>>,
    counts: Arc<Counts>,
}

/// Serves connections until cancelled, over TLS if it is given; answers under way are then still given.
pub async fn serve<S: Source>(
    mut source: S,
    tls: Option<&Tls>,
    router: Router,
    limits: Limits,
    counts: Arc<Counts>,
    cancel: CancellationToken,
) {
    let tls = tls.map(|tls| Arc::clone(&tls.http));
    let shared = Arc::new(Shared { limits, tls, counts: Arc::clone(&counts) });
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
                counts.failed.fetch_add(1, Ordering::Relaxed);
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
                tasks.spawn(hold(stream, service, place, Arc::clone(&shared), cancel.clone()));
            }
            // Words for a peer of TLS would cost a handshake.
            None if shared.tls.is_some() => drop(stream),
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
async fn hold<T: Transport>(
    stream: T,
    router: Router,
    place: Place,
    shared: Arc<Shared>,
    cancel: CancellationToken,
) {
    let Some(tls) = &shared.tls else {
        return converse(stream, false, router, place, shared.limits, cancel).await;
    };
    let handshake = TlsAcceptor::from(Arc::clone(tls)).accept(stream);
    let shaken = tokio::select! {
        () = place.close.cancelled() => return,
        () = cancel.cancelled() => return,
        shaken = tokio::time::timeout(shared.limits.headers, handshake) => shaken,
    };
    match shaken {
        Ok(Ok(stream)) => {
            let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            converse(stream, is_h2, router, place, shared.limits, cancel).await;
        }
        // The peer speaks no TLS, or does not trust the certificate, or says nothing.
        Ok(Err(_)) | Err(_) => drop(shared.counts.handshakes.fetch_add(1, Ordering::Relaxed)),
    }
}

/// Answers the requests of one connection.
async fn converse<T: Transport>(
    stream: T,
    is_h2: bool,
    router: Router,
    place: Place,
    limits: Limits,
    cancel: CancellationToken,
) {
    let activity = Arc::clone(&place.activity);
    let inner = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| {
        let exchange = activity.begins();
        let request = request.map(|body| Body::new(TimedBody::new(Body::new(body), limits.body)));
        let answer = hyper::service::Service::call(&inner, request);
        async move {
            let answer: axum::response::Response = answer.await?;
            Ok::<_, std::convert::Infallible>(answer.map(|body| WatchedBody::new(body, exchange)))
        }
    });
    let stream = TokioIo::new(stream);
    if is_h2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(HEADERS)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(4 * WINDOW)
            .max_send_buf_size(BUFFER)
            .keep_alive_interval(limits.headers)
            .keep_alive_timeout(limits.headers);
        let connection = builder.serve_connection(stream, service);
        drive(connection, |connection| connection.graceful_shutdown(), true, &place, limits, cancel).await;
    } else {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(limits.headers).max_buf_size(BUFFER);
        let connection = builder.serve_connection(stream, service);
        drive(connection, |connection| connection.graceful_shutdown(), false, &place, limits, cancel).await;
    }
}

/// Drives a connection. Where hyper has no time limit for headers, as over HTTP/2, a connection ends that has no
/// request for as long.
async fn drive<C: Future>(
    connection: C,
    end: impl Fn(Pin<&mut C>),
    is_watched: bool,
    place: &Place,
    limits: Limits,
    cancel: CancellationToken,
) {
    tokio::pin!(connection);
    let mut is_ending = false;
    let mut look = tokio::time::interval(limits.headers / LOOKS);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            // Errors are those of the peer: it left, or it speaks no HTTP.
            _ended = connection.as_mut() => return,
            () = place.close.cancelled() => return,
            () = cancel.cancelled(), if !is_ending => {
                is_ending = true;
                end(connection.as_mut());
            }
            _ = look.tick(), if is_watched => {
                if place.activity.rests_since().is_some_and(|since| since.elapsed() >= limits.headers) {
                    // A peer that is there is told (GOAWAY); one that takes nothing is not waited for.
                    end(connection.as_mut());
                    let _ = tokio::time::timeout(REFUSING, connection.as_mut()).await;
                    return;
                }
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
