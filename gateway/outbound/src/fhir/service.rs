//! The FHIR service: owns the queue of visits, and sends one at a time.
//!
//! A visit comes into the queue when it has ended, and again whenever a measurement of it is corrected, withdrawn,
//! assigned or taken away. What came while the process was not running is found at the start, by comparing every stored
//! visit with what the server has of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use linli_cabin::{AuditedReader, ErasedVisit};
use linli_config::settings::fhir::FhirSettings;
use linli_domain::Timestamp;
use linli_domain::visit::{Version, Visit};
use linli_reports::fhir::{Erasure, Resident, Transfer, erasure, transaction};
use linli_services::ServiceError;
use linli_services::events::{Event, Events};
use linli_services::stored::{all_decoded, body};
use linli_store::{Change, Document, Documents, Entry, Paging};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::item::{Item, State, Withheld, may_send, wanted};
use super::server::{Server, Verdict};
use super::{Action, MOST_LISTED, Request};

/// Kind of the documents.
const KIND: &str = "fhir-visit";

/// First pause after a failure; doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Visits that are compared at a time, and documents that are read at a time.
const AT_A_TIME: u32 = 500;

/// Whom the record names.
const WHO: &str = "linli";

/// What the service needs when it starts.
pub struct Deps {
    /// The documents with the queue.
    pub store: Documents,
    /// The stored visits, and the record.
    pub reader: AuditedReader,
    /// Tells which visits change.
    pub events: Events,
    /// The server of the present configuration.
    pub settings: watch::Receiver<Arc<Option<FhirSettings>>>,
    /// Id of the centre.
    pub centre: String,
    /// Name of the centre.
    pub name: String,
}

/// A transaction that is on its way: of which visit, and what the server has when it takes it.
struct Sending {
    visit: String,
    carries: BTreeMap<String, u32>,
    answer: JoinHandle<Verdict>,
}

/// The FHIR service.
pub struct FhirService {
    deps: Deps,
    items: BTreeMap<String, Item>,
    /// Visits that may have changed.
    changed: BTreeSet<String>,
    /// Whether all are to be compared.
    is_sweep_due: bool,
    sending: Option<Sending>,
    /// When the next visit may be sent.
    next: Instant,
    pause: Duration,
    /// When the next comparison may be made.
    next_compare: Instant,
    /// What keeps visits waiting, for people.
    trouble: Option<String>,
    /// Visits of the last comparison whose residents did not agree to it.
    withheld: usize,
}

// === impl FhirService ===

