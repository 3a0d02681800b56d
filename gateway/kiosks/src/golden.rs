//! Forms of kiosks: how a day was spent.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::kiosk::Hours;
use linli_domain::timezone::Zone;
use linli_domain::{Id, Timestamp};
use tokio::sync::watch;

use super::note::{KioskNote, Notes, PutBack};
use super::service::{Deps, KioskService, Query, day_page};
use super::state::State;
use linli_config::settings::kiosk::{KioskDevice, KioskSettings};
use linli_golden::{frozen, sent, stored};
use linli_golden_site::{NOW, Site};
use linli_services::client::ServiceClient;

#[test]
fn a_day_of_a_kiosk() {
    let hours = Hours { in_service: 1, degraded: 2, out_of_service: 3, maintenance: 4, offline: 5 };
    let device = Id::new("kiosk-1").unwrap();
    let page = day_page(jiff::civil::date(2026, 11, 3), &device, NOW, &hours);
    frozen("kiosks/day.txt", &format!("{} {} {} {}\n", page.kind, page.id, page.at.0, page.body));
    let kiosk = KioskDevice { device, name: "一号机".to_owned(), fresh: Duration::from_secs(60) };
    let matters: Arc<Vec<_>> = Arc::default();
    sent("kiosks/shown", &[State::spent(hours).view(&kiosk, &matters)]);
}

#[test]
fn notes_of_a_kiosk() {
    let (by, at) = ("zhou".to_owned(), NOW);
    let put_back = Some(PutBack { by: "lin".to_owned(), at: Timestamp(NOW.0 + 60_000) });
    let out = KioskNote {
        text: "等配件 waits for a part".to_owned(),
        by,
        at,
        out_until: Some(Timestamp(NOW.0 + 3_600_000)),
        put_back,
    };
    let plain = KioskNote { text: "补了纸".to_owned(), out_until: None, put_back: None, ..out.clone() };
    stored("kiosks/note", &[Notes { notes: vec![plain, out] }, Notes::default()]);
}

#[tokio::test]
async fn a_kiosk_that_a_person_puts_out_of_service_is_so_until_somebody_puts_it_back() {
    let site = Site::open().await;
    let device = Id::new("kiosk-1").unwrap();
    let kiosk = KioskDevice { device, name: "一号机".to_owned(), fresh: Duration::from_secs(60) };
    let settings = KioskSettings { kiosks: vec![kiosk], ..KioskSettings::default() };
    let setup = watch::Sender::new(Arc::new(settings));
    let deps = || Deps {
        store: site.store.documents(),
        events: linli_services::events::Events::default(),
        clock: site.clock.clone(),
        setup: setup.subscribe(),
        zone: Zone::find("Asia/Shanghai").unwrap(),
    };
    let caller = linli_domain::caller::Caller {
        account: "zhou".to_owned(),
        ..linli_domain::caller::Caller::anybody()
    };
    let note = |text: &str, hours: i64| Query::Note {
        kiosk: "kiosk-1".to_owned(),
        text: text.to_owned(),
        out_until: Some(Timestamp(NOW.0 + hours * 3_600_000)),
    };
    for round in 0..2 {
        let service = KioskService::resume(deps()).await.unwrap();
        let (client, requests) = ServiceClient::channel(1);
        let (batches, read) = tokio::sync::mpsc::channel(1);
        let running = tokio::spawn(service.run(read, requests));
        let shown = async || client.ask(&caller, Query::List).await.unwrap()[0].clone();
        if round == 0 {
            for (text, hours) in [("", 1), ("两\n行", 1), ("过去", -1), ("太久", 91 * 24)] {
                assert!(client.ask(&caller, note(text, hours)).await.is_err(), "{text:?}");
            }
            client.ask(&caller, note("等配件", 2)).await.unwrap();
        } else {
            // The next process knows it.
            let mut found = shown().await;
            while found["out_until"].is_null() {
                tokio::task::yield_now().await;
                found = shown().await;
            }
        }
        let found = shown().await;
        assert_eq!(
            (&found["service"], &found["note"]["by"]),
            (&"maintenance".into(), &"zhou".into()),
            "{found}"
        );
        if round == 1 {
            client.ask(&caller, Query::PutBack("kiosk-1".to_owned())).await.unwrap();
            assert_eq!(shown().await["service"], "offline", "it reports nothing");
            assert!(client.ask(&caller, Query::PutBack("kiosk-1".to_owned())).await.is_err(), "once");
        }
        drop(batches);
        running.await.unwrap();
    }
}

#[tokio::test]
async fn days_that_do_not_decode_are_reported() {
    let site = Site::open().await;
    let device = Id::new("kiosk-1").unwrap();
    let hours = serde_json::to_string(&Hours { in_service: 60_000, ..Hours::default() }).unwrap();
    site.store_document("kiosk-day", "kiosk-day/2026-11-23/kiosk-1", r#"{"in_service":"all"}"#).await;
    site.store_document("kiosk-day", "kiosk-day/2026-11-22/kiosk-1", "[]").await;
    site.store_document("kiosk-day", "kiosk-day/2026-11-21/kiosk-1", &hours).await;
    let kiosk = KioskDevice { device, name: "一号机".to_owned(), fresh: Duration::from_secs(60) };
    let settings = KioskSettings { kiosks: vec![kiosk], ..KioskSettings::default() };
    let deps = Deps {
        store: site.store.documents(),
        events: linli_services::events::Events::default(),
        clock: site.clock.clone(),
        setup: watch::Sender::new(Arc::new(settings)).subscribe(),
        zone: Zone::find("Asia/Shanghai").unwrap(),
    };
    let service = KioskService::resume(deps).await.unwrap();
    site.undecodable(1).await;
    let (client, requests) = ServiceClient::channel(1);
    let (batches, read) = tokio::sync::mpsc::channel(1);
    let running = tokio::spawn(service.run(read, requests));
    let days = client.ask(&linli_domain::caller::Caller::anybody(), Query::Days(7)).await.unwrap();
    let mut days: Vec<&str> =
        days.as_array().unwrap().iter().map(|day| day["day"].as_str().unwrap()).collect();
    days.sort_unstable();
    assert_eq!(days, ["2026-11-21", "2026-11-23"], "today begins anew");
    site.undecodable(2).await;
    drop(batches);
    running.await.unwrap();
}
