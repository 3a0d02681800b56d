//! NATS JetStream: the messages that its MQTT listener keeps, by a durable pull consumer that all copies share.
//!
//! The server stores what centres publish in the stream `$MQTT_msgs`, whose retention is by interest: without this
//! consumer it acknowledges messages and keeps none. So the consumer is made at every connection, and it stays; the
//! stream too where it is missing, which nats-server itself makes when the first gateway connects. What is handed out
//! and not acknowledged within [`ACK_WAIT`] is handed out again. The protocol is a few lines of text (docs.nats.io,
//! "Client Protocol", "JetStream wire API"); what is needed of it stands here.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::{Buf, Bytes, BytesMut};
use mqtt_v5::tokio_rustls::TlsConnector;
use mqtt_v5::tokio_rustls::rustls::pki_types::ServerName;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{Delivery, Publisher, Receipt, Source, SourceStatus};
use crate::config::{Checked, Engine};

/// The stream of the MQTT listener.
const STREAM: &str = "$MQTT_msgs";

/// JetStream's error for a stream that is not there (nats-server 2.9, errors.json, `JSStreamNotFoundErr`).
const NO_STREAM: u64 = 10059;

/// Servers of a cluster that keep the stream, as nats-server has it.
const REPLICAS: u8 = 3;

/// Subjects in the stream are topics behind this.
const PREFIX: &str = "$MQTT.msgs.";

/// A message that was handed out is handed out again after this.
const ACK_WAIT: Duration = Duration::from_secs(30);

/// How long a request for messages waits at the server.
const PULL_FOR: Duration = Duration::from_secs(5);

/// Pause before the next connection, and between pings of an idle one.
const RECONNECT: Duration = Duration::from_secs(1);

/// No answer within this means no connection.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Lines to the server that wait.
const WRITES: usize = 32_768;

/// Longest first line of a server, which names the whole cluster.
const LONGEST_INFO: usize = 64 << 10;

/// Longest line of the protocol, and longest message.
const LONGEST_LINE: usize = 8192;
const LONGEST: usize = 64 << 20;

/// A source of NATS JetStream.
pub struct NatsSource {
    deliveries: mpsc::Receiver<Delivery>,
    handle: Arc<Handle>,
    cancel: CancellationToken,
    driver: JoinHandle<()>,
}

struct Handle {
    writes: Mutex<Option<mpsc::Sender<Vec<u8>>>>,
    status: Arc<SourceStatus>,
}

/// What a connection needs.
struct Settings {
    addresses: Vec<(String, u16)>,
    login: Option<(String, String)>,
    durable: String,
    in_flight: u16,
    tls: Option<TlsConnector>,
}

/// A connection, plain or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}
type Half = ReadHalf<Box<dyn Stream>>;

/// A message of the protocol.
#[derive(Debug, PartialEq)]
enum Frame {
    Info,
    Ping,
    Pong,
    Ok,
    Error(String),
    Message { subject: String, reply: Option<String>, status: Option<u16>, payload: Bytes },
}

// === impl NatsSource ===

impl NatsSource {
    /// Opens it; the connection is made in the background, again and again, to each address in turn.
    pub fn open(checked: &Checked) -> anyhow::Result<Self> {
        let mqtt = &checked.config.mqtt;
        let tls = match checked.engine {
            Engine::NatsTls => Some(super::mqtt::tls(mqtt.ca.as_deref())?.into()),
            _ => None,
        };
        let settings = Settings {
            tls,
            addresses: checked.brokers.clone(),
            login: mqtt
                .username
                .clone()
                .map(|user| (user, checked.broker_password.clone().unwrap_or_default())),
            durable: mqtt.group.clone(),
            in_flight: mqtt.in_flight,
        };
        let (sender, deliveries) = mpsc::channel(2 * usize::from(mqtt.in_flight));
        let handle = Arc::new(Handle { writes: Mutex::default(), status: Arc::default() });
        let cancel = CancellationToken::new();
        let driver = tokio::spawn(drive(settings, sender, Arc::clone(&handle), cancel.clone()));
        Ok(Self { deliveries, handle, cancel, driver })
    }
}

impl Source for NatsSource {
    async fn next(&mut self) -> Option<Delivery> {
        self.deliveries.recv().await
    }

