//! The task that owns one connection to a broker.

use std::net::SocketAddr;
use std::time::Duration;

use linli_domain::{Reason, Value};
use linli_listen::Tls;
use mqtt_v311::mqttbytes::QoS;
use mqtt_v311::mqttbytes::v4::SubscribeReasonCode;
use mqtt_v311::{
    AsyncClient, AsyncClientBuilder, Event, EventLoop, MqttOptions, Packet, PublishOptions, TlsConfiguration,
    Transport,
};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::task::AbortOnDropHandle;

use super::zigbee::Seen;
use super::{Broker, PayloadFormat, Settings, trust, zigbee};
use crate::backoff::Backoff;
use crate::kiosk::order::ReportOrder;
use crate::kiosk::report::{MESSAGE, Report};
use crate::line::{CommandOutcome, LineCommand, LineContext};
use crate::pending::Pending;
use crate::plan::Plan;
use crate::publisher::Publisher;

/// The broker answers subscriptions within this time.
const GRANTED_WITHIN: Duration = Duration::from_secs(10);

/// Interval between two checks for silent devices.
const LOOK: Duration = Duration::from_secs(1);

/// Keep-alive; the broker notices a dead connection after one and a half.
const KEEP_ALIVE: u16 = 30;

/// Longest message taken from a device.
pub(super) const LONGEST: usize = 256 << 10;

/// A connection that the broker ends within this time is short.
const SHORT: Duration = Duration::from_secs(10);

/// Short connections in a row after which another client is suspected to use the same id.
const TAKE_OVERS: u32 = 3;

/// A device's clock may be ahead of the gateway's by this much, milliseconds.
const AHEAD_MS: i64 = 60_000;

/// Most outgoing publications in flight.
const QUEUE: usize = 16;

/// The state of a device.
#[derive(Debug)]
struct State {
    heard: Instant,
    /// The latest start of a kiosk, to ignore the will of an earlier session.
    boot: Option<String>,
    /// The order of a kiosk's reports.
    order: ReportOrder,
    /// Whether the log says that its messages cannot be understood.
    is_garbled: bool,
}

/// The state of one connection.
struct Conversation<'p> {
    settings: &'p Settings,
    /// Where the own broker is within this machine, while it runs.
    own: watch::Receiver<Option<SocketAddr>>,
    publisher: Publisher,
    states: Vec<State>,
    pending: Pending,
    client_id: String,
    /// Subscriptions that the broker has granted on this connection.
    granted: usize,
    /// When the subscriptions of this connection were sent.
    asked: Option<Instant>,
    /// Connections in a row that the broker ended soon.
    short: u32,
}

/// Connects and reconnects until cancelled.
pub(super) async fn run(plan: &Plan<Settings>, context: LineContext) {
    let (settings, cancel, tls) = (&plan.work, context.cancel.clone(), context.tls.clone());
    let (inner, own) = watch::channel(None);
    let started = Instant::now();
    let states = settings
        .devices
        .iter()
        .map(|_| State { heard: started, boot: None, order: ReportOrder::default(), is_garbled: false })
        .collect();
    // Two gateways at one broker throw each other out unless their ids differ.
    let client_id = format!("linli-{}-{}", context.gateway, plan.line);
    let publisher = Publisher::new(plan.line.clone(), plan.layouts.clone(), context);
    let pending = Pending::default();
    let mut conversation = Conversation {
        settings,
        own,
        publisher,
        states,
        pending,
        client_id,
        granted: 0,
        asked: None,
        short: 0,
    };
    let mut backoff = Backoff::default();
    let broker = tokio::spawn(own_broker(settings.clone(), tls, inner, cancel.clone()));
    while !cancel.is_cancelled() {
        if settings.is_broker {
            let running = conversation.own.wait_for(Option::is_some);
            let _ = tokio::time::timeout(LOOK, running).await;
        }
        conversation.publisher.progress();
        let began = Instant::now();
        let why = match conversation.connect() {
            Err(why) => why,
            Ok((client, events)) => tokio::select! {
                () = cancel.cancelled() => break,
                why = conversation.hold(client, events, &mut backoff) => why,
            },
        };
        let why = conversation.with_advice(why, began);
        conversation.publisher.set_line(false, why).await;
        conversation.publisher.set_all_offline(Reason::LineDown).await;
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(backoff.next()) => {}
        }
    }
    let _ = broker.await;
}

