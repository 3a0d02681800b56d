//! The one table of reference ranges: each row is what a value is called from its limit up, for whom, and by which
//! source and edition. A site may set the limits of hypertension and of fever ([`super::Limits`]).
// tidy: table

use super::{Quantity as Q, Sex, Site};

/// What a value is called.
#[derive(Debug, PartialEq, Eq)]
pub struct Word {
    /// The word used in payloads.
    pub flag: &'static str,
    /// English.
    pub english: &'static str,
    /// Chinese.
    pub chinese: &'static str,
    /// Whether somebody should look.
    pub is_notable: bool,
    /// Of two pressures the higher rank counts.
    pub rank: u8,
}

/// From which value on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// This number, in the quantity's unit.
    At(f64),
    /// The first number, and the second for each full year of age.
    PerYear(f64, f64),
    /// The centre's limit of hypertension.
    Hypertension,
    /// The centre's limit of fever.
    Fever,
}

/// A row of the table.
#[derive(Debug)]
pub struct Range {
    /// What is measured.
    pub quantity: Q,
    /// Where on the body; empty is anywhere, `None` where the device does not say.
    pub sites: &'static [Option<Site>],
    /// Age in months, from the first to before the second.
    pub ages: (u16, u16),
    /// Of which sex, `None` of both.
    pub sex: Option<Sex>,
    /// From which value on.
    pub from: Limit,
    /// What it is called; `None` where the source says nothing.
    pub word: Option<&'static Word>,
    /// Document and edition.
    pub source: &'static str,
}

const fn word(
    flag: &'static str,
    english: &'static str,
    chinese: &'static str,
    is_notable: bool,
    rank: u8,
) -> Word {
    Word { flag, english, chinese, is_notable, rank }
}

pub static NORMAL: Word = word("normal", "normal", "正常", false, 0);
static HIGH_NORMAL: Word = word("high_normal", "high normal", "正常高值", false, 1);
pub static LOW: Word = word("low", "low", "偏低", true, 2);
pub static GRADE_1: Word = word("grade_1", "hypertension range, grade 1", "高血压范围（1级）", true, 3);
/// Systolic pressure of grade 1 beside a diastolic one below it.
pub static ISOLATED: Word =
    word("isolated_systolic", "isolated systolic hypertension range", "单纯收缩期高血压范围", true, 3);
static GRADE_2: Word = word("grade_2", "hypertension range, grade 2", "高血压范围（2级）", true, 4);
pub static GRADE_3: Word = word("grade_3", "hypertension range, grade 3", "高血压范围（3级）", true, 5);
/// A child's pressure from the 95th percentile up.
pub static HIGH_OF_CHILD: Word =
    word("high", "high for age, screening range", "高于同龄界值（筛查）", true, 3);
static HYPOXAEMIA: Word = word("hypoxaemia", "hypoxaemia range", "低氧血症范围", true, 0);
static COLD: Word = word("low", "hypothermia range", "体温过低", true, 0);
static FEVER: Word = word("fever", "fever", "发热", true, 0);
static SLOW: Word = word("low", "slow", "偏慢", true, 0);
static FAST: Word = word("high", "fast", "偏快", true, 0);
pub static DIABETES: Word = word("high", "diabetes range", "糖尿病范围", true, 0);
pub static IMPAIRED: Word = word("impaired", "impaired range", "糖调节受损范围", true, 0);
static UNDERWEIGHT: Word = word("low", "underweight", "体重过低", true, 0);
static OVERWEIGHT: Word = word("overweight", "overweight", "超重", true, 0);
static OBESE: Word = word("obese", "obese", "肥胖", true, 0);
static BEFORE_CENTRAL: Word =
    word("pre_central_obesity", "before central obesity", "中心型肥胖前期", true, 0);
static CENTRAL: Word = word("central_obesity", "central obesity", "中心型肥胖", true, 0);

const HYPERTENSION_2024: &str = "中国高血压防治指南（2018、2024年修订版）, adults, office";
const HYPERTENSION_CHILD: &str =
    "中国高血压防治指南（2018年修订版）, ages 3 to 17: screening formula for the 95th percentile";
