//! A listener of TLS: the version of HTTP is the peer's choice, the certificate is swapped under it, and a
//! handshake that does not end is as bad as headers that do not come.
#![allow(clippy::unwrap_used, reason = "helpers of a test file")]

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use linli_listen::{Counts, Limits, Tls, serve};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

const LIMITS: Limits = Limits {
    connections: 8,
    per_address: 4,
    headers: Duration::from_millis(400),
    body: Duration::from_millis(400),
};

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
struct Present(Mutex<Arc<CertifiedKey>>);

impl ResolvesServerCert for Present {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.lock().unwrap()))
    }
}

fn certificate() -> Arc<CertifiedKey> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = rustls::crypto::ring::default_provider();
    Arc::new(CertifiedKey::from_der(vec![made.cert.der().clone()], key, &provider).unwrap())
}

struct Listening {
    address: SocketAddr,
    counts: Arc<Counts>,
    present: Arc<Present>,
    _cancel: tokio_util::sync::DropGuard,
}

async fn listening(limits: Limits) -> Listening {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (counts, cancel) = (Arc::new(Counts::default()), CancellationToken::new());
    let present = Arc::new(Present(Mutex::new(certificate())));
    let tls = Tls::new(Arc::clone(&present) as _).unwrap();
    let router = Router::new()
        .route("/", get(|request: axum::extract::Request| async move { format!("{:?}", request.version()) }));
    let (counted, ends) = (Arc::clone(&counts), cancel.clone());
    tokio::spawn(async move { serve(listener, Some(&tls), router, limits, counted, ends).await });
    Listening { address, counts, present, _cancel: cancel.drop_guard() }
}

impl Listening {
    /// Connects as a peer that trusts the present certificate.
    async fn connect(&self, protocols: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.present.0.lock().unwrap().cert[0].clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = builder.unwrap().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(self.address).await?;
        let host = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(host, stream).await
    }
}

/// Asks over HTTP/1.1 on an open connection; returns the version that the handler saw.
async fn asks_h1(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 4096];
    let mut read = 0;
    while !String::from_utf8_lossy(&answer[..read]).contains("\r\n\r\nHTTP") {
        let more = tokio::time::timeout(PATIENCE, stream.read(&mut answer[read..])).await.unwrap().unwrap();
        assert!(more > 0, "{}", String::from_utf8_lossy(&answer[..read]));
        read += more;
    }
    String::from_utf8_lossy(&answer[..read]).rsplit("\r\n").next().unwrap().to_owned()
}

#[tokio::test]
async fn the_peer_chooses_the_version_of_http() {
    let listening = listening(Limits { headers: PATIENCE, ..LIMITS }).await;
    for protocols in [&[][..], &["http/1.1"]] {
        let mut stream = listening.connect(protocols).await.unwrap();
        assert_eq!(asks_h1(&mut stream).await, "HTTP/1.1");
    }
    let stream = listening.connect(&["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = hyper::Request::get("https://localhost/").body(Empty::<Bytes>::new()).unwrap();
    let answers = futures_util::future::join_all((0..20).map(|_| sender.send_request(request.clone()))).await;
    for answer in answers {
        let body = answer.unwrap().into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "HTTP/2.0");
    }
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_new_connections_and_open_ones_go_on() {
    let listening = listening(Limits { headers: PATIENCE, ..LIMITS }).await;
    let mut open = listening.connect(&["http/1.1"]).await.unwrap();
    let before = open.get_ref().1.peer_certificates().unwrap()[0].clone();
    assert_eq!(asks_h1(&mut open).await, "HTTP/1.1");
    *listening.present.0.lock().unwrap() = certificate();
    let mut fresh = listening.connect(&["http/1.1"]).await.unwrap();
    assert_ne!(fresh.get_ref().1.peer_certificates().unwrap()[0], before);
    assert_eq!(
        (asks_h1(&mut open).await, asks_h1(&mut fresh).await),
        ("HTTP/1.1".to_owned(), "HTTP/1.1".to_owned())
    );
}

/// Reads until the listener closes.
async fn closes(mut stream: impl tokio::io::AsyncRead + Unpin) {
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "it stays open");
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_cut_off_and_counted() {
    let listening = listening(LIMITS).await;
    closes(TcpStream::connect(listening.address).await.unwrap()).await;
    let mut half = TcpStream::connect(listening.address).await.unwrap();
    half.write_all(&[0x16, 0x03, 0x01, 0x02]).await.unwrap();
    closes(half).await;
    let mut plain = TcpStream::connect(listening.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    closes(plain).await;
    assert_eq!(listening.counts.handshakes.load(Ordering::Relaxed), 3);
    assert_eq!(listening.counts.open.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn headers_over_http_2_have_a_time_limit_too() {
    let listening = listening(LIMITS).await;
    // Nothing; the preface alone; the beginning of headers that never end (RFC 9113, 6.2).
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00".as_slice();
    let headers = [preface, b"\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82"].concat();
    for sent in [&[][..], preface, &headers] {
        let mut stream = listening.connect(&["h2"]).await.unwrap();
        stream.write_all(sent).await.unwrap();
        closes(stream).await;
    }
    assert_eq!(listening.counts.handshakes.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn handshakes_that_do_not_begin_shut_nobody_out() {
    let listening = listening(Limits { headers: PATIENCE, ..LIMITS }).await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(listening.address).await.unwrap());
    }
    let mut stream = listening.connect(&["http/1.1"]).await.unwrap();
    assert_eq!(asks_h1(&mut stream).await, "HTTP/1.1");
    assert!(listening.counts.evicted.load(Ordering::Relaxed) >= 92);
}
