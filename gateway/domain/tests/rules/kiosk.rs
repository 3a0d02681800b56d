//! The state of a kiosk.

use linli_domain::kiosk::{Hours, Matter, Part, Service};

#[test]
fn the_worst_part_decides_and_unknown_is_never_in_service() {
    let of = |parts: &[(&'static str, Part)]| Service::of(true, false, parts.iter().copied());
    assert_eq!(of(&[("printer", Part::Ok), ("paper", Part::Warn)]), Service::InService);
    assert_eq!(of(&[("printer", Part::Fault), ("touch", Part::Ok)]), Service::Degraded);
    assert_eq!(of(&[("paper", Part::Fault), ("upstream", Part::Offline)]), Service::OutOfService);
    let fine = [("touch", Part::Ok)];
    assert_eq!(Service::of(false, false, fine.into_iter()), Service::Offline);
    assert_eq!(Service::of(true, true, fine.into_iter()), Service::Maintenance);
}

#[test]
fn what_nobody_knows_is_not_available() {
    let mut hours = Hours::default();
    assert_eq!(hours.availability(), None);
    hours.add(Service::InService, 60);
    hours.add(Service::Degraded, 15);
    hours.add(Service::Offline, 25);
    assert_eq!(hours.availability(), Some(75.0));
    let print = Matter {
        id: "1".to_owned(),
        name: "打印".to_owned(),
        department: String::new(),
        needs: vec!["printer".to_owned(), "paper".to_owned()],
    };
    let paper = |state| move |name: &str| (name == "paper").then_some(state);
    assert_eq!((print.lacks(paper(Part::Warn)), print.lacks(paper(Part::Fault))), (None, Some("paper")));
}

#[test]
fn codes_and_words_lead_back() {
    for part in Part::ALL {
        assert_eq!(Part::of_code(i64::from(part.code())), Some(part));
    }
    assert_eq!((Part::of_code(7), Part::parse("broken")), (None, None));
}