const DIAGNOSTICS: &str = "诊断学（第9版, 2018）, adults: hypotension below 90 or below 60 mmHg";
const DIAGNOSTICS_REST: &str = "诊断学（第9版, 2018）, adults at rest";
const PALS: &str = "AHA PALS Provider Manual (2020), by age, awake";
const PALS_LOW: &str = "AHA PALS Provider Manual (2020), hypotension by age";
const OXYGEN: &str = "诊断学（第9版, 2018）: normal from 95 %, hypoxaemia below 90 %, at sea level";
const HYPOTHERMIA: &str = "ERC Guidelines (2021): hypothermia, core temperature below 35 °C";
const FEVER_AXILLARY: &str =
    "诊断学（第9版, 2018）, axillary; 37.3 °C as in the national screening rules (2020)";
const FEVER_ORAL: &str = "诊断学（第9版, 2018）: oral 36.3 to 37.2 °C";
const FEVER_RECTAL: &str = "诊断学（第9版, 2018）: rectal 36.5 to 37.7 °C";
const FEVER_EAR: &str = "NICE NG143 (2019, updated 2021): 38 °C by infrared tympanic thermometer";
const FEVER_CHILD: &str =
    "中国0至5岁儿童病因不明急性发热诊断和处理若干问题循证指南（标准版, 2016）: axillary 37.5, rectal 38.0 °C";
const BODY_MASS: &str = "WS/T 428-2013, adults";
const WAIST: &str = "WS/T 428-2013, adults, by sex";
const BODY_MASS_CHILD: &str = "WS/T 586-2018, ages 6 to 18, by sex and half year";

/// Months of the ages at which rows begin and end.
const fn years(years: u16) -> u16 {
    years * 12
}
/// Older than anybody.
const NO_END: u16 = u16::MAX;
/// Adults, and everybody whose age is not known.
pub const ADULT: (u16, u16) = (years(18), NO_END);
const ANY_AGE: (u16, u16) = (0, NO_END);
const ANYWHERE: &[Option<Site>] = &[];
/// A cabin's thermometer that does not say where measures in the armpit or at the forehead.
const ARMPIT: &[Option<Site>] = &[None, Some(Site::Axillary), Some(Site::Forehead), Some(Site::Body)];
const MOUTH: &[Option<Site>] = &[Some(Site::Oral)];
const RECTUM: &[Option<Site>] = &[Some(Site::Rectal), Some(Site::Gastrointestinal)];
const EAR: &[Option<Site>] = &[Some(Site::Ear), Some(Site::Tympanic)];
/// Wherever the body has a temperature of its own.
const CORE: &[Option<Site>] = &[
    None,
    Some(Site::Axillary),
    Some(Site::Forehead),
    Some(Site::Body),
    Some(Site::Oral),
    Some(Site::Rectal),
    Some(Site::Gastrointestinal),
    Some(Site::Ear),
    Some(Site::Tympanic),
];
const BOY: Option<Sex> = Some(Sex::Male);
const GIRL: Option<Sex> = Some(Sex::Female);

macro_rules! ranges {
    ($($quantity:ident $sites:ident $ages:expr, $sex:expr => [$($from:expr, $word:expr, $source:expr);+]),+ $(,)?) => {
        &[$($(Range {
            quantity: Q::$quantity, sites: $sites, ages: $ages, sex: $sex, from: $from, word: $word, source: $source,
        },)+)+]
    };
}

use Limit::{At, PerYear};