impl FhirService {
    /// Continues with the stored queue.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn resume(deps: Deps) -> anyhow::Result<Self> {
        let (mut items, mut last) = (BTreeMap::new(), String::new());
        loop {
            let page = deps.store.after(KIND, &last, AT_A_TIME).await?;
            let Some(end) = page.last() else { break };
            last.clone_from(&end.id);
            let read: Vec<Item> = all_decoded(&deps.store, &page, "not a visit for a FHIR server");
            items.extend(read.into_iter().map(|item| (item.visit.clone(), item)));
        }
        Ok(Self {
            deps,
            items,
            changed: BTreeSet::new(),
            is_sweep_due: true,
            sending: None,
            next: Instant::now(),
            pause: FIRST_PAUSE,
            next_compare: Instant::now(),
            trouble: None,
            withheld: 0,
        })
    }

    /// Runs until the last client is gone.
    pub async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let (mut settings, mut events) = (self.deps.settings.clone(), self.deps.events.subscribe());
        let mut is_open = true;
        loop {
            self.work().await;
            let wake = self.wake();
            tokio::select! {
                request = requests.recv() => match request {
                    Some(Request { what, reply, .. }) => {
                        let _ = reply.send(self.act(what).await);
                    }
                    None => break,
                },
                event = events.recv() => self.hear(event),
                (sent, verdict) = told(&mut self.sending) => self.learn(sent, verdict).await,
                changed = settings.changed(), if is_open => {
                    is_open = changed.is_ok();
                    (self.is_sweep_due, self.next, self.pause) = (true, Instant::now(), FIRST_PAUSE);
                }
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            }
        }
    }

    fn is_configured(&self) -> bool {
        self.deps.settings.borrow().is_some()
    }

    fn is_compare_due(&self) -> bool {
        self.is_sweep_due || !self.changed.is_empty()
    }

    /// When there is something to do next, if there is anything.
    fn wake(&self) -> Option<Instant> {
        if !self.is_configured() {
            return None;
        }
        let compare = self.is_compare_due().then_some(self.next_compare);
        let send = (self.sending.is_none() && self.waiting().next().is_some()).then_some(self.next);
        compare.into_iter().chain(send).min()
    }

    fn waiting(&self) -> impl Iterator<Item = &Item> {
        self.items.values().filter(|item| item.state == State::Waiting)
    }

    /// Which visit an event is about. A measurement may have been taken from the visit that was sent with it.
    fn hear(&mut self, event: Result<Event, RecvError>) {
        let event = match event {
            Ok(event) => event,
            Err(broadcast::error::RecvError::Lagged(_)) => {
                self.is_sweep_due = true;
                return;
            }
            Err(RecvError::Closed) => return,
        };
        if !["visit", "measurement"].contains(&event.kind) || !self.is_configured() {
            return;
        }
        let about: Value = serde_json::from_str(event.whole.json()).unwrap_or_default();
        let id = about["id"].as_str().unwrap_or_default();
        let had =
            self.items.values().filter(|item| item.sent.contains_key(id)).map(|item| item.visit.clone());
        self.changed.extend(had.collect::<Vec<_>>());
        let visit = if event.kind == "visit" { Some(id) } else { about["visit"].as_str() };
        self.changed.extend(visit.filter(|visit| !visit.is_empty()).map(str::to_owned));
    }

    /// Compares what changed, then begins to send the visit that waits longest.
    async fn work(&mut self) {
        let settings = Arc::clone(&self.deps.settings.borrow());
        let Some(settings) = settings.as_ref() else { return };
        // What is to be sent is known and stored also while the server has trouble.
        if self.is_compare_due()
            && Instant::now() >= self.next_compare
            && let Err(error) = self.compare(settings).await
        {
            tracing::warn!(%error, "visits cannot be compared with what the FHIR server has; tried again");
            self.next_compare = Instant::now() + FIRST_PAUSE;
        }
        if self.sending.is_some() || Instant::now() < self.next {
            return;
        }
        let oldest = self.waiting().min_by_key(|item| (item.attempts > 0, item.at)).cloned();
        if let Some(item) = oldest
            && let Err(why) = self.begin(&item, settings).await
        {
            self.later(why.to_string());
        }
    }

    async fn compare(&mut self, settings: &FhirSettings) -> Result<(), ServiceError> {
        if self.is_sweep_due {
            self.withheld = 0;
            // What was erased while nobody listened is not among the stored visits.
            self.changed.extend(self.items.keys().cloned());
            let mut paging = Paging::first(AT_A_TIME);
            loop {
                let span = (Timestamp(i64::MIN), Timestamp(i64::MAX));
                let page = self.deps.reader.store.visits_page(false, span, &paging).await?;
                for visit in &page.items {
                    self.look_at(visit, settings).await?;
                    self.changed.remove(&visit.id);
                }
                match page.next {
                    Some(next) => paging = Paging { limit: AT_A_TIME, after: Some(next) },
                    None => break,
                }
            }
            self.is_sweep_due = false;
        }
        while let Some(id) = self.changed.first().cloned() {
            match self.deps.reader.store.visit(&id).await? {
                Some(visit) => self.look_at(&visit, settings).await?,
                None => self.gone(&id).await?,
            }
            self.changed.remove(&id);
        }
        Ok(())
    }

    /// Puts a visit into the queue if the server has not what it is now.
    async fn look_at(&mut self, visit: &Visit, settings: &FhirSettings) -> Result<(), ServiceError> {
        match may_send(visit, &settings.consents, settings.anonymous) {
            Ok(()) => {}
            Err(why) => {
                self.withheld += usize::from(why != Withheld::Open);
                if self.items.get(&visit.id).is_some_and(|item| item.state == State::Waiting) {
                    self.forget(&visit.id).await?;
                }
                return Ok(());
            }
        }
        let now = wanted(&self.deps.reader.store.measured_during(&visit.id).await?);
        let known = self.items.get(&visit.id);
        if known.is_some_and(|item| {
            item.state == State::Waiting || (item.state == State::Sent && item.sent == now)
        }) {
            return Ok(());
        }
        // What was refused is tried again only when a person says so, or when it has become something else.
        if known.is_some_and(|item| item.state == State::Refused && item.sent == now) {
            return Ok(());
        }
        let at = self.deps.reader.clock.now().at;
        let sent = known.filter(|item| item.state == State::Sent).map(|item| item.sent.clone());
        let item = Item {
            visit: visit.id.clone(),
            state: State::Waiting,
            at,
            attempts: 0,
            why: None,
            sent: sent.unwrap_or_default(),
            erases: false,
        };
        self.keep(item).await
    }

    /// A visit is not stored any more. Whoever erased it wants it erased at the server too; what only went when its time
    /// was over stays there.
    async fn gone(&mut self, visit: &str) -> Result<(), ServiceError> {
        let Some(item) = self.items.get(visit).cloned() else { return Ok(()) };
        let is_under_way = self.sending.as_ref().is_some_and(|sending| sending.visit == visit);
        if item.erases || is_under_way {
            return Ok(());
        }
        let was_never_sent = item.state == State::Waiting && item.attempts == 0 && item.sent.is_empty();
        let is_erased = ErasedVisit::find(&self.deps.store, visit).await?.is_some();
        if was_never_sent || !is_erased {
            return self.forget(visit).await;
        }
        let at = self.deps.reader.clock.now().at;
        self.keep(Item { state: State::Waiting, at, attempts: 0, why: None, erases: true, ..item }).await
    }

    /// Begins to ask the server to delete what it has of an erased visit.
    async fn begin_erasure(&mut self, item: &Item, settings: &FhirSettings) -> Result<(), ServiceError> {
        let erased = ErasedVisit::find(&self.deps.store, &item.visit).await?;
        let Some(erased) = erased else { return self.forget(&item.visit).await };
        if item.attempts == 0 {
            let detail = format!("{} measurements at {}", item.sent.len(), settings.url);
            self.deps.reader.note(WHO, "fhir.erase", &item.visit, &detail).await?;
        }
        let bundle = erasure(&Erasure {
            centre: &self.deps.centre,
            visit: &item.visit,
            pseudonym: erased.pseudonym.as_deref(),
            resident: erased.resident,
            sent: &item.sent,
        });
        let server = Server { settings: settings.clone() };
        let answer = tokio::task::spawn_blocking(move || server.send(&bundle));
        self.sending = Some(Sending { visit: item.visit.clone(), carries: item.sent.clone(), answer });
        Ok(())
    }

    /// Reads a visit as it is now and begins to send it.
    async fn begin(&mut self, item: &Item, settings: &FhirSettings) -> Result<(), ServiceError> {
        if item.erases {
            return self.begin_erasure(item, settings).await;
        }
        let Some(visit) = self.deps.reader.store.visit(&item.visit).await? else {
            return self.gone(&item.visit).await;
        };
        if may_send(&visit, &settings.consents, settings.anonymous).is_err() {
            return self.forget(&item.visit).await;
        }
        let versions = self.deps.reader.store.measured_during(&visit.id).await?;
        let no_longer = self.no_longer(item, &versions, settings).await?;
        let resident = if settings.names { self.resident(&visit).await? } else { None };
        if item.attempts == 0 {
            let detail = format!("{} measurements to {}", versions.len() + no_longer.len(), settings.url);
            self.deps.reader.note(WHO, "fhir.send", &visit.id, &detail).await?;
        }
        let limits = self.deps.reader.settings.borrow().limits;
        let transfer = Transfer {
            centre: &self.deps.centre,
            name: &self.deps.name,
            visit: &visit,
            resident: resident.as_ref(),
            versions: &versions,
            no_longer: &no_longer,
            limits: &limits,
        };
        let bundle = transaction(&transfer, self.deps.reader.clock.now().at);
        let server = Server { settings: settings.clone() };
        let answer = tokio::task::spawn_blocking(move || server.send(&bundle));
        self.sending = Some(Sending { visit: visit.id, carries: wanted(&versions), answer });
        Ok(())
    }

    /// The newest version of measurements that the server has as this visit's and that are nobody's now, or of a visit
    /// that is not sent.
    async fn no_longer(
        &self,
        item: &Item,
        versions: &[Version],
        settings: &FhirSettings,
    ) -> Result<Vec<Version>, ServiceError> {
        let mut gone = Vec::new();
        for id in item.sent.keys().filter(|id| versions.iter().all(|version| version.id != **id)) {
            let Some(newest) = self.deps.reader.store.versions(id).await?.pop() else { continue };
            let other = match &newest.visit {
                Some(other) => self.deps.reader.store.visit(other).await?,
                None => None,
            };
            let is_sent_there =
                other.is_some_and(|other| may_send(&other, &settings.consents, settings.anonymous).is_ok());
            if !is_sent_there {
                gone.push(newest);
            }
        }
        Ok(gone)
    }

    async fn resident(&self, visit: &Visit) -> Result<Option<Resident>, ServiceError> {
        if visit.pseudonym.is_none() {
            return Ok(None);
        }
        let view = self.deps.reader.visit(WHO, &visit.id, true).await?;
        Ok(view.identity.map(|identity| {
            let born = identity.born();
            Resident {
                birth: born.map(|((year, month, day), _)| format!("{year:04}-{month:02}-{day:02}")),
                sex: born.map(|(_, sex)| sex),
                name: identity.name,
            }
        }))
    }

    async fn learn(&mut self, (visit, carries): (String, BTreeMap<String, u32>), verdict: Verdict) {
        let Some(mut item) = self.items.get(&visit).cloned() else { return };
        item.at = self.deps.reader.clock.now().at;
        match verdict {
            Verdict::Taken if item.erases => {
                tracing::info!(visit, "the FHIR server has deleted it");
                (self.trouble, self.pause, self.next) = (None, FIRST_PAUSE, Instant::now());
                if let Err(error) = self.forget(&visit).await {
                    self.later(error.to_string());
                }
                return;
            }
            Verdict::Taken => {
                tracing::info!(visit, "the FHIR server has it");
                (item.state, item.attempts, item.why, item.sent) = (State::Sent, 0, None, carries);
                (self.trouble, self.pause, self.next) = (None, FIRST_PAUSE, Instant::now());
            }
            Verdict::Later(why) => {
                item.attempts = item.attempts.saturating_add(1);
                item.why = Some(why.clone());
                tracing::warn!(visit, why, again_in = ?self.pause, "the FHIR server has not taken it yet");
                self.later(why);
            }
            Verdict::Refused(why) => {
                tracing::error!(visit, why, "the FHIR server refuses it; see `linli fhir`");
                // What it is that was refused: only something else is sent again by itself.
                (item.state, item.why, item.sent) = (State::Refused, Some(why), carries);
                (self.pause, self.next) = (FIRST_PAUSE, Instant::now());
            }
        }
        // It may have changed on the way.
        self.changed.insert(visit);
        if let Err(error) = self.keep(item).await {
            self.later(error.to_string());
        }
    }

    fn later(&mut self, why: String) {
        self.trouble = Some(why);
        self.next = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    async fn act(&mut self, action: Action) -> Result<Value, ServiceError> {
        match action {
            Action::Status => Ok(self.status()),
            Action::Retry(visit) => {
                if !self.is_configured() {
                    return Err(ServiceError::Conflict(
                        "no FHIR server is configured: give [fhir] in gateway.toml （未配置 FHIR 服务器）"
                            .to_owned(),
                    ));
                }
                let found = self.items.get(&visit).cloned();
                let missing = || ServiceError::Unknown(format!("visit {visit} is not in the queue"));
                let mut item = found.ok_or_else(missing)?;
                (item.state, item.attempts, item.why) = (State::Waiting, 0, None);
                item.at = self.deps.reader.clock.now().at;
                self.keep(item.clone()).await?;
                (self.next, self.pause) = (Instant::now(), FIRST_PAUSE);
                Ok(json!(item))
            }
        }
    }

    fn status(&self) -> Value {
        let count = |state: &State| self.items.values().filter(|item| item.state == *state).count();
        let settings = Arc::clone(&self.deps.settings.borrow());
        let mut listed: Vec<&Item> = self.items.values().filter(|item| item.state != State::Sent).collect();
        listed.sort_by_key(|item| (item.state == State::Waiting, item.at));
        listed.truncate(MOST_LISTED);
        json!({
            "url": settings.as_ref().as_ref().map(|settings| &settings.url),
            "waiting": count(&State::Waiting),
            "sent": count(&State::Sent),
            "refused": count(&State::Refused),
            "withheld": self.withheld,
            "trouble": self.trouble,
            "visits": listed,
        })
    }

    async fn keep(&mut self, item: Item) -> Result<(), ServiceError> {
        let changes = vec![Change::Document(document(&item))];
        self.deps.store.keep(Entry { changes, ..Entry::default() }).await?;
        self.items.insert(item.visit.clone(), item);
        Ok(())
    }

    async fn forget(&mut self, visit: &str) -> Result<(), ServiceError> {
        if self.items.contains_key(visit) {
            let id = id(visit);
            let change = Change::ForgetDocuments { kind: KIND.to_owned(), from: id.clone(), to: id };
            self.deps.store.keep(Entry { changes: vec![change], ..Entry::default() }).await?;
            self.items.remove(visit);
        }
        Ok(())
    }
}

/// What a transaction led to; never without one.
async fn told(sending: &mut Option<Sending>) -> ((String, BTreeMap<String, u32>), Verdict) {
    let Some(under_way) = sending else { return std::future::pending().await };
    let verdict = (&mut under_way.answer).await;
    let verdict = verdict.unwrap_or_else(|error| Verdict::Later(error.to_string()));
    let carried = (std::mem::take(&mut under_way.visit), std::mem::take(&mut under_way.carries));
    *sending = None;
    (carried, verdict)
}

fn id(visit: &str) -> String {
    format!("{KIND}/{visit}")
}

/// A visit of the queue as it is stored.
pub(super) fn document(item: &Item) -> Document {
    Document { id: id(&item.visit), kind: KIND.to_owned(), at: item.at, body: body(item) }
}
