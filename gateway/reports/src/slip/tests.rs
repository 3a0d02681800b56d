//! What the slip says, and how it is set in the fonts of this machine.

use linli_domain::timezone::Zone;
use linli_domain::visit::Paper;
use linli_domain::{ClockQuality, Id};
use serde_json::json;

use super::*;

const AT: Timestamp = Timestamp(1_795_428_000_000);

fn version() -> Version {
    let taken = linli_domain::vital::Taken { at: AT, clock: ClockQuality::Synchronised, device: None };
    Version {
        id: "m-1".to_owned(),
        version: 1,
        status: Status::Final,
        visit: Some("v-1".to_owned()),
        unassigned: None,
        device: Id::new("cuff-1").unwrap(),
        room: None,
        measurement: linli_domain::vital::Measurement::of(taken, Vec::new()),
        context: Context {
            glucose_time: Some(linli_domain::vital::GlucoseTime::Fasting),
            age_months: Some(70 * 12),
            ..Context::default()
        },
        at: AT,
        by: "device".to_owned(),
        why: None,
    }
}

fn slip() -> Slip {
    let value = |quantity: &str, value: f64| json!({"quantity": quantity, "value": value});
    let mut loose = value("oxygen_saturation", 88.0);
    loose["caveats"] = json!(["poor_signal"]);
    let mut warm = value("temperature", 36.6);
    warm["site"] = json!("axillary");
    let mut high = value("glucose", 33.3);
    high["comparator"] = json!(">");
    let values =
        [value("diastolic", 94.0), value("pulse_rate", 72.0), value("systolic", 152.0), loose, warm, high];
    let summary = json!({"values": values, "blood_pressure_of": 2});
    let zone = Zone::find("Asia/Shanghai").unwrap();
    Slip::of(
        ("健康小屋", Some("A012"), AT),
        (&summary, &[version()]),
        &Limits::default(),
        ("星河邻里中心", &zone, Timestamp(AT.0 + 60_000)),
    )
}

#[test]
fn a_referral_note_says_what_was_critical_and_who_referred() {
    let zone = Zone::find("Asia/Shanghai").unwrap();
    let mut note = slip();
    let plain = note.pdf(Paper::A5, &[font(NOTO)]).unwrap();
    note.refer(
        AT,
        &zone,
        Referred {
            quantity: Quantity::Systolic,
            value: "186".to_owned(),
            is_high: true,
            limit: 180.0,
            source: "国家基本公共卫生服务规范（第三版, 2017）",
            by: "lin".to_owned(),
            at: String::new(),
        },
    );
    assert_eq!(note.referred[0].at, "2026-11-23 18:00");
    assert_eq!(note.encoded(), slip().encoded(), "the code has the values and nothing else");
    for paper in [Paper::A5, Paper::Roll80, Paper::Roll58] {
        let pdf = note.pdf(paper, &[font(NOTO)]).unwrap();
        assert!(pdf.starts_with(b"%PDF-") && pdf != plain, "{paper:?}");
    }
}

fn font(path: &str) -> FontFile {
    let data =
        std::fs::read(path).unwrap_or_else(|_| panic!("{path}: install fonts-noto-cjk, fonts-hanazono"));
    FontFile { name: path.to_owned(), data }
}

const NOTO: &str = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc";
const RARE: &str = "/usr/share/fonts/truetype/hanazono/HanaMinB.ttf";

#[test]
fn a_slip_has_one_row_for_the_pressure_and_says_what_is_doubtful() {
    let slip = slip();
    let rows: Vec<(&str, Option<&str>)> =
        slip.rows.iter().map(|row| (row.value.as_str(), row.found.map(|found| found.flag))).collect();
    let expected = [
        ("152/94", Some("grade_1")),
        ("72", Some("normal")),
        ("88", Some("hypoxaemia")),
        ("36.6", Some("normal")),
        (">33.3", Some("high")),
    ];
    assert_eq!(rows, expected);
    assert_eq!((slip.rows[2].doubts.as_slice(), slip.rows[3].site), (&["信号差"][..], Some("腋下")));
    assert_eq!((slip.opened.as_str(), slip.made.as_str()), ("2026-11-23 18:00", "2026-11-23 18:01"));
    assert_eq!(
        slip.encoded(),
        "linli-slip/1\n2026-11-23 18:00\nsystolic/diastolic 152/94 mm[Hg]\npulse_rate 72 /min\n\
         oxygen_saturation 88 % ?\ntemperature 36.6 Cel\nglucose >33.3 mmol/L"
    );
}

#[test]
fn the_code_never_names_anybody() {
    let mut slip = slip();
    slip.name = Some("张小明".to_owned());
    assert!(!slip.encoded().contains('张') && !slip.encoded().contains("A012"));
}

#[test]
fn a_character_that_no_font_has_is_named_and_nothing_is_printed() {
    let mut slip = slip();
    slip.name = Some("𠮷野𪚥".to_owned());
    let missing = slip.pdf(Paper::A5, &[font(NOTO)]).unwrap_err();
    assert!(missing.to_string().contains("𪚥 (U+2A6A5)"), "{missing}");
    for paper in [Paper::A5, Paper::Roll80, Paper::Roll58] {
        let pdf = slip.pdf(paper, &[font(NOTO), font(RARE)]).unwrap();
        assert!(pdf.starts_with(b"%PDF-") && pdf.len() < 400_000, "{}", pdf.len());
        if let Ok(dir) = std::env::var("LINLI_SLIPS") {
            std::fs::write(format!("{dir}/slip-{}.pdf", paper.as_str()), &pdf).unwrap();
        }
    }
    let error = slip.pdf(Paper::A5, &[FontFile { name: "x.ttf".to_owned(), data: vec![0; 12] }]).unwrap_err();
    assert!(matches!(error, NoSlip::Font(ref name, _) if name == "x.ttf"), "{error}");
}
