//! The MLLP listener: monitors and analysers connect to the gateway and send results. A message
//! is acknowledged after its results are stored, not before.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use linli_domain::{Id, Layout, Reason, Stamp};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Clock;
use crate::backoff::Backoff;
use crate::connections::{Activity, Connections};
use crate::line::{
    CabinEvent, DeviceState, LineContext, LineEvent, LineHealth, NotTaken, PatientQuestion, Shows,
    VitalMeasurement,
};
use linli_vitals::Zone;
use linli_vitals::hl7::mllp::{Framer, Step, frame};
use linli_vitals::hl7::{
    Answer, Code, Message, Query, Refused, Results, Unreadable, acknowledge, batch, results,
};

/// Most simultaneous connections.
const MOST: usize = 32;

/// Most of one address; a device uses one, a central station one for each device.
const MOST_OF_ADDRESS: usize = 8;

/// Longest time from the first byte of a message to its end: a byte now and then holds no connection.
const MESSAGE_WITHIN: Duration = Duration::from_secs(60);

/// Pause after an accept that failed: file descriptors become free meanwhile.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Idle time after which a connection is closed.
const IDLE: Duration = Duration::from_secs(3600);

/// Time after the end of a message in which the return that belongs to it must come; some devices send none.
const RETURN_WITHIN: Duration = Duration::from_millis(300);

/// Answer to a message longer than [`linli_vitals::hl7::mllp::LONGEST`].
const TOO_LONG: &str = "the message is longer than 1 MiB; send its results in several messages";

/// Time limit for sending an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Most characters of a reason that are logged.
const LOGGED: usize = 200;

/// What is logged of a message that was begun and not ended.
const UNFINISHED: &str =
    "a message without its end (0x1C 0x0D); its sender has to send that after each message";

/// Answer to the end of a message whose beginning was lost.
const HEADLESS: &str = "the beginning of the message was lost; send it again";

/// Longest remark in an answer to a message of which something is stored.
const LONGEST_REMARK: usize = 180;

/// Answer to a message about several patients that does not say which results are whose.
const UNCLEAR: &str = "several patients, and it is not clear which results are whose; kept for a person to assign. \
                       Send one PID with its results after it for each patient";

/// Interval of progress reports to the watchdog.
const LIFE: Duration = Duration::from_secs(10);

/// Checked settings.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    pub listen: SocketAddr,
    pub zone: Zone,
    /// Why other machines may connect unencrypted.
    pub insecure: Option<String>,
    /// How much a monitor that asks is told of the patient; `None`: nothing.
    pub patient_query: Option<Shows>,
}

/// Listens until cancelled.
pub(super) async fn run(settings: &Settings, line: Id, layout: Arc<Layout>, context: LineContext) {
    let mut backoff = Backoff::default();
    let said = |state, device: bool, detail: String| LineEvent {
        line: line.clone(),
        device: device.then(|| layout.device.clone()),
        state,
        at: context.clock.now(),
        detail,
    };
    while !context.cancel.is_cancelled() {
        context.health.progress.fetch_add(1, Ordering::Relaxed);
        match TcpListener::bind(settings.listen).await {
            Ok(listener) => {
                backoff.opened();
                context.health.opens.fetch_add(1, Ordering::Relaxed);
                context.health.up.store(1, Ordering::Relaxed);
                let _ = context.events.send(said(DeviceState::Online, false, String::new())).await;
                serve(&listener, settings, &layout, &context).await;
            }
            Err(error) => {
                let state = DeviceState::Offline(Reason::LineDown);
                let detail = format!("{} cannot be listened on: {error}", settings.listen);
                let _ = context.events.send(said(state, false, detail)).await;
            }
        }
        context.health.up.store(0, Ordering::Relaxed);
        tokio::select! {
            () = context.cancel.cancelled() => {}
            () = tokio::time::sleep(backoff.next()) => {}
        }
    }
}

