//! Results in ORU^R01 messages.

use linli_domain::vital::{Caveat, Measurement, NoReading, Quantity};
use linli_domain::{ClockQuality, Stamp, Timestamp};
use linli_drivers::health::Zone;
use linli_drivers::health::hl7::message::Message;
use linli_drivers::health::hl7::{Code, Refused, acknowledge, results};

const NOW: Stamp = Stamp { at: Timestamp(1_795_397_400_000), clock: ClockQuality::Synchronised };
const ZONE: Zone = Zone(480);

const VITALS: &str = "MSH|^~\\&|CABIN|SITE01|GW|SITE01|20261123093000+0800||ORU^R01^ORU_R01|C1-000042|P|2.6|||||||UNICODE UTF-8\r\
    PID|||p-7f3a^^^GW^PI\r\
    OBR|1|||85353-1^Vital signs^LN|||20261123092955+0800\r\
    OBX|1|NM|8480-6^Systolic^LN||138|mm[Hg]^^UCUM|||||F|||20261123092955+0800\r\
    OBX|2|NM|8462-4^Diastolic^LN||88|mm[Hg]^^UCUM|||||F\r\
    OBX|3|NM|59408-5^SpO2^LN||97|%^^UCUM|||||F\r";

fn of(text: &str) -> Result<Vec<Measurement>, Refused> {
    results(&Message::parse(text.as_bytes()).unwrap(), NOW, ZONE)
}

#[test]
fn a_message_of_vital_signs() {
    let found = of(VITALS).unwrap();
    assert_eq!(found.len(), 1);
    let measurement = &found[0];
    assert_eq!(measurement.value(Quantity::Systolic), Some(138.0));
    assert_eq!(measurement.value(Quantity::OxygenSaturation), Some(97.0));
    assert_eq!(measurement.taken.device, Some(Timestamp(1_795_397_395_000)));
    assert_eq!(measurement.key.as_deref(), Some("CABIN/SITE01/C1-000042/0"));
    assert_eq!(measurement.patient.ids, ["p-7f3a"]);
}

#[test]
fn codes_of_devices_units_and_states() {
    let text = VITALS
        .replace("8480-6^Systolic^LN||138|mm[Hg]", "150021^MDC_PRESS_BLD_NONINV_SYS^MDC||18.9|kPa")
        .replace("97|%^^UCUM|||||F", "|%^^UCUM|||||X")
        .replace("88|mm[Hg]^^UCUM|||||F", "88|mm[Hg]^^UCUM|||||C");
    let measurement = &of(&text).unwrap()[0];
    assert!((measurement.value(Quantity::Systolic).unwrap() - 141.8).abs() < 0.1);
    assert_eq!(measurement.readings[1].caveats, [Caveat::Corrected]);
    assert_eq!(measurement.readings[2].value, Err(NoReading::NotPerformed));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let told = |from: &str, to: &str| of(&VITALS.replace(from, to)).unwrap_err().to_string();
    assert!(told("138|mm[Hg]", "138|Cel").starts_with("OBX-1: Systolic"));
    assert!(told("|138|", "|high|").contains("\"high\" is not a number"));
    assert!(told("|P|2.6", "|T|2.6").contains("production"));
    assert!(told("ORU^R01^ORU_R01", "ADT^A01").contains("ADT^A01"));
    assert!(told("C1-000042", "").contains("MSH-10"));
    assert!(told("^LN", "^XX").contains("no observation"));
    assert!(of(&VITALS.replace("ORU^R01^ORU_R01", "ADT^A01")).unwrap_err().is_rejection());
}

#[test]
fn an_id_longer_than_the_standard_permits_is_an_error_and_its_answer_is_short() {
    let with_id = |id: &str| VITALS.replace("C1-000042", id);
    assert!(of(&with_id(&"标".repeat(199))).is_ok());
    let long = with_id(&"x".repeat(1_000_000));
    let refused = of(&long).unwrap_err();
    assert_eq!(refused, Refused::TooLong { field: 10, characters: 1_000_000, most: 199 });
    assert!(!refused.is_rejection());
    let message = Message::parse(long.as_bytes()).unwrap();
    let answer = acknowledge(&message, &Code::Error(refused.to_string()), "1", NOW.at).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.len() < 1000, "{} bytes", answer.len());
    assert!(answer.contains("MSA|AE|xxx"), "{answer}");
    assert!(answer.contains("MSH-10 has 1000000 characters; at most 199 are permitted"), "{answer}");
    for (from, field) in [("CABIN", 3), ("|SITE01|GW", 4)] {
        let text = VITALS.replacen(
            from,
            &from.replace("SITE01", &"y".repeat(300)).replace("CABIN", &"y".repeat(300)),
            1,
        );
        assert!(matches!(of(&text), Err(Refused::TooLong { field: found, .. }) if found == field));
    }
}

