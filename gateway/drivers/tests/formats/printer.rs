//! The state of a printer.

use linli_domain::kiosk::Part;
use linli_domain::{Reason, Value};
use linli_drivers::kiosk::printer::Printer;

#[test]
fn error_bits_count_from_the_highest_of_the_first_octet() {
    let of = |errors: &[u8]| Printer::of_snmp(2, 3, errors);
    assert_eq!(of(&[]).printer, Part::Ok);
    assert_eq!((of(&[0x80]).paper, of(&[0x80]).printer), (Part::Warn, Part::Warn));
    assert_eq!((of(&[0x40]).paper, of(&[0x40]).printer), (Part::Fault, Part::Fault));
    assert_eq!((of(&[0x30]).toner, of(&[0x08]).cover_open, of(&[0x04]).jam), (Part::Fault, true, true));
    assert_eq!((of(&[0x00, 0x04]).paper, of(&[0x00, 0x04]).detail.as_str()), (Part::Fault, "inputTrayEmpty"));
    assert_eq!(Printer::of_snmp(5, 1, &[0x01]).printer, Part::Fault, "it calls itself down");
    assert_eq!(Printer::of_snmp(2, 4, &[]).printer, Part::Busy);
}

#[test]
fn reasons_carry_how_bad_they_are() {
    let of = |state, reasons: &[&str]| {
        Printer::of_ipp(state, &reasons.iter().map(|r| (*r).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(of(3, &["none"]).printer, Part::Ok);
    let low = of(4, &["media-low-warning", "toner-low-report"]);
    assert_eq!((low.printer, low.paper, low.toner), (Part::Warn, Part::Warn, Part::Ok));
    let empty = of(5, &["media-empty-error", "cover-open"]);
    assert_eq!((empty.printer, empty.paper, empty.cover_open), (Part::Fault, Part::Fault, true));
    assert_eq!(of(3, &["media-jam"]).printer, Part::Fault);
    assert_eq!(of(5, &["paused"]).printer, Part::Fault);
}

#[test]
fn what_a_printer_does_is_no_fault() {
    let of =
        |reasons: &[&str]| Printer::of_ipp(3, &reasons.iter().map(|r| (*r).to_owned()).collect::<Vec<_>>());
    for activity in [
        "spool-area-full-report",
        "cups-waiting-for-job-completed",
        "connecting-to-device",
        "media-empty-report",
        "toner-empty-report",
        "cover-open-report",
        "media-low-report",
        "marker-supply-low-report",
        "marker-waste-almost-full-report",
    ] {
        let printer = of(&[activity]);
        assert_eq!(
            (printer.printer, printer.paper, printer.toner),
            (Part::Ok, Part::Ok, Part::Ok),
            "{activity}"
        );
        assert!(!printer.cover_open && !printer.jam);
    }
    let warned = of(&["media-empty-warning", "vendor-something"]);
    assert_eq!((warned.printer, warned.paper), (Part::Warn, Part::Warn));
    assert_eq!(of(&["toner-low"]).printer, Part::Warn);
    assert_eq!((of(&["toner-empty"]).printer, of(&["toner-empty"]).toner), (Part::Fault, Part::Fault));
    assert_eq!(of(&["vendor-something-error"]).printer, Part::Fault);
}

#[test]
fn error_bits_that_are_missing_say_nothing() {
    let mut printer = Printer::of_snmp(2, 3, &[]);
    printer.tells_errors = false;
    let values = printer.values();
    let unknown = values.iter().filter(|(_, value)| *value == Err(linli_domain::Reason::NoValue)).count();
    assert_eq!(unknown, 5, "paper, toner, jam, cover and supplies: {values:?}");
    assert!(values[0].1.is_ok(), "what the device says of itself stays");
}

#[test]
fn a_state_that_is_not_said_is_not_ok() {
    let told = |printer: Printer| printer.values()[0].1.clone();
    for (device, printer) in [(1, 2), (1, 1), (0, 0)] {
        assert_eq!(told(Printer::of_snmp(device, printer, &[0])), Err(Reason::NoValue), "{device} {printer}");
    }
    for (device, printer) in [(2, 1), (1, 3), (2, 3)] {
        assert_eq!(
            told(Printer::of_snmp(device, printer, &[0])),
            Ok(Value::Integer(0)),
            "{device} {printer}"
        );
    }
    assert_eq!(
        told(Printer::of_snmp(1, 2, &[0x04])),
        Ok(Value::Integer(4)),
        "jammed is a fault in any state"
    );
    assert_eq!(told(Printer::of_ipp(9, &["none".to_owned()])), Err(Reason::NoValue));
    assert_eq!(told(Printer::of_ipp(9, &["media-jam-error".to_owned()])), Ok(Value::Integer(4)));
}