/// Runs the built-in broker for the lifetime of the line; tells where it is within this machine.
async fn own_broker(
    settings: Settings,
    tls: Option<Tls>,
    inner: watch::Sender<Option<SocketAddr>>,
    cancel: tokio_util::sync::CancellationToken,
) {
    let Some(address) =
        settings.is_broker.then(|| format_address(&settings).parse::<SocketAddr>().ok()).flatten()
    else {
        return;
    };
    let tls = tls.filter(|_| settings.is_own_secure());
    if tls.is_none() && settings.is_own_secure() {
        tracing::error!(%address, "this process has no certificate, so it is no broker off this machine");
        return;
    }
    while !cancel.is_cancelled() {
        let opened = async {
            let broker = Broker::within(settings.credentials.clone()).await?;
            let listener = TcpListener::bind(address).await.map_err(|error| error.to_string())?;
            let within = broker.address().ok_or_else(|| "it has no address".to_owned())?;
            Ok::<_, String>((broker, listener, within))
        };
        match opened.await {
            Ok((broker, listener, within)) => {
                inner.send_replace(Some(within));
                let ends = cancel.child_token();
                let _ends = ends.clone().drop_guard();
                let listening = tokio::spawn(super::listener::serve(listener, within, tls.clone(), ends));
                broker.serve(cancel.cancelled()).await;
                listening.abort();
                inner.send_replace(None);
            }
            Err(error) => tracing::warn!(%address, error, "the broker cannot listen on this address"),
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

fn format_address(settings: &Settings) -> String {
    match settings.host.contains(':') {
        true => format!("[{}]:{}", settings.host, settings.port),
        false => format!("{}:{}", settings.host, settings.port),
    }
}

async fn subscribe(client: AsyncClient, filters: Vec<String>) {
    for filter in filters {
        if client.subscribe(filter, QoS::AtLeastOnce).await.is_err() {
            return;
        }
    }
}

/// Drives the connection; a poll is never cut off except by dropping it whole.
async fn drive(mut events: EventLoop, sender: mpsc::Sender<Result<Event, String>>) {
    loop {
        let event = events.poll().await.map_err(|error| error.to_string());
        let is_over = event.is_err();
        if sender.send(event).await.is_err() || is_over {
            return;
        }
    }
}

// === impl Conversation ===

impl Conversation<'_> {
    /// Adds what to change when the broker ends one connection after another: it does so when another client
    /// connects with the same id (a take-over, which MQTT 3.1.1 does not name).
    fn with_advice(&mut self, why: String, began: Instant) -> String {
        self.asked = None;
        let was_open = std::mem::take(&mut self.granted) > 0;
        self.short = if was_open && began.elapsed() < SHORT { self.short + 1 } else { 0 };
        if self.short < TAKE_OVERS {
            return why;
        }
        let id = &self.client_id;
        format!("{why}; another client may use the id {id:?}: give each gateway its own [gateway] id")
    }

    fn connect(&self) -> Result<(AsyncClient, EventLoop), String> {
        let own = *self.own.borrow();
        let (host, port) = match own.filter(|_| self.settings.is_broker) {
            Some(own) => (own.ip().to_string(), own.port()),
            None if self.settings.is_broker => return Err("the own broker does not run yet".to_owned()),
            None => (self.settings.host.clone(), self.settings.port),
        };
        let broker = mqtt_v311::Broker::tcp(host, port);
        let mut options = MqttOptions::new(self.client_id.clone(), broker);
        if let Some((username, password)) = &self.settings.credentials {
            options.set_credentials(username.clone(), password.clone());
        }
        if let Some(ca) = &self.settings.ca {
            let trusted = trust::trusted(ca);
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(trusted?)));
        }
        options.set_clean_session(true);
        options.set_keep_alive(KEEP_ALIVE);
        options.set_max_packet_size(LONGEST, LONGEST);
        Ok(AsyncClientBuilder::new(options).capacity(QUEUE).build())
    }

    /// Serves a connection until it is lost. Returns the reason.
    async fn hold(&mut self, client: AsyncClient, events: EventLoop, backoff: &mut Backoff) -> String {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (sender, mut received) = mpsc::channel(QUEUE);
        let _driver = AbortOnDropHandle::new(tokio::spawn(drive(events, sender)));
        loop {
            tokio::select! {
                event = received.recv() => match event {
                    Some(Ok(Event::Incoming(Packet::ConnAck(_)))) => {
                        backoff.opened();
                        (self.granted, self.asked) = (0, Some(Instant::now()));
                        // In a task of its own: events must be polled while it waits for a free slot.
                        tokio::spawn(subscribe(client.clone(), self.filters()));
                    }
                    Some(Ok(Event::Incoming(Packet::SubAck(answer)))) => {
                        if let Err(why) = self.subscribed(&answer.return_codes).await {
                            return why;
                        }
                    }
                    Some(Ok(Event::Incoming(Packet::Publish(publish)))) => {
                        let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                        self.hear(&topic, &publish.payload, publish.retain, &client).await;
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return error,
                    None => return "the connection ended".to_owned(),
                },
                _ = look.tick() => {
                    self.look().await;
                    if self.is_ungranted() {
                        return "the broker does not answer the subscriptions: look at its log".to_owned();
                    }
                }
                Some(command) = self.publisher.context.commands.recv() => self.pass_on(command, &client),
            }
        }
    }

    /// The broker answered subscriptions, which it does in their order. The line is up when it granted all of them.
    async fn subscribed(&mut self, codes: &[SubscribeReasonCode]) -> Result<(), String> {
        let filters = self.filters();
        for code in codes {
            if *code == SubscribeReasonCode::Failure {
                let topic = filters.get(self.granted).cloned().unwrap_or_default();
                return Err(format!(
                    "the broker refuses the subscription of {topic:?}: allow this user to read it (ACL)"
                ));
            }
            self.granted += 1;
        }
        if self.granted >= filters.len() {
            self.publisher.set_line(true, String::new()).await;
        }
        Ok(())
    }

    /// Whether the broker has left subscriptions without an answer for too long.
    fn is_ungranted(&self) -> bool {
        self.granted < self.filters().len()
            && self.asked.is_some_and(|asked| asked.elapsed() >= GRANTED_WITHIN)
    }

    fn filters(&self) -> Vec<String> {
        let base = &self.settings.base;
        let mut filters = Vec::new();
        for device in &self.settings.devices {
            let topic = &device.topic;
            match device.format {
                PayloadFormat::Zigbee(_) => {
                    filters.extend([format!("{base}/{topic}"), format!("{base}/{topic}/availability")]);
                }
                PayloadFormat::Kiosk => {
                    filters.extend([format!("{base}/{topic}/status"), format!("{base}/{topic}/heartbeat")]);
                }
            }
        }
        filters.push(format!("{base}/bridge/state"));
        filters
    }

    /// Handles a received publication.
    async fn hear(&mut self, topic: &str, payload: &[u8], is_retained: bool, client: &AsyncClient) {
        let Some(rest) = topic.strip_prefix(&self.settings.base).and_then(|rest| rest.strip_prefix('/'))
        else {
            return;
        };
        if rest == "bridge/state" {
            if zigbee::is_online(payload) == Some(false) {
                self.lose_zigbee().await;
            }
            return;
        }
        let found = self.settings.devices.iter().position(|device| {
            rest.strip_prefix(device.topic.as_str())
                .is_some_and(|leaf| matches!(leaf, "" | "/availability" | "/status" | "/heartbeat"))
        });
        let Some(index) = found else { return };
        let leaf = &rest[self.settings.devices[index].topic.len()..];
        match (self.settings.devices[index].format, leaf) {
            (PayloadFormat::Zigbee(kind), "") => self.state_message(index, kind, payload, is_retained).await,
            (PayloadFormat::Zigbee(_), "/availability")
                if zigbee::is_online(payload) == Some(true) && !is_retained =>
            {
                self.states[index].heard = Instant::now();
            }
            (PayloadFormat::Zigbee(_), "/availability") if zigbee::is_online(payload) == Some(false) => {
                self.publisher
                    .set_offline(index, Reason::Silent, "its bridge calls it offline".to_owned())
                    .await;
            }
            (PayloadFormat::Kiosk, "/status") => self.status(index, payload).await,
            (PayloadFormat::Kiosk, "/heartbeat") if !is_retained => match Report::parse(payload) {
                Ok(report) => self.report(index, &report, client).await,
                Err(error) => self.garbled(index, &error).await,
            },
            _ => {}
        }
    }

    /// Handles the state of a Zigbee device. A retained one may be as old as it likes: without a time of its own it
    /// is shown, and alarms are raised by it, but it is not the present state.
    async fn state_message(&mut self, index: usize, kind: &zigbee::Kind, payload: &[u8], is_retained: bool) {
        // A retained message that is deleted.
        if payload.is_empty() {
            return;
        }
        let values = match zigbee::values(kind.points, payload) {
            Some(values) if !values.is_empty() => values,
            Some(_) if zigbee::is_bookkeeping(payload) => return,
            Some(_) => return self.garbled(index, "it has none of the members of its profile").await,
            None => return self.garbled(index, "it is not a JSON object").await,
        };
        self.states[index].is_garbled = false;
        let now = self.publisher.context.clock.now().at;
        let (seen, is_unclear) = match zigbee::last_seen(payload) {
            Seen::At(seen) if seen.0 <= now.0 + AHEAD_MS => (Some(seen), false),
            Seen::Unsaid => (None, false),
            Seen::At(_) | Seen::Unclear => (None, true),
        };
        let age = seen.map_or(0, |seen| now.0 - seen.0);
        let age = Duration::from_millis(u64::try_from(age).unwrap_or_default());
        let doubt = match seen {
            Some(_) if age > self.settings.devices[index].silent_after => Some(Reason::Stale),
            None if is_retained => Some(Reason::Retained),
            // It may be as old as it likes; the device is not silent.
            None if is_unclear => {
                self.states[index].heard = Instant::now();
                Some(Reason::Doubtful)
            }
            _ => None,
        };
        match doubt {
            Some(why) => self.publisher.publish_doubtful(index, values, seen, why).await,
            None => {
                let now = Instant::now();
                self.states[index].heard = now.checked_sub(age).unwrap_or(now);
                self.pending.heard(index, &values);
                self.publisher.publish_at(index, values, seen).await;
            }
        }
    }

    /// Handles a kiosk's report; an older one is passed over.
    async fn report(&mut self, index: usize, report: &Report, client: &AsyncClient) {
        let silence = self.settings.devices[index].silent_after;
        let device = &self.publisher.layout(index).device;
        let state = &mut self.states[index];
        let was_garbled = std::mem::replace(&mut state.is_garbled, !report.wrong.is_empty());
        if state.is_garbled && !was_garbled {
            let why = report.wrong.join("; ");
            tracing::warn!(%device, why, "a report is wrong in part; what is right in it is shown");
        }
        if !state.order.is_newest(&report.boot, report.seq, silence, Instant::now()) {
            return;
        }
        if state.boot.as_ref() != Some(&report.boot) {
            state.boot = Some(report.boot.clone());
            self.remind(index, client);
        }
        self.receive(index, report.values()).await;
    }

    /// A message that cannot be understood: its device has no values until the next one that can. Said once.
    async fn garbled(&mut self, index: usize, why: &str) {
        if !std::mem::replace(&mut self.states[index].is_garbled, true) {
            let device = &self.publisher.layout(index).device;
            tracing::warn!(%device, why, "a message cannot be understood: check topic and profile");
        }
        self.publisher.publish_garbled(index).await;
    }

    /// Handles a kiosk's birth, death or will message.
    async fn status(&mut self, index: usize, payload: &[u8]) {
        let Ok(status) = serde_json::from_slice::<serde_json::Value>(payload) else {
            self.publisher.count_failure(index, Reason::Garbled);
            return;
        };
        let boot = status["boot"].as_str();
        match status["state"].as_str() {
            Some("online") => self.states[index].boot = boot.map(str::to_owned),
            // The will of an earlier session is outdated.
            Some("offline") if boot.is_none() || boot == self.states[index].boot.as_deref() => {
                let reason = status["reason"].as_str().unwrap_or("it says so").to_owned();
                self.publisher.set_offline(index, Reason::Silent, reason).await;
            }
            Some("offline") => {}
            _ => self.publisher.count_failure(index, Reason::Garbled),
        }
    }

    async fn receive(&mut self, index: usize, values: Vec<(u16, crate::publisher::PointResult)>) {
        self.states[index].heard = Instant::now();
        self.pending.heard(index, &values);
        self.publisher.publish(index, values).await;
    }

    /// Zigbee2MQTT is offline, and with it all its devices.
    async fn lose_zigbee(&mut self) {
        for index in 0..self.settings.devices.len() {
            if matches!(self.settings.devices[index].format, PayloadFormat::Zigbee(_)) {
                self.publisher
                    .set_offline(index, Reason::LineDown, "Zigbee2MQTT is offline".to_owned())
                    .await;
            }
        }
    }

    /// Marks devices that have not published for too long as silent.
    async fn look(&mut self) {
        self.publisher.progress();
        self.pending.expire(Instant::now());
        for index in 0..self.settings.devices.len() {
            if self.states[index].heard.elapsed() >= self.settings.devices[index].silent_after {
                self.publisher.set_offline(index, Reason::Silent, String::new()).await;
            }
        }
    }

    fn pass_on(&mut self, command: LineCommand, client: &AsyncClient) {
        if let Some(why) = command.is_void() {
            let _ = command.reply.send(CommandOutcome::Failed { reason: why.to_owned() });
            return;
        }
        let sent = self.publish(command.device, &command.value, client);
        if sent {
            self.pending.passed_on(command);
        } else {
            let reason = "the broker takes nothing just now".to_owned();
            let _ = command.reply.send(CommandOutcome::Failed { reason });
        }
    }

    /// Publishes its message to a kiosk again after the kiosk has restarted.
    fn remind(&self, index: usize, client: &AsyncClient) {
        let points = &self.publisher.layout(index).points;
        let message = points.iter().position(|point| point.name.as_str() == MESSAGE);
        let wanted = message.and_then(|at| self.pending.wanted(index, u16::try_from(at).ok()?));
        if let Some(value) = wanted {
            self.publish(index, value, client);
        }
    }

    fn publish(&self, index: usize, value: &Value, client: &AsyncClient) -> bool {
        let body = match value {
            Value::Bool(is_on) => serde_json::json!({"state": if *is_on { "ON" } else { "OFF" }}),
            other => serde_json::json!({ MESSAGE: other }),
        };
        let Some(device) = self.settings.devices.get(index) else { return false };
        let topic = format!("{}/{}/set", self.settings.base, device.topic);
        client.try_publish(topic, body.to_string(), PublishOptions::at_least_once()).is_ok()
    }
}
