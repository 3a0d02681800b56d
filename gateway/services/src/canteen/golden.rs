//! Forms of the canteen: samples, notes, cooling, signed days, what the audit says and what is told.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::Id;
use linli_domain::canteen::cooling::COOLING;
use linli_domain::canteen::wash::Cycle;
use linli_domain::canteen::{Day, Excursion, Kept};
use tokio::sync::{mpsc, watch};

use super::day;
use super::record::{self, CoolingBatch};
use super::request::Action;
use super::service::{CanteenService, Deps};
use crate::golden::site::{NOW, Site};
use linli_config::settings::canteen::CanteenDevice;
use linli_domain::canteen::{Signed, verify};
use linli_domain::timezone::Zone;
use linli_golden::{frozen, sent, stored};

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn watched(device: &str, kept: Option<Kept>) -> CanteenDevice {
    let fresh = Duration::from_secs(120);
    CanteenDevice { device: id(device), name: device.to_owned(), kept, point: 0, fresh, computed: None }
}

/// A service of these devices whose calculated values nobody reads.
fn deps(site: &Site, all: Vec<CanteenDevice>) -> Deps {
    Deps {
        store: site.store.documents(),
        samples: mpsc::channel(8).0.downgrade(),
        events: crate::events::Events::default(),
        clock: site.clock.clone(),
        watched: watch::Sender::new(Arc::new(all)).subscribe(),
        zone: Zone::find("Asia/Shanghai").unwrap(),
        centre: id("xinghe"),
    }
}

#[tokio::test]
async fn documents_that_do_not_decode_are_reported() {
    let site = Site::open().await;
    let day = "day/2026-11-22/samples";
    let stored = [
        ("account", "account/samples"),
        ("cooling", "cooling/1/probe-1"),
        ("day", day),
        ("signed", "signed/00000003"),
    ];
    for (kind, id) in stored {
        site.store_document(kind, id, r#"{"of":"another version"}"#).await;
    }
    let all = vec![watched("samples", Some(Kept::Samples)), watched("probe-1", None)];
    let mut service = CanteenService::resume(deps(&site, all)).await.unwrap();
    site.undecodable(2).await;
    assert_eq!(service.day_of(jiff::civil::date(2026, 11, 22), &id("samples")).await, None);
    site.undecodable(3).await;
    let sign = || Action::Sign { day: None, by: "王".to_owned(), note: None };
    let why = service.carry_out("lin", sign()).await.unwrap_err().to_string();
    assert!(why.contains("signed/00000003"), "{why}");
    site.undecodable(4).await;
    assert!(service.carry_out("lin", sign()).await.is_err());
    service.carry_out("lin", Action::Record { day: None }).await.unwrap();
    site.undecodable(4).await;
}

#[test]
fn batches_that_cool_and_cycles() {
    let cooling = linli_domain::canteen::cooling::Cooling::new(&COOLING[0]);
    let open = CoolingBatch {
        food: "红烧肉".to_owned(),
        probe: id("probe-1"),
        by: "李师傅".to_owned(),
        begun: NOW,
        seen: NOW,
        ended: None,
        cooling,
    };
    stored("food/cooling", &[CoolingBatch { ended: Some(NOW), ..open.clone() }, open]);
    let cycle = Cycle { from: NOW, to: NOW, highest: 91.5, held: 41_000, is_clean: true };
    let page = record::cycle(&id("dishes"), &cycle);
    frozen("food/cycle.txt", &format!("{} {} {} {}\n", page.kind, page.id, page.at.0, page.body));
}

#[test]
fn signed_days() {
    let record = |day: &str| serde_json::json!({"day": day, "z": 1.5, "a": [1, {"c": null, "b": "热"}]});
    let first = Signed::new(None, record("2026-11-23"), "李".to_owned(), None, 7);
    let second =
        Signed::new(Some(&first), record("2026-11-24"), "王".to_owned(), Some("补签 late".to_owned()), 8);
    let chain = [first, second];
    assert_eq!(verify(&chain), Ok(()));
    stored("food/signed", &chain);
}

#[tokio::test]
async fn what_people_do() {
    let site = Site::open().await;
    let all = vec![watched("samples", Some(Kept::Samples)), watched("probe-1", None)];
    let mut service = CanteenService::resume(deps(&site, all)).await.unwrap();
    let text = |text: &str| text.to_owned();
    let actions = [
        Action::Retain {
            food: text("红烧肉"),
            grams: 150.5,
            cabinet: text("samples"),
            meal: Some(text("午餐")),
            by: text("李师傅"),
        },
        Action::Destroy { sample: NOW.0.to_string(), by: text("王"), why: Some(text("破损")) },
        Action::Cool { food: text("汤"), probe: text("probe-1"), rule: None, by: text("李师傅") },
        Action::Note { text: text("已通风"), by: text("王") },
    ];
    for action in actions {
        service.carry_out("lin", action).await.unwrap();
    }
    // How long a cabinet was seen depends on how long this test takes.
    let cabinet = service.cabinets.remove(&id("samples")).unwrap();
    let excursion = Excursion { from: NOW, to: None, worst: 13.25 };
    let known = Day {
        within: 36_000_000,
        beyond: 600_000,
        danger: 300_000,
        unknown: 1000,
        range: Some((2.5, 13.25)),
        excursions: vec![excursion],
    };
    let length = 86_400_000;
    let shown = [Some(known), None].map(|known| day::shown(&cabinet, Kept::Samples, known, length));
    sent("food/cabinet", &shown);
    let sign = Action::Sign { day: None, by: text("王"), note: Some(text("无异常")) };
    service.carry_out("lin", sign).await.unwrap();
    frozen("food/journey.txt", &site.dump().await);
}