    async fn acknowledge(&mut self, receipts: Vec<Receipt>) {
        let mut lines = Vec::new();
        for receipt in receipts {
            if let Receipt::Nats { reply } = receipt {
                lines.extend_from_slice(format!("PUB {reply} 4\r\n+ACK\r\n").as_bytes());
            }
        }
        let writes = self.handle.writes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(writes) = writes {
            // A connection that is gone has lost nothing: what it handed out is handed out again.
            let _ = writes.send(lines).await;
        }
    }

    fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::clone(&self.handle) as Arc<dyn Publisher>
    }

    fn status(&self) -> Arc<SourceStatus> {
        Arc::clone(&self.handle.status)
    }

    async fn close(mut self) {
        // The writer ends when it has written what waits.
        self.handle.writes.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.cancel.cancel();
        self.deliveries.close();
        while self.deliveries.recv().await.is_some() {}
        let _ = timeout(ANSWERS_WITHIN, self.driver).await;
    }
}

impl Publisher for Handle {
    /// Both kinds reach subscribers at QoS 0: the district repeats an order until it is answered.
    fn publish(&self, topic: String, payload: Vec<u8>, _is_order: bool) -> bool {
        let mut line = format!("PUB {} {}\r\n", subject_of(&topic), payload.len()).into_bytes();
        line.extend_from_slice(&payload);
        line.extend_from_slice(b"\r\n");
        let writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_taken = writes.is_some_and(|writes| writes.try_send(line).is_ok());
        let counter = if is_taken { &self.status.published } else { &self.status.unpublished };
        counter.fetch_add(1, Relaxed);
        is_taken
    }
}

/// `/` is `.`, and `.` is `//` in the subjects of the MQTT listener (nats-server 2.10).
fn subject_of(topic: &str) -> String {
    topic.replace('.', "\u{1}").replace('/', ".").replace('\u{1}', "//")
}

/// The topic of a subject. nats-server before 2.10 takes no `.` in topics: gateways write `~` for it.
fn topic_of(subject: &str) -> String {
    let subject = subject.strip_prefix(PREFIX).unwrap_or(subject);
    subject.replace("//", "~").replace('.', "/").replace('~', ".")
}

async fn drive(
    settings: Settings,
    sender: mpsc::Sender<Delivery>,
    handle: Arc<Handle>,
    cancel: CancellationToken,
) {
    let mut last_error = String::new();
    for attempt in 0_usize.. {
        let Some((host, port)) = settings.addresses.get(attempt % settings.addresses.len().max(1)) else {
            return;
        };
        let outcome = tokio::select! {
            outcome = serve(&settings, host, *port, &sender, &handle, &cancel) => outcome,
            () = sender.closed() => return,
        };
        handle.status.connected.store(0, Relaxed);
        handle.writes.lock().unwrap_or_else(PoisonError::into_inner).take();
        if cancel.is_cancelled() || sender.is_closed() {
            return;
        }
        let error = outcome.err().map_or_else(|| "closed".to_owned(), |error| format!("{error:#}"));
        if error != last_error {
            tracing::warn!(host, port, error, "NATS lost");
            last_error = error;
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(RECONNECT) => {}
        }
    }
}

/// Connects, and tells how many servers keep a stream. The server speaks first, in clear: TLS begins after its INFO.
async fn connect(settings: &Settings, host: &str, port: u16) -> anyhow::Result<(Box<dyn Stream>, u8)> {
    let mut stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        ensure!(line.len() < LONGEST_INFO, "the server's INFO is too long");
        line.push(stream.read_u8().await.context("the server closed the connection")?);
    }
    let info = line.strip_prefix(b"INFO ").context("the server does not begin with INFO")?;
    let info: serde_json::Value = serde_json::from_slice(info).context("the server's INFO is no JSON")?;
    let replicas = if info["cluster"].is_string() { REPLICAS } else { 1 };
    let stream: Box<dyn Stream> = match &settings.tls {
        None => Box::new(stream),
        Some(tls) => {
            let name = ServerName::try_from(host.to_owned()).context("no name of a server")?;
            Box::new(tls.connect(name, stream).await.context("TLS")?)
        }
    };
    Ok((stream, replicas))
}

