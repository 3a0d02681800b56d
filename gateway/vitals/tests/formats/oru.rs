//! Results in ORU^R01 messages.

use linli_domain::vital::{Caveat, Comparator, Measurement, NoReading, Quantity, Reading, Sex, Site};
use linli_domain::{ClockQuality, Stamp, Timestamp};
use linli_vitals::Zone;
use linli_vitals::hl7::message::Message;
use linli_vitals::hl7::{Code, Refused, Unreadable, acknowledge, results};

const NOW: Stamp = Stamp { at: Timestamp(1_795_397_400_000), clock: ClockQuality::Synchronised };
const ZONE: Zone = Zone::East(480);

const VITALS: &str = "MSH|^~\\&|CABIN|SITE01|GW|SITE01|20261123093000+0800||ORU^R01^ORU_R01|C1-000042|P|2.6|||||||UNICODE UTF-8\r\
    PID|||p-7f3a^^^GW^PI\r\
    OBR|1|||85353-1^Vital signs^LN|||20261123092955+0800\r\
    OBX|1|NM|8480-6^Systolic^LN||138|mm[Hg]^^UCUM|||||F|||20261123092955+0800\r\
    OBX|2|NM|8462-4^Diastolic^LN||88|mm[Hg]^^UCUM|||||F\r\
    OBX|3|NM|59408-5^SpO2^LN||97|%^^UCUM|||||F\r";

