//! MQTT 5 with a shared subscription: mosquitto, and whatever else speaks it.
//!
//! Messages with a number are shared among the copies (`$share/GROUP/…`); the retained ones are not, since a broker sends
//! no retained message to a shared subscription (MQTT 5.0, 3.8.4-4): every copy has them, which harms nothing.
//! The session is kept by the broker, so that gateways that only wait for its acknowledgement lose nothing while all
//! copies are away. Each connection is a new client; what an earlier one had not acknowledged is sent again.

use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mqtt_v5::mqttbytes::QoS;
use mqtt_v5::tokio_rustls::rustls;
use mqtt_v5::{
    AckMode, AsyncClient, AsyncClientBuilder, Event, EventLoop, MqttOptions, Packet, PersistedAckMode,
    PersistedSession, PublishOptions, SessionStore, SessionStoreError, SessionStoreKey, TlsConfiguration,
    Transport,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Delivery, Publisher, Receipt, Source, SourceStatus};
use crate::config::{Checked, Engine};

/// What is shared among the copies.
const SHARED: [&str; 4] = ["data/+", "event/+", "vital/+", "cmd/+/result"];

/// What every copy receives.
const RETAINED: [&str; 2] = ["status", "meta/+"];

/// How long the broker keeps the session of a copy that is away: a week.
const SESSION_SECONDS: u32 = 7 * 86_400;

/// Pause before the next connection.
const RECONNECT: Duration = Duration::from_secs(1);

/// No answer to CONNECT within this means no connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Longest message.
const LONGEST: u32 = 64 << 20;

/// Requests that wait for the connection.
const REQUESTS: usize = 32_768;

/// Packets that are read at a time.
const READ_BATCH: usize = 256;

/// The connection of this moment.
#[derive(Default)]
struct Present {
    connection: u64,
    client: Option<AsyncClient>,
}

/// A source of MQTT 5.
pub struct MqttSource {
    deliveries: mpsc::Receiver<Delivery>,
    handle: Arc<Handle>,
    cancel: CancellationToken,
    driver: JoinHandle<()>,
}

struct Handle {
    present: Mutex<Present>,
    status: Arc<SourceStatus>,
}

// === impl MqttSource ===

impl MqttSource {
    /// Opens it; the connection is made in the background, again and again.
    pub fn open(checked: &Checked) -> anyhow::Result<Self> {
        let options: Vec<MqttOptions> =
            checked.brokers.iter().map(|address| options(checked, address)).collect::<anyhow::Result<_>>()?;
        let in_flight = usize::from(checked.config.mqtt.in_flight);
        // What the broker may have handed out always fits: the connection is read, whatever the database does.
        let (sender, deliveries) = mpsc::channel(2 * in_flight);
        let status = Arc::new(SourceStatus::default());
        let handle = Arc::new(Handle { present: Mutex::default(), status });
        let cancel = CancellationToken::new();
        let group = checked.config.mqtt.group.clone();
        let driver = tokio::spawn(drive(options, group, sender, Arc::clone(&handle), cancel.clone()));
        Ok(Self { deliveries, handle, cancel, driver })
    }
}

impl Source for MqttSource {
    async fn next(&mut self) -> Option<Delivery> {
        self.deliveries.recv().await
    }

    async fn acknowledge(&mut self, receipts: Vec<Receipt>) {
        let (connection, client) = {
            let present = self.handle.present.lock().unwrap_or_else(PoisonError::into_inner);
            (present.connection, present.client.clone())
        };
        let Some(client) = client else { return };
        for receipt in receipts {
            let Receipt::Mqtt { connection: of, ack: Some(ack) } = receipt else { continue };
            if of == connection && client.manual_ack(ack).await.is_err() {
                return;
            }
        }
    }

    fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::clone(&self.handle) as Arc<dyn Publisher>
    }

    fn status(&self) -> Arc<SourceStatus> {
        Arc::clone(&self.handle.status)
    }

    async fn close(mut self) {
        // Acknowledgements that are queued are sent before the DISCONNECT.
        let client = self.handle.present.lock().unwrap_or_else(PoisonError::into_inner).client.take();
        if let Some(client) = client {
            let _ = client.disconnect().await;
        }
        self.cancel.cancel();
        self.deliveries.close();
        while self.deliveries.recv().await.is_some() {}
        let _ = tokio::time::timeout(CONNECT_WITHIN, self.driver).await;
    }
}

impl Publisher for Handle {
    fn publish(&self, topic: String, payload: Vec<u8>, is_order: bool) -> bool {
        let client = self.present.lock().unwrap_or_else(PoisonError::into_inner).client.clone();
        let options = if is_order { PublishOptions::at_least_once() } else { PublishOptions::at_most_once() };
        let is_taken = client.is_some_and(|client| client.try_publish(topic, payload, options).is_ok());
        let counter = if is_taken { &self.status.published } else { &self.status.unpublished };
        counter.fetch_add(1, Relaxed);
        is_taken
    }
}

/// What a client that begins anew remembers of the session that the broker has kept: that it waits for no answer to
/// anything of its own. So it may subscribe again, and publish. It does, each time: a broker that was started again may have
/// kept the session and lost its shared subscriptions (mosquitto 2.0.11). An order whose answer is outstanding is repeated
/// by the district itself, and of what the broker has sent nothing need be remembered at QoS 1.
#[derive(Debug)]
struct NothingUnanswered;

/// What a store of sessions answers.
type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, SessionStoreError>> + Send + 'a>>;