/// Serves one connection to its end.
async fn serve(
    settings: &Settings,
    host: &str,
    port: u16,
    sender: &mpsc::Sender<Delivery>,
    handle: &Handle,
    cancel: &CancellationToken,
) -> anyhow::Result<()> {
    let (stream, replicas) = timeout(ANSWERS_WITHIN, connect(settings, host, port)).await??;
    let (read, mut write) = tokio::io::split(stream);
    let mut reader = Reader { half: read, buffer: BytesMut::with_capacity(256 << 10) };
    let mut connect = json!({"verbose": false, "pedantic": false, "headers": true, "no_responders": true,
        "lang": "rust", "version": env!("CARGO_PKG_VERSION"), "name": "linli-district"});
    if let Some((user, password)) = &settings.login {
        connect["user"] = json!(user);
        connect["pass"] = json!(password);
    }
    let inbox = format!("_INBOX.{}", uuid());
    let begin = format!("CONNECT {connect}\r\nSUB {inbox}.> 1\r\nPING\r\n");
    write.write_all(begin.as_bytes()).await?;
    let mut jetstream = JetStream { reader: &mut reader, write: &mut write, inbox: &inbox };
    jetstream.make_consumer(settings, replicas).await?;
    let (writes, mut queue) = mpsc::channel::<Vec<u8>>(WRITES);
    *handle.writes.lock().unwrap_or_else(PoisonError::into_inner) = Some(writes.clone());
    let writing = tokio::spawn(async move {
        while let Some(mut lines) = queue.recv().await {
            while let Ok(more) = queue.try_recv() {
                lines.extend_from_slice(&more);
            }
            if write.write_all(&lines).await.is_err() {
                return;
            }
        }
        let _ = write.shutdown().await;
    });
    handle.status.connects.fetch_add(1, Relaxed);
    handle.status.connected.store(1, Relaxed);
    tracing::info!(host, port, "NATS connected");
    let outcome = tokio::select! {
        outcome = pull(settings, &mut reader, writes, &inbox, sender, &handle.status) => outcome,
        () = cancel.cancelled() => Ok(()),
    };
    handle.writes.lock().unwrap_or_else(PoisonError::into_inner).take();
    let _ = timeout(ANSWERS_WITHIN, writing).await;
    outcome
}

/// Asks for messages and hands them out, for ever.
async fn pull(
    settings: &Settings,
    reader: &mut Reader,
    writes: mpsc::Sender<Vec<u8>>,
    inbox: &str,
    sender: &mpsc::Sender<Delivery>,
    status: &SourceStatus,
) -> anyhow::Result<()> {
    let batch = u64::from(settings.in_flight / 4).max(1);
    let request = json!({"batch": batch, "expires": PULL_FOR.as_nanos() as u64}).to_string();
    let next = format!(
        "PUB $JS.API.CONSUMER.MSG.NEXT.{STREAM}.{} {inbox}.pull {}\r\n{request}\r\n",
        settings.durable,
        request.len()
    );
    let (mut expected, mut heard) = (0, Instant::now());
    loop {
        if expected == 0 {
            writes.send(next.clone().into_bytes()).await?;
            expected = batch;
        }
        let frame = match timeout(PULL_FOR * 2, reader.next()).await {
            Ok(frame) => frame?,
            // The server ends a request after its time: silence means that it is gone.
            Err(_) if heard.elapsed() < PULL_FOR * 4 => {
                writes.send(b"PING\r\n".to_vec()).await?;
                expected = 0;
                continue;
            }
            Err(_) => bail!("the server says nothing"),
        };
        heard = Instant::now();
        match frame {
            Frame::Ping => writes.send(b"PONG\r\n".to_vec()).await?,
            Frame::Error(error) => bail!("the server says {error}"),
            Frame::Message { status: Some(404 | 408), .. } => expected = 0,
            Frame::Message { status: Some(503), .. } => bail!("JetStream does not answer"),
            // The request ended early: as when the leader of the stream changes.
            Frame::Message { status: Some(_), .. } => expected = 0,
            Frame::Message { subject, reply: Some(reply), payload, .. } => {
                expected -= 1;
                status.received.fetch_add(1, Relaxed);
                let delivery =
                    Delivery { topic: topic_of(&subject), payload, receipt: Receipt::Nats { reply } };
                if sender.send(delivery).await.is_err() {
                    return Ok(());
                }
            }
            _ => {}
        }
    }
}

