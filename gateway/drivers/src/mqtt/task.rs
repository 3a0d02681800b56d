//! The task that owns one connection to a broker.

use std::time::Duration;

use linli_domain::{Reason, Value};
use mqtt_v311::mqttbytes::QoS;
use mqtt_v311::{
    AsyncClient, AsyncClientBuilder, Event, EventLoop, MqttOptions, Packet, PublishOptions,
    SubscribeNoticeError,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::task::AbortOnDropHandle;

use super::{Broker, PayloadFormat, Settings, zigbee};
use crate::backoff::Backoff;
use crate::kiosk::report::{MESSAGE, Report};
use crate::line::{CommandOutcome, LineCommand, LineContext};
use crate::pending::Pending;
use crate::plan::Plan;
use crate::publisher::Publisher;

/// Interval between two checks for silent devices.
const LOOK: Duration = Duration::from_secs(1);

/// Keep-alive; the broker notices a dead connection after one and a half.
const KEEP_ALIVE: u16 = 30;

/// Longest message taken from a device.
const LONGEST: usize = 256 << 10;

/// Most outgoing publications in flight.
const QUEUE: usize = 16;

/// The state of a device.
#[derive(Debug)]
struct State {
    heard: Instant,
    /// The latest start of a kiosk, to ignore the will of an earlier session.
    boot: Option<String>,
}

/// A subscription, and the position of its device; `None` for a topic of the whole line.
struct Filter {
    topic: String,
    device: Option<usize>,
}

/// The state of one connection.
struct Conversation<'p> {
    settings: &'p Settings,
    publisher: Publisher,
    states: Vec<State>,
    pending: Pending,
}

/// Connects and reconnects until cancelled.
pub(super) async fn run(plan: &Plan<Settings>, context: LineContext) {
    let (settings, cancel) = (&plan.work, context.cancel.clone());
    let started = Instant::now();
    let states = settings.devices.iter().map(|_| State { heard: started, boot: None }).collect();
    let publisher = Publisher::new(plan.line.clone(), plan.layouts.clone(), context);
    let mut conversation = Conversation { settings, publisher, states, pending: Pending::default() };
    let mut backoff = Backoff::default();
    let broker = tokio::spawn(own_broker(settings.clone(), cancel.clone()));
    while !cancel.is_cancelled() {
        conversation.publisher.progress();
        let (client, events) = conversation.connect(plan.line.as_str());
        let why = tokio::select! {
            () = cancel.cancelled() => break,
            why = conversation.hold(client, events, &mut backoff) => why,
        };
        conversation.publisher.set_line(false, why).await;
        conversation.publisher.set_all_offline(Reason::LineDown).await;
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(backoff.next()) => {}
        }
    }
    let _ = broker.await;
}

