//! Forms of kiosks: how a day was spent.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::Id;
use linli_domain::kiosk::Hours;
use linli_domain::timezone::Zone;
use tokio::sync::watch;

use super::service::{Deps, KioskService, Query, day_page};
use super::state::State;
use linli_config::settings::kiosk::{KioskDevice, KioskSettings};
use linli_golden::{frozen, sent};
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