/// JetStream's own questions, before messages are asked for.
struct JetStream<'a, W> {
    reader: &'a mut Reader,
    write: &'a mut W,
    inbox: &'a str,
}

// === impl JetStream ===

impl<W: AsyncWriteExt + Unpin> JetStream<'_, W> {
    /// Makes the durable consumer, and its stream if no gateway has connected yet; one that is there with the same
    /// settings stays as it is.
    async fn make_consumer(&mut self, settings: &Settings, replicas: u8) -> anyhow::Result<()> {
        let config = json!({"stream_name": STREAM, "config": {
            "durable_name": settings.durable, "ack_policy": "explicit", "deliver_policy": "all",
            "replay_policy": "instant", "ack_wait": ACK_WAIT.as_nanos() as u64,
            "max_ack_pending": settings.in_flight, "filter_subject": format!("{PREFIX}linli.1.>")}});
        let subject = format!("$JS.API.CONSUMER.DURABLE.CREATE.{STREAM}.{}", settings.durable);
        let mut refused = self.ask(&subject, &config).await?;
        if refused.as_ref().is_some_and(|(code, _)| *code == NO_STREAM) {
            self.make_stream(replicas).await?;
            refused = self.ask(&subject, &config).await?;
        }
        match refused {
            None => Ok(()),
            Some((_, why)) => bail!("the consumer {:?} cannot be made: {why}", settings.durable),
        }
    }

    /// Makes the stream as the MQTT listener of nats-server would.
    async fn make_stream(&mut self, replicas: u8) -> anyhow::Result<()> {
        let config = json!({"name": STREAM, "subjects": [format!("{PREFIX}>")], "storage": "file",
            "retention": "interest", "num_replicas": replicas});
        match self.ask(&format!("$JS.API.STREAM.CREATE.{STREAM}"), &config).await? {
            None => Ok(()),
            Some((_, why)) => bail!("the stream {STREAM} cannot be made: {why}"),
        }
    }

    /// Asks; tells code and words if it is refused.
    async fn ask(
        &mut self,
        subject: &str,
        body: &serde_json::Value,
    ) -> anyhow::Result<Option<(u64, String)>> {
        let body = body.to_string();
        let line = format!("PUB {subject} {}.made {}\r\n{body}\r\n", self.inbox, body.len());
        self.write.write_all(line.as_bytes()).await?;
        loop {
            let frame = timeout(ANSWERS_WITHIN, self.reader.next()).await;
            match frame.context("JetStream does not answer")?? {
                Frame::Ping => self.write.write_all(b"PONG\r\n").await?,
                Frame::Error(error) => bail!("the server says {error}"),
                Frame::Message { status: Some(status), .. } => bail!("JetStream does not answer ({status})"),
                Frame::Message { payload, .. } => {
                    let answer: serde_json::Value = serde_json::from_slice(&payload)?;
                    let error = &answer["error"];
                    let words = error["description"].as_str().map(str::to_owned);
                    return Ok(words.map(|words| (error["err_code"].as_u64().unwrap_or_default(), words)));
                }
                _ => {}
            }
        }
    }
}

/// A word that no other connection has.
fn uuid() -> String {
    let boot = std::process::id();
    format!("{boot:x}{:x}", jiff::Timestamp::now().as_nanosecond())
}

// === impl Reader ===

/// Reads frames. Cancelled without loss.
struct Reader {
    half: Half,
    buffer: BytesMut,
}

impl Reader {
    async fn next(&mut self) -> anyhow::Result<Frame> {
        loop {
            if let Some(frame) = cut(&mut self.buffer)? {
                return Ok(frame);
            }
            ensure!(self.half.read_buf(&mut self.buffer).await? > 0, "the server closed the connection");
        }
    }
}