#[test]
fn a_message_all_of_whose_header_is_long_has_a_short_answer() {
    let long = "z".repeat(50_000);
    let text = format!("MSH|^~\\&|{long}|{long}|{long}|{long}|1||ORU^{long}|{long}|{long}|{long}\r");
    let message = Message::parse(text.as_bytes()).unwrap();
    let answer = acknowledge(&message, &Code::Reject(long), "1", NOW.at).unwrap();
    assert!(answer.len() < 3000, "{} bytes", answer.len());
    let set = format!("MSH|^~\\&|a|||||||||||||||{}\r", "k".repeat(100_000));
    let unreadable = Message::parse(set.as_bytes()).unwrap_err().to_string();
    assert!(unreadable.len() < 200, "{} bytes", unreadable.len());
}

const HEADER: &str =
    "MSH|^~\\&|CABIN|S|GW|S|20261123093000+0800||ORU^R01^ORU_R01|C1|P|2.6|||||||UNICODE UTF-8\r";

fn pid(fields: &str) -> String {
    format!("PID|{fields}\r")
}

fn pulse(value: u32) -> String {
    format!("OBR|1|||85353-1^Vital signs^LN\rOBX|1|NM|8867-4^HR^LN||{value}|/min^^UCUM|||||F\r")
}

/// The patients of the measurements of a message of these segments.
fn patients(segments: &[&str]) -> Vec<(Option<f64>, Vec<String>, bool)> {
    let all = of(&format!("{HEADER}{}", segments.concat())).unwrap();
    all.into_iter().map(|m| (m.value(Quantity::PulseRate), m.patient.ids, m.patient.is_unclear)).collect()
}

#[test]
fn every_identity_of_the_message_is_read() {
    let named = patients(&[
        &pid("1|two|a^^^GW~b^^^GW|alt~other|王^小明|||||||||||||acc|ssn|dl^GD"),
        "PV1|1|O|||pre||||||||||||||v-19|||||||||||||||||||||||||||||||v-50\r",
        &pulse(70),
    ]);
    let ids = ["two", "a", "b", "alt", "other", "acc", "ssn", "dl", "pre", "v-19", "v-50"];
    assert_eq!(named, [(Some(70.0), ids.map(str::to_owned).to_vec(), false)]);
    let all = of(&format!("{HEADER}{}{}", pid("||\"\"||王^小明~Wang^Xiaoming^^^Mr"), pulse(70))).unwrap();
    assert_eq!(
        (all[0].patient.names.as_slice(), all[0].patient.ids.len()),
        (&["王小明".to_owned(), "WangXiaoming".to_owned()][..], 0)
    );
    assert!(!format!("{:?}", all[0]).contains("小明"), "never in a log");
}

#[test]
fn each_patient_has_the_results_after_it() {
    let own = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let two = patients(&[&pid("||a"), &pulse(60), &pid("||b"), &pulse(70), &pulse(71)]);
    assert_eq!(
        two,
        [
            (Some(60.0), own(&["a"]), false),
            (Some(70.0), own(&["b"]), false),
            (Some(71.0), own(&["b"]), false)
        ]
    );
    let visits = patients(&[
        &pid("||a"),
        "PV1|1||||||||||||||||||v1\r",
        &pulse(60),
        "PV1|1||||||||||||||||||v2\r",
        &pulse(70),
    ]);
    assert_eq!(visits, [(Some(60.0), own(&["a", "v1"]), false), (Some(70.0), own(&["a", "v2"]), false)]);
    let lone = "OBX|1|NM|8867-4^HR^LN||72|/min^^UCUM|||||F\r";
    assert_eq!(patients(&[&pid("||a"), &pulse(60), &pid("||b"), lone])[1], (Some(72.0), own(&["b"]), false));
    assert_eq!(patients(&[&pid("||a"), &pulse(60), &pid("||a"), &pulse(61)]).len(), 2);
}

#[test]
fn what_cannot_be_told_apart_is_unclear_as_a_whole() {
    for segments in [
        [pid("||a"), pid("||b"), pulse(60), pulse(61)],
        [pulse(60), pid("||a"), pulse(61), String::new()],
        [pid("||a"), pulse(60), pid(""), pulse(61)],
        [pid("||a"), pulse(60), pid("||b"), String::new()],
        ["PV1|1||||||||||||||||||v1\r".to_owned(), pid("||a"), pulse(60), String::new()],
    ] {
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        assert!(patients(&segments).iter().all(|(.., is_unclear)| *is_unclear), "{segments:?}");
    }
    assert!(!patients(&[&pid(""), &pulse(60)])[0].2, "one patient, not named");
}