impl SessionStore for NothingUnanswered {
    fn load<'a>(&'a self, key: &'a SessionStoreKey) -> Answer<'a, Option<PersistedSession>> {
        let session = PersistedSession {
            format_version: 1,
            client_id: key.client_id().to_owned(),
            clean_start: false,
            session_expiry_interval: Some(SESSION_SECONDS),
            outgoing_inflight_upper_limit: None,
            ack_mode: PersistedAckMode::Manual,
            last_pkid: 0,
            last_puback: 0,
            replay: Vec::new(),
            incoming_qos2: Vec::new(),
        };
        Box::pin(async { Ok(Some(session)) })
    }

    fn save<'a>(&'a self, _key: &'a SessionStoreKey, _session: &'a PersistedSession) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn clear<'a>(&'a self, _key: &'a SessionStoreKey) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

fn options(checked: &Checked, (host, port): &(String, u16)) -> anyhow::Result<MqttOptions> {
    let mqtt = &checked.config.mqtt;
    let broker = mqtt_v5::Broker::tcp(host.clone(), *port);
    let mut options = MqttOptions::new(mqtt.client_id.clone(), broker);
    if checked.engine == Engine::Mqtts {
        let tls = TlsConfiguration::Rustls(tls(mqtt.ca.as_deref())?);
        options.set_transport(Transport::tls_with_config(tls));
    }
    if let Some(username) = &mqtt.username {
        options.set_credentials(username.clone(), checked.broker_password.clone().unwrap_or_default());
    }
    options.set_clean_start(false);
    options.set_session_store(NothingUnanswered);
    options.set_session_expiry_interval(Some(SESSION_SECONDS));
    options.set_receive_maximum(Some(mqtt.in_flight));
    options.set_max_packet_size(Some(LONGEST));
    options.set_ack_mode(AckMode::Manual);
    options.set_keep_alive(20);
    options.set_connect_timeout(CONNECT_WITHIN);
    options.set_read_batch_size(READ_BATCH);
    options.set_max_request_batch(READ_BATCH);
    Ok(options)
}

/// TLS with these authorities, or with those of the system.
pub(super) fn tls(ca: Option<&Path>) -> anyhow::Result<Arc<rustls::ClientConfig>> {
    let mut roots = rustls::RootCertStore::empty();
    match ca {
        Some(path) => {
            for certificate in CertificateDer::pem_file_iter(path)? {
                roots.add(certificate?)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Connects for ever, a new client each time.
async fn drive(
    options: Vec<MqttOptions>,
    group: String,
    sender: mpsc::Sender<Delivery>,
    handle: Arc<Handle>,
    cancel: CancellationToken,
) {
    let mut last_error = String::new();
    for (connection, options) in (1_u64..).zip(options.iter().cycle()) {
        let (client, events) = AsyncClientBuilder::new(options.clone()).capacity(REQUESTS).build();
        {
            let mut present = handle.present.lock().unwrap_or_else(PoisonError::into_inner);
            *present = Present { connection, client: Some(client.clone()) };
        }
        let error = serve(connection, client, events, &group, &sender, &handle.status).await;
        handle.status.connected.store(0, Relaxed);
        handle.present.lock().unwrap_or_else(PoisonError::into_inner).client = None;
        if cancel.is_cancelled() || sender.is_closed() {
            return;
        }
        if error != last_error {
            tracing::warn!(error, "broker lost");
            last_error = error;
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(RECONNECT) => {}
        }
    }
}

/// Serves one connection; returns why it ended.
async fn serve(
    connection: u64,
    client: AsyncClient,
    mut events: EventLoop,
    group: &str,
    sender: &mpsc::Sender<Delivery>,
    status: &SourceStatus,
) -> String {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(ack))) => {
                tracing::info!(session_kept = ack.session_present, "broker connected");
                let shared = SHARED.iter().map(|below| format!("$share/{group}/linli/1/+/+/{below}"));
                let retained = RETAINED.iter().map(|below| format!("linli/1/+/+/{below}"));
                for filter in shared.chain(retained) {
                    if client.try_subscribe(filter, QoS::AtLeastOnce).is_err() {
                        return "the topics could not be subscribed".to_owned();
                    }
                }
                status.connects.fetch_add(1, Relaxed);
                status.connected.store(1, Relaxed);
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                status.received.fetch_add(1, Relaxed);
                let ack = client.prepare_ack(&publish);
                let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                let receipt = Receipt::Mqtt { connection, ack };
                let delivery = Delivery { topic, payload: publish.payload, receipt };
                if sender.send(delivery).await.is_err() {
                    return "closed".to_owned();
                }
            }
            Ok(Event::Incoming(Packet::Disconnect(packet))) => {
                return format!("the broker disconnected: {:?}", packet.reason_code);
            }
            Ok(_) => {}
            Err(error) => return error.to_string(),
        }
    }
}

/// Ends the connection of a client by taking its session over (MQTT 5.0, 3.1.4-3), and forgets that session.
///
/// # Errors
/// When the broker is not reached, or refuses.
pub async fn take_over(checked: &Checked, client_id: &str) -> Result<(), String> {
    let address = checked.brokers.first().ok_or("there is no broker")?;
    let mut options = options(checked, address).map_err(|error| error.to_string())?;
    options.set_client_id(client_id.to_owned());
    options.set_clean_start(true);
    options.set_session_expiry_interval(Some(0));
    let (client, mut events) = AsyncClientBuilder::new(options).capacity(8).build();
    let connected = async {
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    };
    let taken = tokio::time::timeout(CONNECT_WITHIN, connected).await;
    taken.map_err(|_| "no answer to CONNECT".to_owned())??;
    client.disconnect().await.map_err(|error| error.to_string())?;
    // Until the DISCONNECT is sent.
    let _ = tokio::time::timeout(CONNECT_WITHIN, async { while events.poll().await.is_ok() {} }).await;
    Ok(())
}
