//! Whatever sensors, kiosks and printers of the network send: no panic, and no number that is none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linli_domain::Value;
use linli_drivers::kiosk::{ipp, printer, report};
use linli_drivers::mqtt::zigbee;

fuzz_target!(|bytes: &[u8]| {
    for kind in zigbee::KINDS {
        for (point, told) in zigbee::values(kind.points, bytes).unwrap_or_default() {
            assert!(usize::from(point) < kind.points.len());
            assert!(!matches!(told, Ok(Value::Float(value)) if !value.is_finite()));
        }
    }
    let _ = (zigbee::is_online(bytes), zigbee::is_bookkeeping(bytes), zigbee::last_seen(bytes));
    if let Ok(report) = report::Report::parse(bytes) {
        assert_eq!(report.values().len(), report::POINTS.len());
    }
    let _ = ipp::understood(bytes);
    let [device, printing, errors @ ..] = bytes else { return };
    let told = printer::Printer::of_snmp(i64::from(*device), i64::from(*printing), errors);
    assert_eq!(told.values().len(), printer::POINTS.len());
});