async fn serve(listener: &TcpListener, settings: &Settings, layout: &Arc<Layout>, context: &LineContext) {
    let (mut connections, mut open) = (JoinSet::new(), Connections::new(MOST));
    let mut life = tokio::time::interval(LIFE);
    let answers = Arc::new(AtomicU64::new(0));
    let (has_refused, has_flawed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    loop {
        tokio::select! {
            () = context.cancel.cancelled() => break,
            _ = life.tick() => drop(context.health.progress.fetch_add(1, Ordering::Relaxed)),
            Some(_) = connections.join_next() => {
                online(&context.health, !connections.is_empty());
            }
            accepted = listener.accept() => {
                let Ok((stream, peer)) = accepted else {
                    tokio::time::sleep(AFTER_FAILURE).await;
                    continue;
                };
                let Some(activity) = open.add(peer.ip(), MOST_OF_ADDRESS) else {
                    tracing::warn!(device = %layout.device, %peer, "not taken: too many connections, all are busy");
                    continue;
                };
                tracing::info!(device = %layout.device, %peer, "connected");
                let conversation = Conversation {
                    layout: Arc::clone(layout),
                    measurements: context.measurements.clone(),
                    clock: Arc::clone(&context.clock),
                    health: Arc::clone(&context.health),
                    cancel: context.cancel.clone(),
                    zone: settings.zone.clone(),
                    patient_query: settings.patient_query,
                    answers: Arc::clone(&answers),
                    has_refused: Arc::clone(&has_refused),
                    has_flawed: Arc::clone(&has_flawed),
                };
                connections.spawn(conversation.hold(stream, activity));
                online(&context.health, true);
            }
        }
    }
    // A message in progress is still answered.
    while connections.join_next().await.is_some() {}
}

fn online(health: &LineHealth, is_online: bool) {
    if let Some(device) = health.devices.first() {
        device.online.store(u64::from(is_online), Ordering::Relaxed);
    }
}

/// Sends answers. Returns whether they were taken.
async fn send<S: AsyncWrite + Unpin>(stream: &mut S, answers: Vec<Vec<u8>>) -> bool {
    for answer in answers {
        let sent = tokio::time::timeout(ANSWER_WITHIN, stream.write_all(&frame(&answer))).await;
        if !matches!(sent, Ok(Ok(()))) {
            return false;
        }
    }
    true
}

/// One connection.
struct Conversation {
    layout: Arc<Layout>,
    measurements: mpsc::Sender<CabinEvent>,
    clock: Arc<dyn Clock>,
    health: Arc<LineHealth>,
    cancel: CancellationToken,
    zone: Zone,
    patient_query: Option<Shows>,
    /// Control ids of our own messages.
    answers: Arc<AtomicU64>,
    /// The message before was refused, and that is logged.
    has_refused: Arc<AtomicBool>,
    /// A result of the message before had no value that can be read, and that is logged.
    has_flawed: Arc<AtomicBool>,
}

// === impl Conversation ===

impl Conversation {
    async fn hold<S: AsyncRead + AsyncWrite + Unpin>(self, mut stream: S, activity: Arc<Activity>) {
        let (mut framer, mut buffer) = (Framer::default(), vec![0; 8192]);
        // When the message began that has not ended yet.
        let mut began: Option<Instant> = None;
        loop {
            let left = began.map_or(IDLE, |began| MESSAGE_WITHIN.saturating_sub(began.elapsed()));
            let wait = if framer.is_ending() { RETURN_WITHIN } else { left };
            let read = tokio::select! {
                () = self.cancel.cancelled() => return,
                () = activity.give_way.cancelled() => return,
                read = tokio::time::timeout(wait, stream.read(&mut buffer)) => read,
            };
            let (count, is_over) = match read {
                Ok(Ok(count @ 1..)) => (count, false),
                Err(_) if framer.is_ending() => (0, false),
                // What came whole before the end of the connection is taken, whether or not it can be answered.
                _ => (0, true),
            };
            activity.heard();
            let abandoned = framer.abandoned();
            let mut whole: Vec<Step> = Vec::new();
            for byte in &buffer[..count] {
                match framer.push(*byte) {
                    Step::More => {}
                    step => whole.push(step),
                }
            }
            if count > 0 {
                began = framer
                    .is_within()
                    .then(|| began.filter(|_| whole.is_empty()).unwrap_or_else(Instant::now));
            }
            if count == 0 {
                whole.extend(framer.end().map(Step::Message));
            }
            if framer.abandoned() > abandoned {
                self.count(|device| &device.garbled);
                self.log(UNFINISHED);
            }
            for step in whole {
                activity.busy(true);
                let answers = match step {
                    Step::More => continue,
                    Step::TooLong => self.refuse(framer.head(), &TOO_LONG),
                    Step::Headless => self.refuse(&[], &HEADLESS),
                    Step::Message(bytes) => self.frame(&bytes).await,
                };
                if !send(&mut stream, answers).await {
                    return;
                }
                activity.busy(false);
            }
            if is_over {
                // Its sender may still listen.
                if framer.is_within() {
                    send(&mut stream, self.refuse(framer.part(), &UNFINISHED)).await;
                }
                return;
            }
        }
    }

    /// Handles the messages of a frame; returns the answers in their order.
    async fn frame(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let messages = batch::messages(bytes);
        if messages.is_empty() {
            return self.refuse(bytes, &Unreadable::NoHeader);
        }
        let mut answers = Vec::new();
        for message in messages {
            answers.extend(self.answer(&message).await);
        }
        answers
    }

    /// Handles a message: waits until its results are stored and acknowledges it.
    async fn answer(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.health.requests.fetch_add(1, Ordering::Relaxed);
        let now = self.clock.now();
        let message = match Message::parse(bytes) {
            Ok(message) => message,
            Err(error) => return self.refuse(bytes, &error),
        };
        if let Some(query) = Query::of(&message) {
            return self.answer_query(&message, &query, now).await;
        }
        let (code, advice) = self.take(&message, now).await;
        match &code {
            Code::Accept(_) => {
                self.count(|device| &device.ok);
                self.has_refused.store(false, Ordering::Relaxed);
            }
            Code::Error(reason) | Code::Reject(reason) => {
                self.count(|device| &device.refusals);
                self.log(advice.as_ref().unwrap_or(reason));
            }
        }
        let number = self.answers.fetch_add(1, Ordering::Relaxed);
        acknowledge(&message, &code, &format!("{}-{number}", now.at.0), now.at)
    }

    /// Answers a question who is here.
    async fn answer_query(&self, message: &Message, query: &Query, now: Stamp) -> Vec<Vec<u8>> {
        let answer = self.found(message, query).await;
        match &answer {
            Answer::Found(_) | Answer::Nobody => {
                self.count(|device| &device.ok);
                self.has_refused.store(false, Ordering::Relaxed);
            }
            Answer::Wrong(why) | Answer::Refused(why) => {
                self.count(|device| &device.refusals);
                self.log(why);
            }
        }
        let number = self.answers.fetch_add(1, Ordering::Relaxed);
        query.answer(message, &answer, &format!("{}-{number}", now.at.0), now.at)
    }

    async fn found(&self, message: &Message, query: &Query) -> Answer {
        let Some(shows) = self.patient_query else {
            return Answer::Refused(
                "no patient queries are answered here: patient_query is not set".to_owned(),
            );
        };
        if message.header(10).trim().is_empty() {
            return Answer::Refused(Refused::NoControlId.to_string());
        }
        let asked = match &query.asked {
            Ok(asked) => asked.clone(),
            Err(why) => return Answer::Wrong(why.clone()),
        };
        let stopping = || Answer::Refused("the gateway is stopping; ask again".to_owned());
        let (reply, answer) = oneshot::channel();
        let question = PatientQuestion { layout: Arc::clone(&self.layout), asked, shows, reply };
        if self.measurements.send(CabinEvent::Asked(question)).await.is_err() {
            return stopping();
        }
        answer.await.unwrap_or_else(|_| stopping())
    }

    /// Answers a message that cannot be read, as far as its header can; the connection stays.
    fn refuse(&self, bytes: &[u8], error: &dyn std::fmt::Display) -> Vec<Vec<u8>> {
        self.count(|device| &device.garbled);
        let reason = error.to_string();
        self.log(&reason);
        let (now, number) = (self.clock.now(), self.answers.fetch_add(1, Ordering::Relaxed));
        acknowledge(
            &Message::salvage(bytes),
            &Code::Reject(reason),
            &format!("{}-{number}", now.at.0),
            now.at,
        )
    }

    /// Logs the first refusal after a message that was taken.
    fn log(&self, reason: &str) {
        if !self.has_refused.swap(true, Ordering::Relaxed) {
            let reason: String = reason.chars().take(LOGGED).collect();
            tracing::warn!(
                device = %self.layout.device, reason,
                "a message is refused; further refusals are counted, not logged, until one is taken"
            );
        }
    }

    /// What becomes of a message; and, where the answer names a value that may be a person's, what the log says of it.
    async fn take(&self, message: &Message, now: Stamp) -> (Code, Option<String>) {
        let Results { measurements, flawed } = match results(message, now, &self.zone) {
            Ok(results) => results,
            Err(refused) if refused.is_rejection() => return (Code::Reject(refused.to_string()), None),
            Err(refused) => return (Code::Error(refused.to_string()), Some(refused.advice())),
        };
        // What cannot be told apart is kept for a person, and still an error of the message.
        let is_unclear = measurements.iter().any(|measurement| measurement.patient.is_unclear);
        let (reply, safe) = oneshot::channel();
        let reported =
            VitalMeasurement { layout: Arc::clone(&self.layout), measurements, reply: Some(reply) };
        if self.measurements.send(CabinEvent::Measured(reported)).await.is_err() {
            return (Code::Reject("the gateway is stopping; send again".to_owned()), None);
        }
        let code = match safe.await {
            Ok(Ok(_)) if is_unclear => Code::Error(UNCLEAR.to_owned()),
            Ok(Ok(note)) => Code::Accept(self.remark(&flawed, note)),
            Ok(Err(why)) => {
                let advice = Some(why.advice().to_owned());
                return match why {
                    NotTaken::Wrong(reason) => (Code::Error(reason), advice),
                    NotTaken::NotStored(reason) => (Code::Reject(reason), advice),
                };
            }
            Err(_) => Code::Reject("the gateway is stopping; send again".to_owned()),
        };
        (code, None)
    }

    /// What is said of a message that is stored. Results without a usable value are named, counted, and the first
    /// after a message without any is logged.
    fn remark(&self, flawed: &[Refused], note: Option<String>) -> String {
        let Some(flaw) = flawed.first() else {
            self.has_flawed.store(false, Ordering::Relaxed);
            return note.unwrap_or_default();
        };
        self.count(|device| &device.garbled);
        if !self.has_flawed.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                device = %self.layout.device, flaw = %flaw.advice(), results = flawed.len(),
                "a result has no value that can be read, those beside it are stored; further ones are counted"
            );
        }
        let names: Vec<String> = flawed.iter().map(ToString::to_string).collect();
        let said: String = names.join("; ").chars().take(LONGEST_REMARK).collect();
        note.map_or_else(|| format!("stored; {said}"), |note| format!("{note}; {said}"))
    }

    fn count(&self, which: fn(&crate::line::DeviceHealth) -> &AtomicU64) {
        if let Some(device) = self.health.devices.first() {
            which(device).fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_domain::{ClockQuality, DeviceClass, Timestamp};

    struct Fixed;

    impl Clock for Fixed {
        fn now(&self) -> Stamp {
            Stamp { at: Timestamp(1_795_397_410_000), clock: ClockQuality::Synchronised }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_now_and_then_holds_no_connection_beyond_a_minute() {
        let layout = Layout {
            device: Id::new("monitor-1").unwrap(),
            name: "监护仪".to_owned(),
            room: None,
            class: DeviceClass::Vital,
            profile: "hl7/oru-r01".to_owned(),
            points: Vec::new(),
        };
        let conversation = || Conversation {
            layout: Arc::new(layout.clone()),
            measurements: mpsc::channel(1).0,
            clock: Arc::new(Fixed),
            health: Arc::new(LineHealth::new(1)),
            cancel: CancellationToken::new(),
            zone: Zone::East(0),
            patient_query: None,
            answers: Arc::default(),
            has_refused: Arc::default(),
            has_flawed: Arc::default(),
        };
        let mut open = Connections::new(4);
        let mut add = || open.add([192, 0, 2, 1].into(), 4).unwrap();
        // A message that never ends, a byte every ten seconds.
        let (mut peer, ours) = tokio::io::duplex(1024);
        let held = tokio::spawn(conversation().hold(ours, add()));
        let began = Instant::now();
        peer.write_all(&[linli_vitals::hl7::mllp::START]).await.unwrap();
        while peer.write_all(b"M").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        held.await.unwrap();
        assert!((60..=70).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
        // Between messages it may be silent for longer.
        let (mut peer, ours) = tokio::io::duplex(1024);
        let held = tokio::spawn(conversation().hold(ours, add()));
        let message = linli_vitals::hl7::mllp::frame(b"MSH|nothing");
        for _ in 0..3 {
            peer.write_all(&message).await.unwrap();
            let mut answer = [0; 512];
            assert!(peer.read(&mut answer).await.unwrap() > 0);
            tokio::time::sleep(Duration::from_secs(300)).await;
        }
        assert!(!held.is_finished());
    }
}