/// Runs the built-in broker for the lifetime of the line.
async fn own_broker(settings: Settings, cancel: tokio_util::sync::CancellationToken) {
    let Some(address) =
        settings.is_broker.then(|| format!("{}:{}", settings.host, settings.port).parse().ok()).flatten()
    else {
        return;
    };
    while !cancel.is_cancelled() {
        match Broker::open(address).await {
            Ok(broker) => broker.serve(cancel.cancelled()).await,
            Err(error) => tracing::warn!(%address, error, "the broker cannot listen on this address"),
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Subscribes and waits for the broker's answers. Returns the filters that it refused, each with its device.
async fn subscribe(client: AsyncClient, filters: Vec<Filter>) -> Vec<Filter> {
    let (mut asked, mut refused) = (Vec::new(), Vec::new());
    for filter in filters {
        // It fails only when the connection has ended, which is noticed elsewhere.
        let Ok(answer) = client.subscribe_tracked(filter.topic.clone(), QoS::AtLeastOnce).await else {
            break;
        };
        asked.push((filter, answer));
    }
    for (filter, answer) in asked {
        if let Err(SubscribeNoticeError::V4SubAckFailure(_)) = answer.wait_completion_async().await {
            refused.push(filter);
        }
    }
    refused
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
    fn connect(&self, line: &str) -> (AsyncClient, EventLoop) {
        let broker = mqtt_v311::Broker::tcp(self.settings.host.clone(), self.settings.port);
        let mut options = MqttOptions::new(format!("linli-in-{line}"), broker);
        if let Some((username, password)) = &self.settings.credentials {
            options.set_credentials(username.clone(), password.clone());
        }
        options.set_clean_session(true);
        options.set_keep_alive(KEEP_ALIVE);
        options.set_max_packet_size(LONGEST, LONGEST);
        AsyncClientBuilder::new(options).capacity(QUEUE).build()
    }

    /// Serves a connection until it is lost. Returns the reason.
    async fn hold(&mut self, client: AsyncClient, events: EventLoop, backoff: &mut Backoff) -> String {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (sender, mut received) = mpsc::channel(QUEUE);
        let _driver = AbortOnDropHandle::new(tokio::spawn(drive(events, sender)));
        let mut subscribing: Option<AbortOnDropHandle<Vec<Filter>>> = None;
        loop {
            let answered = async { subscribing.as_mut()?.await.ok() };
            tokio::select! {
                Some(refused) = answered => {
                    subscribing = None;
                    self.publisher.set_line(true, String::new()).await;
                    self.tell_refused(refused).await;
                }
                event = received.recv() => match event {
                    Some(Ok(Event::Incoming(Packet::ConnAck(_)))) => {
                        backoff.opened();
                        // In a task of its own: events must be polled while it waits for a free slot.
                        let asking = tokio::spawn(subscribe(client.clone(), self.filters()));
                        subscribing = Some(AbortOnDropHandle::new(asking));
                    }
                    Some(Ok(Event::Incoming(Packet::Publish(publish)))) => {
                        let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                        self.hear(&topic, &publish.payload, publish.retain, &client).await;
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return error,
                    None => return "the connection ended".to_owned(),
                },
                _ = look.tick() => self.look().await,
                Some(command) = self.publisher.context.commands.recv() => self.pass_on(command, &client),
            }
        }
    }

    fn filters(&self) -> Vec<Filter> {
        let base = &self.settings.base;
        let mut filters = Vec::new();
        for (index, device) in self.settings.devices.iter().enumerate() {
            let topic = &device.topic;
            let topics = match device.format {
                PayloadFormat::Zigbee(_) => {
                    [format!("{base}/{topic}"), format!("{base}/{topic}/availability")]
                }
                PayloadFormat::Kiosk => {
                    [format!("{base}/{topic}/status"), format!("{base}/{topic}/heartbeat")]
                }
            };
            filters.extend(topics.map(|topic| Filter { topic, device: Some(index) }));
        }
        filters.push(Filter { topic: format!("{base}/bridge/state"), device: None });
        filters
    }

    /// Says of the devices of refused subscriptions why nothing is heard of them.
    async fn tell_refused(&mut self, refused: Vec<Filter>) {
        for Filter { topic, device } in refused {
            tracing::error!(topic, "the broker refuses the subscription: allow it in its access list");
            let Some(index) = device else { continue };
            let why = format!(
                "代理拒绝订阅 {topic}，请在其访问控制表中放行 the broker refuses the subscription to {topic}: allow \
                 it in its access list"
            );
            self.publisher.set_offline(index, Reason::Silent, why).await;
        }
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
            // A retained message has no time of its own: it is not a present value.
            (PayloadFormat::Zigbee(_), "") if is_retained => {}
            (PayloadFormat::Zigbee(kind), "") => match zigbee::values(kind.points, payload) {
                Some(values) if !values.is_empty() => self.receive(index, values).await,
                Some(_) => {}
                None => self.publisher.count_failure(index, Reason::Garbled),
            },
            (PayloadFormat::Zigbee(_), "/availability") if zigbee::is_online(payload) == Some(false) => {
                self.publisher
                    .set_offline(index, Reason::Silent, "its bridge calls it offline".to_owned())
                    .await;
            }
            (PayloadFormat::Kiosk, "/status") => self.status(index, payload).await,
            (PayloadFormat::Kiosk, "/heartbeat") if !is_retained => match Report::parse(payload) {
                Ok(report) => {
                    let state = &mut self.states[index];
                    if state.boot.as_ref() != Some(&report.boot) {
                        state.boot = Some(report.boot.clone());
                        self.remind(index, client);
                    }
                    self.receive(index, report.values()).await;
                }
                Err(error) => {
                    tracing::warn!(device = %self.publisher.layout(index).device, error, "unreadable report");
                    self.publisher.count_failure(index, Reason::Garbled);
                }
            },
            _ => {}
        }
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
