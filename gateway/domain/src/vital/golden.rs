//! Forms of vital signs.

use super::{
    AttachmentInfo, Caveat, Circumstances, Comparator, GlucoseTime, Limits, Measurement, News2, NoReading,
    Oxygen, Parameters, Patient, Quantity, Reading, Risk, Score, Sex, Site, Taken, assess,
};
use crate::{ClockQuality, Timestamp};
use linli_golden::{every, sent, stored, words};

#[test]
fn words_of_vital_signs() {
    words!(stored "vital/quantity", Quantity: Systolic, Diastolic, MeanArterial, PulseRate, OxygenSaturation,
        RespirationRate, Temperature, Weight, Height, BodyMassIndex, Glucose, WaistCircumference);
    words!(stored "vital/oxygen", Oxygen: Scale1, Scale2);
    words!(stored "vital/risk", Risk: Low, LowMedium, Medium, High);
    words!(stored "vital/glucose_time", GlucoseTime: Fasting, AfterMeal, Random);
    words!(stored "vital/caveat", Caveat: BodyMovement, CuffLoose, IrregularPulse, PulseOutOfRange,
        ImproperPosition, PoorSignal, LowPerfusion, Preliminary, Questionable, Demonstration, FromStorage,
        Unusual, Inconsistent, ClockSkew, Corrected, ControlSolution,
        StripError, SampleTooSmall, DeviceFault, TemperatureOutOfRange, Interrupted, TimeUnclear);
    words!(stored "vital/site", Site: Axillary, Body, Ear, Tympanic, Finger, Forehead, Gastrointestinal, Oral, Rectal,
        Skin, Toe);
    words!(stored "vital/sex", Sex: Female, Male);
    words!(stored "vital/comparator", Comparator: Below, AtMost, AtLeast, Above);
    words!(stored "vital/no_reading", NoReading: NotANumber, PositiveInfinity, NegativeInfinity,
        NotPerformed, Error);
    let coded: Vec<(&str, &str, &str)> =
        Quantity::ALL.iter().map(|of| (of.as_str(), of.loinc(), of.unit())).collect();
    sent("vital/quantity_code", &coded);
}

#[test]
fn measurements() {
    let mut doubtful = Reading::of(Quantity::Temperature, 36.6);
    doubtful.doubt(Caveat::FromStorage);
    let readings = vec![
        Reading::of(Quantity::Weight, 70.0),
        doubtful,
        Reading::none(Quantity::Height, NoReading::NotPerformed),
    ];
    stored("vital/reading", &readings);
    let least = Taken { at: Timestamp(1), clock: ClockQuality::FreeRunning, device: None };
    let taken = Taken { device: Some(Timestamp(2)), ..least };
    stored("vital/taken", &[taken, least]);
    let whole = Measurement {
        taken,
        readings,
        key: Some("7".to_owned()),
        key_reused: false,
        sent: None,
        amends: Vec::new(),
        attachments: Vec::new(),
        attached: Vec::new(),
        user: Some(2),
        patient: Patient::default(),
    };
    let plain = Measurement {
        taken: least,
        readings: Vec::new(),
        key: None,
        key_reused: false,
        sent: None,
        amends: Vec::new(),
        attachments: Vec::new(),
        attached: Vec::new(),
        user: None,
        patient: Patient::of_id("p"),
    };
    let info = AttachmentInfo {
        title: "EKG report".to_owned(),
        media_type: "application/pdf".to_owned(),
        bytes: 9,
        sha256: "00".repeat(32),
    };
    let with_document = Measurement { attached: vec![info], ..plain.clone() };
    stored("vital/measurement", &[whole, plain, with_document]);
}

#[test]
fn what_is_said_of_them() {
    let limits = Limits { hypertension: (140.0, 90.0), fever: 37.3, altitude: 0, source: None };
    stored("vital/limits", &[limits, Limits { altitude: 3650, ..limits }]);
    let values = [(Quantity::Systolic, 150.0), (Quantity::Diastolic, 85.0), (Quantity::Temperature, 38.5)];
    let all: Vec<_> = assess(&values, Circumstances::default(), &limits)
        .into_iter()
        .map(|(of, found)| (of.as_str(), found))
        .collect();
    sent("vital/assessment", &all);
    let scores =
        [Score::Complete { total: 5, risk: Risk::Medium }, Score::Incomplete { known: 3, any_three: true }];
    every!(scores; Score::Complete { .. }, Score::Incomplete { .. });
    stored("vital/score", &scores);
    let known = Parameters { respiration_rate: Some(26.0), systolic: Some(120.0), ..Parameters::default() };
    stored("vital/news2", &[News2::of(&known, Oxygen::Scale1)]);
}