/// Cuts the first frame off, if it is whole.
fn cut(buffer: &mut BytesMut) -> anyhow::Result<Option<Frame>> {
    let Some(end) = buffer.windows(2).position(|part| part == b"\r\n") else {
        ensure!(buffer.len() <= LONGEST_LINE, "a line of the server is too long");
        return Ok(None);
    };
    let line = std::str::from_utf8(&buffer[..end]).context("a line of the server is no text")?;
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let kind = words.first().map(|word| word.to_ascii_uppercase()).unwrap_or_default();
    let number =
        |text: &str| text.parse::<usize>().ok().filter(|bytes| *bytes <= LONGEST).context("no length");
    let (subject, reply, head, total) = match (kind.as_str(), words.as_slice()) {
        ("MSG", [_, subject, _, total]) => (*subject, None, 0, number(total)?),
        ("MSG", [_, subject, _, reply, total]) => (*subject, Some(*reply), 0, number(total)?),
        ("HMSG", [_, subject, _, head, total]) => (*subject, None, number(head)?, number(total)?),
        ("HMSG", [_, subject, _, reply, head, total]) => {
            (*subject, Some(*reply), number(head)?, number(total)?)
        }
        (other, _) => {
            let frame = match other {
                "INFO" => Frame::Info,
                "PING" => Frame::Ping,
                "PONG" => Frame::Pong,
                "+OK" => Frame::Ok,
                "-ERR" => Frame::Error(line.to_owned()),
                _ => bail!("the server says {line:?}"),
            };
            buffer.advance(end + 2);
            return Ok(Some(frame));
        }
    };
    if buffer.len() < end + 2 + total + 2 {
        return Ok(None);
    }
    ensure!(head <= total, "headers are longer than their message");
    let (subject, reply) = (subject.to_owned(), reply.map(str::to_owned));
    buffer.advance(end + 2);
    let mut payload = buffer.split_to(total).freeze();
    buffer.advance(2);
    let head = payload.split_to(head);
    let status = head.strip_prefix(b"NATS/1.0 ").and_then(|rest| {
        let code = rest.get(..3)?;
        std::str::from_utf8(code).ok()?.parse().ok()
    });
    Ok(Some(Frame::Message { subject, reply, status, payload }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_and_subjects_are_the_same_in_two_spellings() {
        assert_eq!(topic_of("$MQTT.msgs.linli.1.c.g.data.v1//2"), "linli/1/c/g/data/v1.2");
        assert_eq!(topic_of("$MQTT.msgs.linli.1.c.g.data.v1~2"), "linli/1/c/g/data/v1.2");
        assert_eq!(subject_of("linli/1/c/g/data/v1.2"), "linli.1.c.g.data.v1//2");
    }

    #[test]
    fn frames_are_cut_wherever_they_break() {
        let head = "NATS/1.0\r\nNmqtt-Pub: 1\r\n\r\n";
        let late = "NATS/1.0 408 Request Timeout\r\n\r\n";
        let all = format!(
            "INFO {{}}\r\nMSG a.b 1 2\r\nhi\r\nHMSG a 1 $JS.ACK.1 {} {}\r\n{head}{{}}\r\nHMSG i 1 {} {}\r\n{late}\r\nPING\r\n",
            head.len(),
            head.len() + 2,
            late.len(),
            late.len()
        );
        let (mut buffer, mut frames) = (BytesMut::new(), Vec::new());
        for byte in all.bytes() {
            buffer.extend_from_slice(&[byte]);
            frames.extend(cut(&mut buffer).expect("frames"));
        }
        let message = |subject: &str, reply: Option<&str>, status, payload: &'static [u8]| Frame::Message {
            subject: subject.to_owned(),
            reply: reply.map(str::to_owned),
            status,
            payload: Bytes::from_static(payload),
        };
        let expected = [
            Frame::Info,
            message("a.b", None, None, b"hi"),
            message("a", Some("$JS.ACK.1"), None, b"{}"),
            message("i", None, Some(408), b""),
            Frame::Ping,
        ];
        assert_eq!(frames, expected);
        assert!(buffer.is_empty());
    }

    #[test]
    fn rubbish_of_a_server_is_an_error_and_no_panic() {
        for text in
            ["HELLO\r\n", "MSG a 1 -2\r\n", "MSG a 1 99999999999\r\n", "HMSG a 1 9 2\r\nxx\r\n", "\r\n"]
        {
            assert!(cut(&mut BytesMut::from(text)).is_err(), "{text:?}");
        }
    }
}
