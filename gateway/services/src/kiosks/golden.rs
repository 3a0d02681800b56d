//! Forms of kiosks: how a day was spent.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::Id;
use linli_domain::kiosk::Hours;

use super::service::day_page;
use super::state::State;
use crate::golden::site::NOW;
use linli_config::settings::kiosk::KioskDevice;
use linli_golden::{frozen, sent};

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