/// The rows. Those that apply to the same person and site differ in their limits only.
pub static RANGES: &[Range] = ranges![
    Systolic ANYWHERE ADULT, None => [
        At(0.0), Some(&LOW), DIAGNOSTICS;
        At(90.0), Some(&NORMAL), HYPERTENSION_2024;
        At(120.0), Some(&HIGH_NORMAL), HYPERTENSION_2024;
        Limit::Hypertension, Some(&GRADE_1), HYPERTENSION_2024;
        At(160.0), Some(&GRADE_2), HYPERTENSION_2024;
        At(180.0), Some(&GRADE_3), HYPERTENSION_2024
    ],
    Diastolic ANYWHERE ADULT, None => [
        At(0.0), Some(&LOW), DIAGNOSTICS;
        At(60.0), Some(&NORMAL), HYPERTENSION_2024;
        At(80.0), Some(&HIGH_NORMAL), HYPERTENSION_2024;
        Limit::Hypertension, Some(&GRADE_1), HYPERTENSION_2024;
        At(100.0), Some(&GRADE_2), HYPERTENSION_2024;
        At(110.0), Some(&GRADE_3), HYPERTENSION_2024
    ],
    Systolic ANYWHERE (0, 1), None => [At(0.0), Some(&LOW), PALS_LOW; At(60.0), None, PALS_LOW],
    Systolic ANYWHERE (1, years(1)), None => [At(0.0), Some(&LOW), PALS_LOW; At(70.0), None, PALS_LOW],
    Systolic ANYWHERE (years(1), years(3)), None => [
        At(0.0), Some(&LOW), PALS_LOW; PerYear(70.0, 2.0), None, PALS_LOW
    ],
    Systolic ANYWHERE (years(3), years(10)), BOY => [
        At(0.0), Some(&LOW), PALS_LOW;
        PerYear(70.0, 2.0), Some(&NORMAL), HYPERTENSION_CHILD;
        PerYear(100.0, 2.0), Some(&HIGH_OF_CHILD), HYPERTENSION_CHILD
    ],
    Systolic ANYWHERE (years(3), years(10)), GIRL => [
        At(0.0), Some(&LOW), PALS_LOW;
        PerYear(70.0, 2.0), Some(&NORMAL), HYPERTENSION_CHILD;
        PerYear(100.0, 1.5), Some(&HIGH_OF_CHILD), HYPERTENSION_CHILD
    ],
    Systolic ANYWHERE (years(10), years(18)), BOY => [
        At(0.0), Some(&LOW), PALS_LOW;
        At(90.0), Some(&NORMAL), HYPERTENSION_CHILD;
        PerYear(100.0, 2.0), Some(&HIGH_OF_CHILD), HYPERTENSION_CHILD
    ],
    Systolic ANYWHERE (years(10), years(18)), GIRL => [
        At(0.0), Some(&LOW), PALS_LOW;
        At(90.0), Some(&NORMAL), HYPERTENSION_CHILD;
        PerYear(100.0, 1.5), Some(&HIGH_OF_CHILD), HYPERTENSION_CHILD
    ],
    Diastolic ANYWHERE (years(3), years(18)), None => [
        At(0.0), Some(&NORMAL), HYPERTENSION_CHILD;
        PerYear(65.0, 1.0), Some(&HIGH_OF_CHILD), HYPERTENSION_CHILD
    ],
    OxygenSaturation ANYWHERE ANY_AGE, None => [
        At(0.0), Some(&HYPOXAEMIA), OXYGEN; At(90.0), Some(&LOW), OXYGEN; At(95.0), Some(&NORMAL), OXYGEN
    ],
    Temperature CORE ANY_AGE, None => [At(0.0), Some(&COLD), HYPOTHERMIA],
    Temperature ARMPIT (years(6), NO_END), None => [
        At(35.0), Some(&NORMAL), FEVER_AXILLARY; Limit::Fever, Some(&FEVER), FEVER_AXILLARY
    ],
    Temperature ARMPIT (0, years(6)), None => [
        At(35.0), Some(&NORMAL), FEVER_CHILD; At(37.5), Some(&FEVER), FEVER_CHILD
    ],
    Temperature MOUTH ANY_AGE, None => [
        At(35.0), Some(&NORMAL), FEVER_ORAL; At(37.3), Some(&FEVER), FEVER_ORAL
    ],
    Temperature RECTUM (years(6), NO_END), None => [
        At(35.0), Some(&NORMAL), FEVER_RECTAL; At(37.8), Some(&FEVER), FEVER_RECTAL
    ],
    Temperature RECTUM (0, years(6)), None => [
        At(35.0), Some(&NORMAL), FEVER_CHILD; At(38.0), Some(&FEVER), FEVER_CHILD
    ],
    Temperature EAR ANY_AGE, None => [
        At(35.0), Some(&NORMAL), FEVER_EAR; At(38.0), Some(&FEVER), FEVER_EAR
    ],
    PulseRate ANYWHERE ADULT, None => [
        At(0.0), Some(&SLOW), DIAGNOSTICS_REST;
        At(60.0), Some(&NORMAL), DIAGNOSTICS_REST;
        At(101.0), Some(&FAST), DIAGNOSTICS_REST
    ],
    PulseRate ANYWHERE (0, 1), None => [
        At(0.0), Some(&SLOW), PALS; At(100.0), Some(&NORMAL), PALS; At(206.0), Some(&FAST), PALS
    ],
    PulseRate ANYWHERE (1, years(1)), None => [
        At(0.0), Some(&SLOW), PALS; At(100.0), Some(&NORMAL), PALS; At(181.0), Some(&FAST), PALS
    ],
    PulseRate ANYWHERE (years(1), years(3)), None => [
        At(0.0), Some(&SLOW), PALS; At(98.0), Some(&NORMAL), PALS; At(141.0), Some(&FAST), PALS
    ],
    PulseRate ANYWHERE (years(3), years(6)), None => [
        At(0.0), Some(&SLOW), PALS; At(80.0), Some(&NORMAL), PALS; At(121.0), Some(&FAST), PALS
    ],
    PulseRate ANYWHERE (years(6), years(12)), None => [
        At(0.0), Some(&SLOW), PALS; At(75.0), Some(&NORMAL), PALS; At(119.0), Some(&FAST), PALS
    ],
    PulseRate ANYWHERE (years(12), years(18)), None => [
        At(0.0), Some(&SLOW), PALS; At(60.0), Some(&NORMAL), PALS; At(101.0), Some(&FAST), PALS
    ],
    RespirationRate ANYWHERE ADULT, None => [
        At(0.0), Some(&SLOW), DIAGNOSTICS_REST;
        At(12.0), Some(&NORMAL), DIAGNOSTICS_REST;
        At(21.0), Some(&FAST), DIAGNOSTICS_REST
    ],
    RespirationRate ANYWHERE (0, years(1)), None => [
        At(0.0), Some(&SLOW), PALS; At(30.0), Some(&NORMAL), PALS; At(54.0), Some(&FAST), PALS
    ],
    RespirationRate ANYWHERE (years(1), years(3)), None => [
        At(0.0), Some(&SLOW), PALS; At(22.0), Some(&NORMAL), PALS; At(38.0), Some(&FAST), PALS
    ],
    RespirationRate ANYWHERE (years(3), years(6)), None => [
        At(0.0), Some(&SLOW), PALS; At(20.0), Some(&NORMAL), PALS; At(29.0), Some(&FAST), PALS
    ],
    RespirationRate ANYWHERE (years(6), years(12)), None => [
        At(0.0), Some(&SLOW), PALS; At(18.0), Some(&NORMAL), PALS; At(26.0), Some(&FAST), PALS
    ],
    RespirationRate ANYWHERE (years(12), years(18)), None => [
        At(0.0), Some(&SLOW), PALS; At(12.0), Some(&NORMAL), PALS; At(21.0), Some(&FAST), PALS
    ],
    BodyMassIndex ANYWHERE ADULT, None => [
        At(0.0), Some(&UNDERWEIGHT), BODY_MASS;
        At(18.5), Some(&NORMAL), BODY_MASS;
        At(24.0), Some(&OVERWEIGHT), BODY_MASS;
        At(28.0), Some(&OBESE), BODY_MASS
    ],
    WaistCircumference ANYWHERE ADULT, BOY => [
        At(0.0), Some(&NORMAL), WAIST;
        At(85.0), Some(&BEFORE_CENTRAL), WAIST;
        At(90.0), Some(&CENTRAL), WAIST
    ],
    WaistCircumference ANYWHERE ADULT, GIRL => [
        At(0.0), Some(&NORMAL), WAIST;
        At(80.0), Some(&BEFORE_CENTRAL), WAIST;
        At(85.0), Some(&CENTRAL), WAIST
    ],
];