fn of(text: &str) -> Result<Vec<Measurement>, Refused> {
    results(&Message::parse(text.as_bytes()).unwrap(), NOW, &ZONE).map(|results| results.measurements)
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
    let alone = |value: &str| of(&format!("{HEADER}OBR|1\rOBX|7|NM|8480-6^Sys^LN||{value}\r")).map(drop);
    assert!(alone("high|mm[Hg]").unwrap_err().to_string().contains("OBX-7: \"high\" is not a number"));
    assert!(alone("138|Cel").unwrap_err().to_string().starts_with("OBX-7: Systolic"));
    for (text, says) in
        [("138|Cel", "OBX-1: Systolic"), ("138|", "OBX-1: Systolic"), ("high|mm[Hg]", "OBX-1: \"high\"")]
    {
        let message = Message::parse(VITALS.replace("138|mm[Hg]^^UCUM", text).as_bytes()).unwrap();
        let found = results(&message, NOW, &ZONE).unwrap();
        assert!(found.flawed[0].to_string().starts_with(says), "{:?}", found.flawed);
        assert!(!found.flawed[0].advice().contains("high"), "a value may be a person's");
        let values: Vec<_> =
            found.measurements[0].readings.iter().map(|reading| reading.value.ok()).collect();
        assert_eq!(values, [None, Some(88.0), Some(97.0)], "{text}: those beside it are kept");
    }
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
    let answer = acknowledge(&message, &Code::Error(refused.to_string()), "1", NOW.at).remove(0);
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
    let answer = acknowledge(&message, &Code::Reject(long), "1", NOW.at).remove(0);
    assert!(answer.len() < 3000, "{} bytes", answer.len());
    let set = format!("MSH|^~\\&|ü|||||||||||||||{}\r", "k".repeat(100_000));
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
fn the_place_of_the_patient_is_read() {
    let places = |segments: &[&str]| {
        let all = of(&format!("{HEADER}{}", segments.concat())).unwrap();
        all.into_iter().map(|m| m.patient.places).collect::<Vec<_>>()
    };
    assert_eq!(
        places(&[&pid("||a"), "PV1|1|O|cabin-2^room^bed\r", &pulse(60)]),
        [["cabin-2", "room", "bed"]]
    );
    assert_eq!(places(&[&pid("||a"), &pulse(60)]), [[""; 0]]);
    let moved = [&pid("||a"), "PV1|1|O|one\r", &pulse(60), "PV1|1|O|two\r", &pulse(61)];
    assert_eq!(places(&moved), [["one"], ["two"]]);
}

#[test]
fn a_time_stands_where_the_device_writes_it() {
    let measured = |obr: &str, obx: &str, after: &str| {
        let text = format!(
            "{HEADER}OBR|1|||85353-1^Vital signs^LN|||{obr}\rOBX|1|NM|8867-4^HR^LN||70|/min|||||F|||{obx}\r{after}"
        );
        let measurement = of(&text).unwrap().remove(0);
        (measurement.taken.device, measurement.readings[0].caveats.clone())
    };
    let at = (Some(Timestamp(1_795_397_395_000)), Vec::new());
    for (obr, obx, after) in [
        ("20261123092955", "", ""),
        ("|20261123092955", "", ""),
        ("|||||||20261123092955", "", ""),
        ("", "20261123092955", ""),
        ("", "|||||20261123092955", ""),
        ("20200101000000", "20261123092955", ""),
        ("20200101000000", "|||||20261123092955", ""),
        ("", "", "SPM|1||||||||||||||||20261123092955\r"),
        ("20261123092955", "", "SPM|1||||||||||||||||20200101000000\r"),
    ] {
        assert_eq!(measured(obr, obx, after), at, "{obr:?} {obx:?} {after:?}");
    }
    assert_eq!(measured("|gestern", "", "").1, [Caveat::TimeUnclear]);
    assert_eq!(measured("", "", "SPM|1||||||||||||||||gestern\r").1, [Caveat::TimeUnclear]);
}

#[test]
fn what_cannot_be_told_apart_is_unclear_as_a_whole() {
    for segments in [
        [pid("||a"), pid("||b"), pulse(60), pulse(61)],
        [pulse(60), pid("||a"), pulse(61), String::new()],
        [pid("||a"), pulse(60), pid(""), pulse(61)],
        [pid("||a"), pulse(60), pid("||b"), String::new()],
        ["PV1|1||||||||||||||||||v1\r".to_owned(), pid("||a"), pulse(60), String::new()],
        [pid("1"), pulse(60), pid("2"), pulse(61)],
        [pid(""), pulse(60), pid(""), pulse(61)],
        ["PV1|1|O|cabin-1^^1\r".to_owned(), pulse(60), "PV1|2|O|cabin-1^^2\r".to_owned(), pulse(61)],
        ["PV1|1|O\r".to_owned(), pulse(60), "PV1|1|O\r".to_owned(), pulse(61)],
    ] {
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        assert!(patients(&segments).iter().all(|(.., is_unclear)| *is_unclear), "{segments:?}");
    }
    assert!(!patients(&[&pid(""), &pulse(60)])[0].2, "one patient, not named");
}

/// A message of these observations, each `type|code|sub-id|value|unit|flags|status|time`.
fn observed(lines: &[&str]) -> Vec<Measurement> {
    let obx = |line: &&str| {
        let mut parts = line.split('|').map(str::to_owned).collect::<Vec<_>>();
        parts.resize(8, String::new());
        let [kind, code, group, value, unit, flags, status, time] = &parts[..] else { panic!() };
        let status = if status.is_empty() { "F" } else { status };
        format!("OBX|1|{kind}|{code}|{group}|{value}|{unit}||{flags}|||{status}|||{time}\r")
    };
    of(&format!("{HEADER}OBR|1\r{}", lines.iter().map(obx).collect::<String>())).unwrap()
}

fn first(line: &str) -> Reading {
    observed(&[line, "NM|8867-4^HR^LN||71|/min"])[0].readings[0].clone()
}

#[test]
fn one_bad_value_never_costs_its_neighbours() {
    for bad in
        ["---", "-999", "", "\"\"", "***", "N/A", "error", "9999", "32767", "0", "?", "abc", "HI", "LO"]
    {
        let all = observed(&[
            &format!("NM|8480-6^Sys^LN||{bad}|mm[Hg]"),
            "NM|8462-4^Dia^LN||81|mm[Hg]",
            "NM|59408-5^SpO2^LN||97|%",
        ]);
        assert_eq!(all.len(), 1, "{bad}");
        assert!(all[0].readings[0].value.is_err(), "{bad}");
        assert_eq!(all[0].value(Quantity::Diastolic), Some(81.0), "{bad}");
        assert_eq!(all[0].value(Quantity::OxygenSaturation), Some(97.0), "{bad}");
    }
    assert_eq!(first("NM|14743-9^Glu^LN||HI|mmol/L").value, Err(NoReading::PositiveInfinity));
    // What stands for "no value" in one unit is a value in another.
    assert!((first("NM|8310-5^Temp^LN||99.9|[degF]").value.unwrap() - 37.72).abs() < 0.01);
    assert!((first("NM|2339-0^Glu^LN||127|mg/dL").value.unwrap() - 7.05).abs() < 0.01);
    assert!(first("NM|2339-0^Glu^LN||9999|mg/dL").value.is_err());
}

#[test]
fn comparators_and_ranges_are_kept() {
    use Comparator::{Above, AtLeast, AtMost, Below};
    for (kind, value, comparator, number) in [
        ("SN", ">^33.3", Some(Above), 33.3),
        ("SN", "<^1.1", Some(Below), 1.1),
        ("SN", ">=^20", Some(AtLeast), 20.0),
        ("SN", "^5.6", None, 5.6),
        ("SN", "=^5.6", None, 5.6),
        ("NM", ">33.3", Some(Above), 33.3),
        ("ST", "< 1.1", Some(Below), 1.1),
        ("ST", "≤2", Some(AtMost), 2.0),
        ("SN", "5.6", None, 5.6),
        ("NM", ">^33.3", Some(Above), 33.3),
        ("ST", "<^1.1", Some(Below), 1.1),
        ("", "^5.6", None, 5.6),
    ] {
        let reading = first(&format!("{kind}|14743-9^Glu^LN||{value}|mmol/L"));
        assert_eq!(
            (reading.value, reading.comparator, reading.upper),
            (Ok(number), comparator, None),
            "{kind} {value}"
        );
        assert_eq!(reading.certain().is_some(), comparator.is_none());
    }
    for (kind, value) in [("SN", "^10^-^12"), ("ST", "10-12"), ("NM", "10 - 12")] {
        let reading = first(&format!("{kind}|9279-1^RR^LN||{value}|/min"));
        assert_eq!(
            (reading.value, reading.upper, reading.certain()),
            (Ok(10.0), Some(12.0), None),
            "{kind} {value}"
        );
    }
    assert!(first("SN|14743-9^Glu^LN||^1^:^128|mmol/L").value.is_err(), "a ratio is no number");
    assert!(first("SN|14743-9^Glu^LN||<>^5|mmol/L").value.is_err(), "anything but the number");
    assert!(first("NM|59408-5^SpO2^LN||97~98|%").value.is_err(), "it is not said which counts");
    assert_eq!(first("NM|59408-5^SpO2^LN||97~97|%").value, Ok(97.0));
    assert_eq!(first("SN|14743-9^Glu^LN||>33.3^|mmol/L").comparator, Some(Above));
    assert_eq!(first("SN|14743-9^Glu^LN||=^7.1|mmol/L").certain(), Some(7.1));
    assert_eq!(first("SN|14743-9^Glu^LN||>^180|mg/dL").comparator, Some(Above), "converted, and still above");
}

#[test]
fn codes_and_units_of_ieee_11073_by_number_and_name_in_either_triplet() {
    for (code, unit, quantity) in [
        ("150021^MDC_PRESS_BLD_NONINV_SYS^MDC", "266016^MDC_DIM_MMHG^MDC", Quantity::Systolic),
        ("150301^MDC_PRESS_CUFF_SYS^MDC", "MDC_DIM_MMHG", Quantity::Systolic),
        ("MDC_PRESS_CUFF_DIA^^MDC", "^^^266016^MDC_DIM_MMHG^MDC", Quantity::Diastolic),
        ("SYS^Systolic^99MON^150303^MDC_PRESS_CUFF_MEAN^MDC", "266016", Quantity::MeanArterial),
        ("149546^MDC_PULS_RATE_NON_INV^MDC", "264864^MDC_DIM_BEAT_PER_MIN^MDC", Quantity::PulseRate),
        ("151578^MDC_TTHOR_RESP_RATE^MDC", "264928^MDC_DIM_RESP_PER_MIN^MDC", Quantity::RespirationRate),
        ("150456^MDC_PULS_OXIM_SAT_O2^MDC", "262688^MDC_DIM_PERCENT^MDC", Quantity::OxygenSaturation),
        ("3141-9^Weight^LN", "kg", Quantity::Weight),
        ("X^Y^L^3137-7^Height^LN", "cm", Quantity::Height),
        ("151594^MDC_CO2_RESP_RATE^MDC", "264928", Quantity::RespirationRate),
        ("MDC_ECG_CARD_BEAT_RATE^^ISO/IEEE 11073", "/min", Quantity::PulseRate),
        ("8462-4^Diastolic^LN^150022^MDC_PRESS_BLD_NONINV_DIA^MDC", "mm[Hg]", Quantity::Diastolic),
    ] {
        let reading = first(&format!("NM|{code}||90|{unit}"));
        assert_eq!((reading.quantity, reading.value), (quantity, Ok(90.0)), "{code}");
    }
    for (code, site) in [
        ("150344^MDC_TEMP^MDC", None),
        ("188496^MDC_TEMP_AXILLA^MDC", Some(Site::Axillary)),
        ("188452^MDC_TEMP_AXILLA^MDC", Some(Site::Axillary)),
        ("188456^MDC_TEMP_GIT^MDC", Some(Site::Gastrointestinal)),
        ("8328-7^Axillary^LN", Some(Site::Axillary)),
        ("75539-7^Temporal artery^LN", Some(Site::Forehead)),
        ("8310-5^Ear temperature^LN", Some(Site::Ear)),
    ] {
        let reading = first(&format!("NM|{code}||36.6|268192^MDC_DIM_DEGC^MDC"));
        assert_eq!((reading.quantity, reading.site), (Quantity::Temperature, site), "{code}");
    }
}

#[test]
fn codes_of_two_quantities_give_no_value() {
    for code in [
        "150021^MDC_PRESS_BLD_NONINV_DIA^MDC",
        "8480-6^Systolic^LN^150022^MDC_PRESS_BLD_NONINV_DIA^MDC",
        "8867-4^HR^LN^59408-5^SpO2^LN",
    ] {
        let text = format!("{HEADER}OBR|1\rOBX|3|NM|{code}||98|mm[Hg]\r{}", pulse(70));
        let found = results(&Message::parse(text.as_bytes()).unwrap(), NOW, &ZONE).unwrap();
        assert_eq!(found.measurements[0].readings[0].value, Err(NoReading::Error), "{code}");
        assert_eq!(found.measurements[1].value(Quantity::PulseRate), Some(70.0), "{code}");
        assert!(found.flawed[0].to_string().starts_with("OBX-3: the codes"), "{code}");
    }
    let ventilator = format!("{HEADER}OBR|1\rOBX|1|NM|151586^MDC_VENT_RESP_RATE^MDC||12|/min\r");
    assert_eq!(of(&ventilator), Err(Refused::NothingKnown), "the rate of a machine is no person's");
}

#[test]
fn other_unsolicited_results_are_taken() {
    for kind in ["ORU^R01", "ORU", "ORU^R30^ORU_R30", "ORU^R32"] {
        assert!(of(&VITALS.replace("ORU^R01^ORU_R01", kind)).is_ok(), "{kind}");
    }
    for kind in ["ADT^A01", "ORU^R02", "ACK", "OUL^R22"] {
        assert!(of(&VITALS.replace("ORU^R01^ORU_R01", kind)).unwrap_err().is_rejection(), "{kind}");
    }
}

#[test]
fn tests_and_doubts_are_marked() {
    for (flag, caveat) in [
        ("DEMO", Caveat::Demonstration),
        ("N~TEST", Caveat::Demonstration),
        ("CUFF_LOOSE", Caveat::CuffLoose),
        ("袖带松", Caveat::CuffLoose),
        ("MOTION", Caveat::BodyMovement),
        ("H~ARTIFACT", Caveat::BodyMovement),
        ("QC", Caveat::ControlSolution),
        ("CAL", Caveat::Demonstration),
        ("SIM", Caveat::Demonstration),
        ("EARLY", Caveat::Preliminary),
        ("BUSY", Caveat::Preliminary),
        ("QUES", Caveat::Questionable),
        ("E-07", Caveat::Questionable),
        ("N~SOMETHING NEW", Caveat::Questionable),
    ] {
        let reading = first(&format!("NM|8480-6^Sys^LN||120|mm[Hg]|{flag}"));
        assert_eq!(reading.caveats, [caveat], "{flag}");
    }
    for flag in
        ["", "N", "H", "L", "HH", "LL", "A", "<", ">", "N~ALACT", "ALINH", "正常", "偏高", "--", "High"]
    {
        assert!(first(&format!("NM|8480-6^Sys^LN||120|mm[Hg]|{flag}")).caveats.is_empty(), "{flag}");
    }
    for (flag, why) in
        [("INV", NoReading::Error), ("NAV", NoReading::NotPerformed), ("A~INVALID", NoReading::Error)]
    {
        assert_eq!(first(&format!("NM|8480-6^Sys^LN||120|mm[Hg]|{flag}")).value, Err(why), "{flag}");
    }
    let glucose = "OBX|1|NM|14743-9^Glu^LN||6.1|mmol/L|||||F\r";
    for (before, after) in [
        ("OBR|1||||||||||||||Control solution\r", ""),
        ("OBR|1||||||||||Q\r", ""),
        ("OBR|1\r", "SPM|1|||QC^Control^L\r"),
        ("OBR|1\r", "SPM|1||||||||||Q\r"),
        ("OBR|1\r", "NTE|1||Control solution level 2\r"),
        ("OBR|1|||GLU^质控\r", ""),
    ] {
        let all = of(&format!("{HEADER}{before}{glucose}{after}")).unwrap();
        assert_eq!(all[0].readings[0].caveats, [Caveat::ControlSolution], "{before}{after}");
    }
    assert_eq!(first("NM|160208^MDC_CONC_GLU_CONTROL^MDC||6.1|mmol/L").caveats, [Caveat::ControlSolution]);
}

#[test]
fn several_pressures_of_an_order_are_several_measurements() {
    let pairs = |lines: &[&str]| -> Vec<(Option<f64>, Option<f64>)> {
        observed(lines).iter().map(|m| (m.value(Quantity::Systolic), m.value(Quantity::Diastolic))).collect()
    };
    let two = [(Some(150.0), Some(95.0)), (Some(140.0), Some(88.0))];
    let line = |quantity: &str, group: &str, value: u32, time: &str| {
        let code = if quantity == "s" { "8480-6^S^LN" } else { "8462-4^D^LN" };
        format!("NM|{code}|{group}|{value}|mm[Hg]|||{time}")
    };
    let of = |groups: [&str; 4], times: [&str; 2], order: [usize; 4]| {
        let all = [
            line("s", groups[0], 150, times[0]),
            line("d", groups[1], 95, times[0]),
            line("s", groups[2], 140, times[1]),
            line("d", groups[3], 88, times[1]),
        ];
        pairs(&order.map(|nth| all[nth].as_str()))
    };
    let none = ["", ""];
    assert_eq!(of([""; 4], none, [0, 1, 2, 3]), two, "in their order");
    assert_eq!(of(["1", "1", "2", "2"], none, [0, 2, 1, 3]), two, "by sub-id");
    assert_eq!(of(["1.1.1.1", "1.1.1.2", "1.1.2.1", "1.1.2.2"], none, [0, 2, 1, 3]), two, "by channel");
    assert_eq!(of([""; 4], ["20261123090000", "20261123091000"], [0, 2, 1, 3]), two, "by time");
    assert_eq!(pairs(&["NM|8480-6^S^LN||150|mm[Hg]"]), [(Some(150.0), None)], "a lone one");
    let pulses = observed(&["NM|8867-4^HR^LN|1|70|/min", "NM|8867-4^HR^LN|2|90|/min"]);
    assert_eq!(pulses.len(), 2);
    let keys: Vec<_> = pulses.iter().map(|m| m.key.clone().unwrap()).collect();
    assert_eq!(keys, ["CABIN/S/C1/0", "CABIN/S/C1/0.1"]);
}

#[test]
fn the_zone_of_the_message_is_that_of_its_times() {
    let at = |header: &str, time: &str| {
        let text = HEADER.replace("20261123093000+0800", header)
            + &format!("OBR|1\rOBX|1|NM|8867-4^HR^LN||70|/min|||||F|||{time}\r");
        of(&text).unwrap()[0].taken.device.unwrap().0
    };
    assert_eq!(at("20261123013000+0000", "20261123013000"), NOW.at.0);
    assert_eq!(at("20261122203000-0500", "20261122203000"), NOW.at.0);
    assert_eq!(at("20261123093000", "20261123093000"), NOW.at.0, "else the line's");
    assert_eq!(at("20261123013000+0000", "20261123093000+0800"), NOW.at.0, "its own before that");
    let ordered = HEADER.replace("+0800", "+0000")
        + "OBR|1||||||20261123013000\rOBX|1|NM|8867-4^HR^LN||70|/min|||||F\r";
    assert_eq!(of(&ordered).unwrap()[0].taken.device, Some(NOW.at));
}

#[test]
fn other_delimiters_change_nothing() {
    let text = "MSH#*+!%#a#b###20261123093000##ORU*R01#C9#P#2.6\rPID###x1*GW+x2\rOBR#1\r\
                OBX#1#NM#8867-4*HR*LN##70#/min\r";
    let all = of(text).unwrap();
    assert_eq!((all[0].value(Quantity::PulseRate), all[0].patient.ids.len()), (Some(70.0), 2));
}

#[test]
fn a_time_that_cannot_be_read_is_not_now() {
    let caveats = |ordered: &str, observed: &str| {
        let text = HEADER.to_owned()
            + &format!("OBR|1||||||{ordered}\rOBX|1|NM|8867-4^HR^LN||70|/min|||||F|||{observed}\r");
        of(&text).unwrap()[0].readings[0].caveats.clone()
    };
    for text in ["20261123", "2026", "yesterday", "2026-11-23 09:30", "20261323093000"] {
        assert_eq!(caveats(text, ""), [Caveat::TimeUnclear], "OBR-7 {text}");
        assert_eq!(caveats("20261123093000", text), [Caveat::TimeUnclear], "OBX-14 {text}");
    }
    for (ordered, observed) in
        [("", ""), ("\"\"", ""), ("20261123093000", ""), ("20261123", "20261123093000")]
    {
        assert_eq!(caveats(ordered, observed), [], "{ordered} {observed}");
    }
}

#[test]
fn corrections_and_withdrawals_name_what_they_replace() {
    let amends = |status: &str| {
        let lines = [
            format!("NM|8480-6^Sys^LN||120|mm[Hg]||{status}|20261123093000"),
            "NM|8462-4^Dia^LN||81|mm[Hg]".to_owned(),
        ];
        let all = observed(&[&lines[0], &lines[1]]);
        (all[0].amends.clone(), all[0].value(Quantity::Systolic))
    };
    assert_eq!(amends("C"), (vec![Quantity::Systolic], Some(120.0)));
    for status in ["D", "W"] {
        assert_eq!(amends(status), (vec![Quantity::Systolic], None), "{status}");
    }
    for status in ["F", "P", "R", "S"] {
        assert_eq!(amends(status), (vec![], Some(120.0)), "{status}");
    }
    assert_eq!(amends("X"), (vec![], None), "there was never a result");
}

#[test]
fn who_was_measured_is_read_however_its_segment_is_written() {
    for named in ["PID|||a\r", " PID|||a\r", "\tPID |||a\r", "pid|||a\r", "Pid|||a\n"] {
        assert_eq!(patients(&[named, &pulse(70)]), [(Some(70.0), vec!["a".to_owned()], false)], "{named:?}");
    }
    let all = of(&format!("{HEADER}{}{}", pid("||a||王^小明||19491231|M"), pulse(70))).unwrap();
    assert_eq!((all[0].patient.birth, all[0].patient.sex), (Some((1949, 12, 31)), Some(Sex::Male)));
    for (birth, sex) in [("", ""), ("1949", "U"), ("unknown", "O"), ("\"\"", "\"\"")] {
        let all = of(&format!("{HEADER}{}{}", pid(&format!("||a||||{birth}|{sex}")), pulse(70))).unwrap();
        assert_eq!((all[0].patient.birth, all[0].patient.sex), (None, None), "{birth} {sex}");
    }
}

#[test]
fn two_messages_run_into_one_another_are_refused_as_a_whole() {
    let one = format!("{HEADER}{}OBX|1|NM|8867-4^HR^LN||72|/min", pid("||a"));
    let merged = format!("{one}{HEADER}{}", pulse(60));
    assert_eq!(Message::parse(merged.as_bytes()), Err(Unreadable::RunTogether));
    assert!(Message::parse(one.as_bytes()).is_ok());
    let quoted = format!("{HEADER}NTE|1||MSH is a header\r{}", pulse(60));
    assert!(Message::parse(quoted.as_bytes()).is_ok());
}

#[test]
fn a_result_that_was_cut_in_its_flags_has_no_value() {
    let last = |text: &str| {
        let neighbour = "OBX|1|NM|59408-5^SpO2^LN||97|%|||||F\r";
        let message = Message::parse(format!("{HEADER}OBR|1\r{neighbour}{text}").as_bytes()).unwrap();
        let found = results(&message, NOW, &ZONE).unwrap();
        let values: Vec<_> =
            found.measurements[0].readings.iter().map(|reading| reading.value.ok()).collect();
        (values, found.flawed.len())
    };
    let line = "OBX|2|NM|8867-4^HR^LN||72|/min||";
    for flag in ["", "D", "DE", "DEM", "T", "C"] {
        assert_eq!(last(&format!("{line}{flag}")), (vec![Some(97.0), None], 1), "{flag}");
        assert_eq!(last(&format!("{line}{flag}\r")), (vec![Some(97.0), Some(72.0)], 0), "{flag} is whole");
    }
    for text in ["OBX|2|NM|8867-4^HR^LN||72|/min", "OBX|2|NM|8867-4^HR^LN||72|/min|60-100|N"] {
        assert_eq!(last(text), (vec![Some(97.0), Some(72.0)], 0), "{text}");
    }
    assert_eq!(last("OBX|2|NM|8867-4^HR^LN||72|/min|||||F").1, 0);
}

#[test]
fn a_message_cut_at_each_byte_gives_no_other_value() {
    let whole: Vec<_> = of(VITALS).unwrap();
    let known: Vec<_> = whole[0].readings.iter().map(|reading| (reading.quantity, reading.value)).collect();
    for length in 0..VITALS.len() {
        let Ok(message) = Message::parse(&VITALS.as_bytes()[..length]) else { continue };
        let Ok(found) = results(&message, NOW, &ZONE) else { continue };
        assert_eq!(found.measurements.len(), 1, "{length}");
        for reading in found.measurements[0].readings.iter().filter(|reading| reading.value.is_ok()) {
            assert!(known.contains(&(reading.quantity, reading.value)), "{length}: {reading:?}");
        }
        assert_eq!(found.measurements[0].patient.ids, ["p-7f3a"], "{length}");
    }
}
