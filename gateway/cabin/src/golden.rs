//! Forms of the health cabin: identities and how they are sealed, what the audit says, what is told.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::visit::{Condition, Context, Ending, OpenedBy, Status, Unassigned, Version, payload};
use linli_domain::vital::{Caveat, Limits, Measurement, NoReading, Patient, Quantity, Reading, Taken};
use linli_domain::{ClockQuality, Id, Record, Timestamp};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use tokio::sync::{mpsc, watch};

use super::Identity;
use super::attachments::Sealed;
use super::identity::{pseudonym, seal, unseal};
use super::measurement_seal::{MeasurementSeal, bound};
use super::request::{NewVisit, Outcome};
use super::service::{CabinService, Deps, Health};
use crate::golden_site::{NOW, Site};
use linli_config::settings::cabin::CabinSettings;
use linli_config::settings::key::{Key, Keys};
use linli_golden::{frozen, sent, stored};
use linli_store::{Change, Entry};

const LIMITS: Limits = Limits { hypertension: (140.0, 90.0), fever: 37.3, altitude: 0, source: None };

fn identity() -> Identity {
    Identity {
        name: "张小明".to_owned(),
        id_number: Some("11010519491231002X".to_owned()),
        card: Some("A1".to_owned()),
        phone: Some("13800000000".to_owned()),
        ..Identity::default()
    }
}

fn keys() -> Keys {
    let key = |byte: &str| Key::parse(&byte.repeat(32)).unwrap();
    Keys { identity: key("02"), previous: vec![key("01")], pseudonym: key("09") }
}

fn version() -> Version {
    let mut pulse = Reading::of(Quantity::PulseRate, 128.0);
    pulse.doubt(Caveat::IrregularPulse);
    Version {
        id: "m-0011223344556677".to_owned(),
        version: 2,
        status: Status::Amended,
        visit: Some("v-0011223344556677".to_owned()),
        unassigned: Some(Unassigned::NoVisit),
        device: Id::new("cuff-1").unwrap(),
        room: Some(Id::new("health-cabin").unwrap()),
        measurement: Measurement {
            taken: Taken { at: NOW, clock: ClockQuality::FreeRunning, device: Some(Timestamp(7)) },
            readings: vec![
                Reading::of(Quantity::Systolic, 150.0),
                pulse,
                Reading::none(Quantity::Temperature, NoReading::NotPerformed),
            ],
            key: Some("7".to_owned()),
            key_reused: false,
            sent: None,
            amends: Vec::new(),
            attachments: Vec::new(),
            attached: Vec::new(),
            user: Some(2),
            patient: Patient::of_id("never stored"),
        },
        context: Context::default(),
        at: NOW,
        by: "chen".to_owned(),
        why: Some("never told".to_owned()),
    }
}

#[test]
fn documents_as_they_are_stored() {
    let of = |key: &str, pseudonym: Option<&str>| Sealed {
        key: key.to_owned(),
        pseudonym: pseudonym.map(str::to_owned),
        sealed: "AAECAwQFBgcICQoLDA0ODw==".to_owned(),
    };
    stored("cabin/attachment", &[of("resident", Some("P7")), of("1f3a5c7e", None)]);
}

#[test]
fn identities_and_how_they_are_sealed() {
    let least = Identity { card: None, phone: None, ..identity() };
    let card = Identity { id_number: None, ..identity() };
    stored("cabin/identity", &[identity(), least.clone(), card.clone()]);
    let registered = Identity {
        health_code: Some("jkm:9d41".to_owned()),
        sex: Some(linli_domain::vital::Sex::Female),
        birth_year: Some(1949),
        conditions: Some(vec![Condition::Hypertension, Condition::Diabetes]),
        merged_into: Some("ABCDEFGHIJKLMNOPQRSTUVWXYZ".to_owned()),
        ..card.clone()
    };
    stored("cabin/registered", &[registered]);
    let keys = keys();
    let named: Vec<String> = [&identity(), &least, &card].map(|who| pseudonym(&keys, who)).to_vec();
    stored("cabin/pseudonym", &named);
    // A nonce of 12 bytes, then the text sealed with the pseudonym as additional data, then its tag.
    let (pseudonym, nonce) = (named[0].as_str(), [5_u8; 12]);
    let mut text = serde_json::to_vec(&identity()).unwrap();
    let sealing = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[2; 32]).unwrap());
    let aad = Aad::from(pseudonym.as_bytes());
    sealing.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut text).unwrap();
    let sealed = [nonce.as_slice(), &text].concat();
    let name = keys.identity.name();
    stored(
        "cabin/sealed",
        &[(pseudonym, name.as_str(), linli_domain::audit::hex(&sealed))]
            .map(|(a, b, c)| (a.to_owned(), b.to_owned(), c)),
    );
    assert_eq!(unseal(&keys, pseudonym, &name, &sealed).unwrap(), identity());
    let again = seal(&keys, pseudonym, &identity()).unwrap();
    assert_eq!(again.len(), sealed.len());
    assert_eq!(unseal(&keys, pseudonym, &name, &again).unwrap(), identity());
}