const OXYGEN_1500: &str =
    "诊断学（第9版, 2018）: hypoxaemia below 90 %; above 1500 m nothing is called normal";
const OXYGEN_2500: &str =
    "WHO Pocket Book of Hospital Care for Children (2nd edition, 2013): hypoxaemia above 2500 m below 87 %";

/// From which saturation on it is called what.
type OxygenRow = (f64, Option<&'static Word>, &'static str);

/// Oxygen saturation where the table for sea level does not hold: from which altitude in metres, and the rows. What is
/// above hypoxaemia is not judged: no document at hand says what is normal there.
static OXYGEN_AT: [(u16, [OxygenRow; 2]); 2] = [
    (1500, [(0.0, Some(&HYPOXAEMIA), OXYGEN_1500), (90.0, None, OXYGEN_1500)]),
    (2500, [(0.0, Some(&HYPOXAEMIA), OXYGEN_2500), (87.0, None, OXYGEN_2500)]),
];

/// The rows for oxygen saturation at an altitude; `None` where those for sea level hold.
pub fn oxygen_at(altitude: u16) -> Option<&'static [OxygenRow]> {
    OXYGEN_AT.iter().rfind(|(from, _)| altitude >= *from).map(|(_, rows)| rows.as_slice())
}

/// Body mass index of children (WS/T 586-2018): age in months, from which a boy and a girl are overweight and obese.
/// Each row holds for half a year; the document has no lower limits.
const CHILD_BODY_MASS: [(u16, [f64; 2], [f64; 2]); 24] = [
    (72, [16.4, 17.7], [16.2, 17.5]),
    (78, [16.7, 18.1], [16.5, 18.0]),
    (84, [17.0, 18.7], [16.8, 18.5]),
    (90, [17.4, 19.2], [17.2, 19.0]),
    (96, [17.8, 19.7], [17.6, 19.4]),
    (102, [18.1, 20.3], [18.1, 19.9]),
    (108, [18.5, 20.8], [18.5, 20.4]),
    (114, [18.9, 21.4], [19.0, 21.0]),
    (120, [19.2, 21.9], [19.5, 21.5]),
    (126, [19.6, 22.5], [20.0, 22.1]),
    (132, [19.9, 23.0], [20.5, 22.7]),
    (138, [20.3, 23.6], [21.1, 23.3]),
    (144, [20.7, 24.1], [21.5, 23.9]),
    (150, [21.0, 24.7], [21.9, 24.5]),
    (156, [21.4, 25.2], [22.2, 25.0]),
    (162, [21.9, 25.7], [22.6, 25.6]),
    (168, [22.3, 26.1], [22.8, 25.9]),
    (174, [22.6, 26.4], [23.0, 26.3]),
    (180, [22.9, 26.6], [23.2, 26.6]),
    (186, [23.1, 26.9], [23.4, 26.9]),
    (192, [23.3, 27.1], [23.6, 27.1]),
    (198, [23.5, 27.4], [23.7, 27.4]),
    (204, [23.7, 27.6], [23.8, 27.6]),
    (210, [23.8, 27.8], [23.9, 27.8]),
];

/// The rows of children's body mass index for a sex and an age in months.
pub fn body_mass_of_child(months: u16, sex: Sex) -> Option<[(f64, &'static Word, &'static str); 2]> {
    let is_it = |(from, ..): &&(u16, [f64; 2], [f64; 2])| (*from..*from + 6).contains(&months);
    let (_, boy, girl) = CHILD_BODY_MASS.iter().find(is_it)?;
    let [over, obese] = if sex == Sex::Male { *boy } else { *girl };
    Some([(over, &OVERWEIGHT, BODY_MASS_CHILD), (obese, &OBESE, BODY_MASS_CHILD)])
}
