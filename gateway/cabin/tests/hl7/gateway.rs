//! The real listener and the real service over a store of their own. Time stands still but for [`Gateway::until`]: a
//! blocking task that waits keeps the runtime from going on to the next timer by itself. The store runs in real time.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use linli_cabin::{Action, CabinService, Deps, Health, Identity, NewVisit, Outcome};
use linli_config::settings::cabin::CabinSettings;
use linli_config::settings::key::{Key, Keys};
use linli_domain::caller::Caller;
use linli_domain::visit::{Ending, OpenedBy, Version, Visit};
use linli_domain::vital::Limits;
use linli_domain::{ClockQuality, DeviceClass, Id, Stamp, Timestamp};
use linli_drivers::modbus::profile::ProfileSet;
use linli_drivers::{Clock, LineContext, LineHealth, PollOverrides, RawDevice, RawLine, protocol};
use linli_services::client::ServiceClient;
use linli_store::{Settings, Store};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::text::{BEGIN, card, code};

/// Where stores run.
static STORES: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
});

/// Time that is set by hand.
struct Hand(Instant);

impl Clock for Hand {
    fn now(&self) -> Stamp {
        let passed = i64::try_from(self.0.elapsed().as_millis()).unwrap();
        Stamp { at: Timestamp(BEGIN + passed), clock: ClockQuality::Synchronised }
    }
}

/// Two cabins with three monitors.
pub struct Gateway {
    pub store: Store,
    /// The port of each monitor.
    pub ports: [u16; 3],
    client: ServiceClient<Action, Outcome>,
    began: Instant,
    cancel: CancellationToken,
    _dir: tempfile::TempDir,
}

fn room(number: u8) -> Id {
    Id::new(&format!("cabin-{number}")).unwrap()
}

// === impl Gateway ===

impl Gateway {
    pub async fn start() -> Self {
        let dir = tempfile::tempdir_in(memory()).unwrap();
        let settings = Settings {
            path: dir.path().join("linli.db"),
            max_bytes: 256 << 20,
            max_age: None,
            commit_interval: Duration::from_millis(1),
            history_retention: Duration::from_secs(86_400),
        };
        let opened = STORES.spawn(Store::open(settings, Arc::new(|| Timestamp(BEGIN))));
        let (store, _) = opened.await.unwrap().unwrap();
        let began = Instant::now();
        let clock: Arc<dyn Clock> = Arc::new(Hand(began));
        let key = |byte: &str| Key::parse(&byte.repeat(32)).unwrap();
        let settings = CabinSettings {
            keys: Some(Keys { identity: key("02"), previous: Vec::new(), pseudonym: key("09") }),
            visit_timeout: Duration::from_secs(86_400),
            retention: Duration::from_secs(3650 * 86_400),
            limits: Limits::default(),
            rooms: vec![room(0), room(1)],
            ..CabinSettings::default()
        };
        let (samples, mut batches) = mpsc::channel(64);
        let (events, mut changes) = mpsc::channel(64);
        tokio::spawn(async move { while batches.recv().await.is_some() {} });
        tokio::spawn(async move { while changes.recv().await.is_some() {} });
        let deps = Deps {
            store: store.clone(),
            samples: samples.clone(),
            live: Arc::default(),
            events: linli_services::events::Events::default(),
            clock: Arc::clone(&clock),
            health: Arc::new(Health::default()),
            residents: linli_cabin::ResidentKeys::at(dir.path()),
        };
        let settings = watch::Sender::new(Arc::new(settings)).subscribe();
        let service = CabinService::resume(deps, settings).await.unwrap();
        let (client, requests) = ServiceClient::channel(8);
        let (measurements, received) = mpsc::channel(linli_cabin::MEASUREMENT_QUEUE);
        tokio::spawn(service.run(received, requests));
        let cancel = CancellationToken::new();
        // All at once, so that no two are the same.
        let held: [TcpListener; 3] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = held.map(|listener| listener.local_addr().unwrap().port());
        for (monitor, port) in ports.iter().enumerate() {
            let context = LineContext {
                gateway: Id::new("g1").unwrap(),
                samples: samples.clone(),
                measurements: measurements.clone(),
                events: events.clone(),
                commands: mpsc::channel(1).1,
                maintenance: mpsc::channel(1).1,
                poll_overrides: watch::channel(PollOverrides::default()).1,
                clock: Arc::clone(&clock),
                tls: None,
                health: Arc::new(LineHealth::new(1)),
                cancel: cancel.clone(),
            };
            listen(monitor, *port, context);
        }
        Self { store, ports, client, began, cancel, _dir: dir }
    }

    /// Lets time pass until that many milliseconds after the start.
    pub async fn until(&self, ms: i64) {
        let passed = i64::try_from(self.began.elapsed().as_millis()).unwrap();
        tokio::time::advance(Duration::from_millis((ms - passed).max(0).cast_unsigned())).await;
    }

    async fn ask(&self, what: Action) -> Outcome {
        self.client.ask(&Caller::local("lin"), what).await.unwrap()
    }

    pub async fn open(&self, stream: u64, act: usize, number: u8, who: u8) -> Visit {
        let identity = Identity {
            name: "欧阳若水".to_owned(),
            id_number: None,
            card: Some(card(stream, who)),
            phone: None,
            ..Identity::default()
        };
        let new = NewVisit {
            room: Some(room(number)),
            by: OpenedBy::Card,
            identity: Some(identity),
            code: Some(code(stream, act)),
            consent: Some("2026-1".to_owned()),
            resident: None,
        };
        match self.ask(Action::Open(new)).await {
            Outcome::Visit(visit) => *visit,
            other => panic!("{other:?}"),
        }
    }

    pub async fn end(&self, visit: &str) {
        self.ask(Action::End { visit: visit.to_owned(), ending: Ending::Completed }).await;
    }

    /// The measurements that were stored between two times, each with its history.
    pub async fn measured(&self, from: i64, to: i64) -> BTreeMap<String, Vec<Version>> {
        let cabin = self.store.cabin();
        let mut all = BTreeMap::new();
        for version in cabin.measured(Timestamp(BEGIN + from), Timestamp(BEGIN + to)).await.unwrap() {
            all.insert(version.id.clone(), cabin.versions(&version.id).await.unwrap());
        }
        all
    }

    pub async fn stop(self) {
        self.cancel.cancel();
        tokio::task::yield_now().await;
    }
}

/// A file system in memory, where there is one: what is tested is not the disk.
fn memory() -> std::path::PathBuf {
    let shared = std::path::PathBuf::from("/dev/shm");
    if shared.is_dir() { shared } else { std::env::temp_dir() }
}

fn listen(monitor: usize, port: u16, context: LineContext) {
    let id = |text: String| Id::new(&text).unwrap();
    let settings = format!("listen = \"127.0.0.1:{port}\"").parse().unwrap();
    let line =
        RawLine { id: id(format!("line-{monitor}")), settings, zone: linli_domain::timezone::Zone::utc() };
    let device = RawDevice {
        id: id(format!("monitor-{monitor}")),
        name: "监护仪".to_owned(),
        room: Some(room(u8::try_from(monitor % 2).unwrap())),
        class: DeviceClass::Vital,
        unit: None,
        topic: None,
        serial: None,
        token: None,
        profile: "hl7/oru-r01".to_owned(),
        poll: Duration::from_secs(10),
    };
    let plan = protocol("mllp").unwrap().plan(&line, &[device], &ProfileSet::default()).unwrap();
    tokio::spawn(plan.run(context));
}