/// Written once with this key and nonce: every later version opens it.
#[tokio::test]
async fn measurements_as_they_are_sealed() {
    let site = Site::open().await;
    let resident = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let version = Version { unassigned: None, ..version() };
    let mut clear = serde_json::to_vec(&version).unwrap();
    let sealing = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).unwrap());
    let aad = Aad::from(bound(resident, "m-0011223344556677/2").into_bytes());
    sealing.seal_in_place_append_tag(Nonce::assume_unique_for_key([5; 12]), aad, &mut clear).unwrap();
    let sealed = data_encoding::BASE64.encode(&[[5; 12].as_slice(), &clear].concat());
    let body = format!(r#"{{"sealed_for":"{resident}","device":"cuff-1","sealed":"{sealed}"}}"#);
    frozen("cabin/sealed_measurement.json", &format!("{body}\n"));

    std::fs::create_dir(site.dir().join("residents")).unwrap();
    let key = linli_golden::golden("cabin/resident_key.json");
    std::fs::write(site.dir().join("residents").join(resident), key).unwrap();
    let settings = Arc::new(CabinSettings { keys: Some(keys()), ..CabinSettings::default() });
    let settings = watch::Sender::new(settings).subscribe();
    site.store.seal_with(Arc::new(MeasurementSeal { residents: site.residents(), settings }));
    let (id, visit) = (version.id.clone(), version.visit.clone());
    let sealed = Change::Sealed { id: id.clone(), version: 2, visit, at: NOW, body };
    site.store.cabin().keep(Entry { changes: vec![sealed], ..Entry::default() }).await.unwrap();
    let opened = site.store.cabin().versions(&id).await.unwrap();
    let stored = |version: &Version| serde_json::to_string(version).unwrap();
    assert_eq!(opened.iter().map(stored).collect::<Vec<_>>(), [stored(&version)]);
}

#[test]
fn measurements_as_they_are_told() {
    let whole = version();
    let mut least = Version { visit: None, unassigned: None, room: None, ..version() };
    least.measurement.taken = Taken { at: NOW, clock: ClockQuality::Synchronised, device: None };
    least.measurement.user = None;
    let messages = [
        payload::record(&whole, Some("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), &LIMITS),
        payload::record(&least, None, &LIMITS),
        payload::erased(&whole.outline(), NOW),
    ];
    let messages = messages.map(|record| match record {
        Record::Message(message) => message,
        Record::Samples(_) => panic!("a measurement is told as a message"),
    });
    stored("cabin/told", &messages);
    sent("cabin/public", &[payload::public(&whole, &LIMITS)]);
}

#[tokio::test]
async fn visits_as_they_are_audited() {
    let site = Site::open().await;
    let (samples, _batches) = mpsc::channel(8);
    let deps = Deps {
        store: site.store.clone(),
        samples,
        live: Arc::default(),
        events: linli_services::events::Events::default(),
        clock: site.clock.clone(),
        health: Arc::new(Health::default()),
        residents: site.residents(),
    };
    let settings = CabinSettings {
        keys: Some(keys()),
        visit_timeout: Duration::from_secs(3600),
        retention: Duration::from_secs(7 * 86_400),
        limits: LIMITS,
        rooms: vec![Id::new("health-cabin").unwrap()],
        ..CabinSettings::default()
    };
    let mut service =
        CabinService::resume(deps, watch::Sender::new(Arc::new(settings)).subscribe()).await.unwrap();
    let endings = [Ending::Completed, Ending::Abandoned, Ending::TimedOut, Ending::Superseded];
    linli_golden::every!(endings; Ending::Completed, Ending::Abandoned, Ending::TimedOut, Ending::Superseded);
    let (mut names, mut visits) = (Vec::new(), String::new());
    for ending in endings {
        let new = NewVisit {
            room: None,
            by: OpenedBy::Card,
            identity: Some(identity()),
            code: None,
            consent: Some("2026-1".to_owned()),
            resident: None,
        };
        let Outcome::Visit(visit) = service.open("lin", new).await.unwrap() else { panic!("a visit") };
        service.end("lin", &visit.id, ending).await.unwrap();
        let visit = site.store.cabin().visit(&visit.id).await.unwrap().unwrap();
        visits += &format!("visit {}\n", serde_json::to_string(&visit).unwrap());
        names.push(visit.id);
    }
    let dump = visits + &site.dump().await;
    // Names of visits are random.
    let dump = names.iter().enumerate().fold(dump, |dump, (n, name)| dump.replace(name, &format!("v-{n}")));
    frozen("cabin/journey.txt", &dump);
}
