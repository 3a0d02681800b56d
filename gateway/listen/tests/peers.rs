//! A listener among peers that say nothing, little, or too late.
#![allow(clippy::unwrap_used, reason = "helpers of a test file")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use futures_util::stream;
use linli_listen::{Counts, Limits, UnixPeer, serve};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

const LIMITS: Limits = Limits {
    connections: 8,
    per_address: 4,
    headers: Duration::from_millis(400),
    body: Duration::from_millis(400),
};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

struct Listening {
    address: SocketAddr,
    counts: Arc<Counts>,
    cancel: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
}

async fn read_whole(body: Body) -> axum::response::Response {
    match axum::body::to_bytes(body, 1 << 20).await {
        Ok(bytes) => bytes.len().to_string().into_response(),
        Err(error) => (StatusCode::REQUEST_TIMEOUT, error.to_string()).into_response(),
    }
}

fn router() -> Router {
    let endless = || async {
        let quiet = stream::once(async { Ok::<_, std::io::Error>(Bytes::from_static(b"hello")) });
        Body::from_stream(futures_util::StreamExt::chain(quiet, stream::pending()))
    };
    let flood = || async {
        Body::from_stream(stream::repeat_with(|| {
            Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 65_536]))
        }))
    };
    Router::new()
        .route("/", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() }))
        .route("/post", post(read_whole))
        .route("/events", get(endless))
        .route("/flood", get(flood))
}

async fn listening(limits: Limits) -> Listening {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (counts, cancel) = (Arc::new(Counts::default()), CancellationToken::new());
    let serving = tokio::spawn(serve(listener, None, router(), limits, Arc::clone(&counts), cancel.clone()));
    Listening { address, counts, cancel, serving }
}

/// Sends a request and reads until the connection ends.
async fn whole(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> String {
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("an end")
        .unwrap_or_default();
    String::from_utf8_lossy(&answer).into_owned()
}

async fn ask(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    whole(&mut stream, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await
}

/// Opens a connection, sends that and keeps it open.
async fn holds(address: SocketAddr, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    stream
}

/// Waits for the first byte of an answer.
async fn begun(stream: &mut TcpStream) {
    tokio::time::timeout(PATIENCE, stream.read_u8()).await.expect("an answer").unwrap();
}

#[tokio::test]
async fn a_proper_client_gets_in_among_many_that_say_nothing() {
    let patient = Limits { headers: PATIENCE, ..LIMITS };
    let listening = listening(patient).await;
    let mut silent = Vec::new();
    for number in 0..100 {
        silent.push(holds(listening.address, if number % 2 == 0 { "" } else { "GET / HT" }).await);
    }
    let answer = ask(listening.address).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1"), "{answer}");
    assert!(listening.counts.open.load(Ordering::Relaxed) <= 8);
    assert!(listening.counts.evicted.load(Ordering::Relaxed) >= 92);
}

#[tokio::test]
async fn headers_that_do_not_come_end_the_connection() {
    let listening = listening(LIMITS).await;
    for sent in ["", "GET / HTTP/1.1\r\nHost: x\r\n"] {
        let mut stream = TcpStream::connect(listening.address).await.unwrap();
        let answer = whole(&mut stream, sent).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    // And so does a pause after an answer.
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    assert!(whole(&mut stream, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_an_error_of_the_request() {
    let listening = listening(LIMITS).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    let begun = "POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123";
    let answer = whole(&mut stream, begun).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("did not come"), "{answer}");
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    let answer = whole(&mut stream, &format!("{begun}4567890")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn streams_at_work_are_kept_and_others_are_refused_with_words() {
    let listening = listening(Limits { headers: PATIENCE, ..LIMITS }).await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        let mut stream = holds(listening.address, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n").await;
        begun(&mut stream).await;
        streams.push(stream);
    }
    // The first part is taken; that nothing follows is not the peer's fault.
    let refused = loop {
        let answer = ask(listening.address).await;
        if answer.contains("503") {
            break answer;
        }
        assert!(answer.is_empty() || answer.contains("200"), "{answer}");
    };
    assert!(refused.contains("too many connections") && refused.contains("retry-after"), "{refused}");
    drop(streams);
    tokio::time::timeout(PATIENCE, async {
        while !ask(listening.address).await.contains("200") {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("places are given back");
}

#[tokio::test]
async fn peers_that_take_no_answer_give_way() {
    let listening = listening(Limits { headers: PATIENCE, ..LIMITS }).await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        let mut stream = holds(listening.address, "GET /flood HTTP/1.1\r\nHost: x\r\n\r\n").await;
        begun(&mut stream).await;
        streams.push(stream);
    }
    let answer = ask(listening.address).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(listening.counts.refused.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn an_answer_under_way_is_given_when_the_listener_ends() {
    let listening = listening(Limits { headers: PATIENCE, body: PATIENCE, ..LIMITS }).await;
    let mut stream =
        holds(listening.address, "POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n12").await;
    let idle = holds(listening.address, "").await;
    while listening.counts.open.load(Ordering::Relaxed) < 2 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    listening.cancel.cancel();
    let answer = whole(&mut stream, "3").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    tokio::time::timeout(PATIENCE, listening.serving).await.expect("it ends").unwrap();
    assert!(TcpStream::connect(listening.address).await.is_err(), "and takes nobody any more");
    drop(idle);
}

#[tokio::test]
async fn a_handler_of_a_socket_knows_the_user_of_its_peer() {
    let dir = std::env::temp_dir().join(format!("linli-listen-{}", std::process::id()));
    let listener = UnixListener::bind(&dir).unwrap();
    let whose = |ConnectInfo(peer): ConnectInfo<UnixPeer>| async move { format!("uid {:?}", peer.uid) };
    let router = Router::new().route("/", get(whose));
    let serving =
        tokio::spawn(serve(listener, None, router, LIMITS, Arc::default(), CancellationToken::new()));
    let mut stream = UnixStream::connect(&dir).await.unwrap();
    let answer = whole(&mut stream, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    std::fs::remove_file(&dir).unwrap();
    assert!(answer.contains("uid Some("), "{answer}");
    serving.abort();
}
