//! Limits of vital signs.

use linli_domain::vital::{
    Circumstances, GlucoseTime, Limits, OF_CENTRE, Quantity, Reading, Sex, Site, assess, judge, normal,
    source_of_centre,
};

const fn at(glucose_time: Option<GlucoseTime>) -> Circumstances {
    Circumstances { glucose_time, age_months: None, sex: None }
}

fn flag(values: &[(Quantity, f64)], time: Option<GlucoseTime>) -> Option<&'static str> {
    assess(values, at(time), &Limits::default()).first().map(|(_, assessment)| assessment.flag)
}

#[test]
fn the_higher_grade_of_the_two_pressures_counts() {
    let of =
        |systolic, diastolic| flag(&[(Quantity::Systolic, systolic), (Quantity::Diastolic, diastolic)], None);
    assert_eq!(of(119.0, 79.0), Some("normal"));
    assert_eq!(of(120.0, 79.0), Some("high_normal"));
    assert_eq!(of(119.0, 80.0), Some("high_normal"));
    assert_eq!(of(140.0, 89.0), Some("isolated_systolic"));
    assert_eq!(of(139.0, 90.0), Some("grade_1"));
    assert_eq!(of(140.0, 100.0), Some("grade_2"));
    assert_eq!(of(180.0, 60.0), Some("grade_3"));
    assert_eq!(flag(&[(Quantity::Systolic, 140.0)], None), None, "one pressure alone says nothing");
}

#[test]
fn glucose_is_classified_only_with_its_time() {
    let of = |value, time| flag(&[(Quantity::Glucose, value)], time);
    assert_eq!(of(6.5, None), None);
    assert_eq!(of(6.0, Some(GlucoseTime::Fasting)), Some("normal"));
    assert_eq!(of(6.1, Some(GlucoseTime::Fasting)), Some("impaired"));
    assert_eq!(of(7.0, Some(GlucoseTime::Fasting)), Some("high"));
    assert_eq!(of(7.7, Some(GlucoseTime::AfterMeal)), Some("normal"));
    assert_eq!(of(11.0, Some(GlucoseTime::Random)), Some("normal"));
    assert_eq!(of(11.1, Some(GlucoseTime::Random)), Some("high"));
    assert_eq!(of(2.7, Some(GlucoseTime::Random)), Some("low"));
}

#[test]
fn saturation_and_temperature() {
    let of = |quantity, value| flag(&[(quantity, value)], None);
    assert_eq!(of(Quantity::OxygenSaturation, 95.0), Some("normal"));
    assert_eq!(of(Quantity::OxygenSaturation, 94.0), Some("low"));
    assert_eq!(of(Quantity::OxygenSaturation, 89.0), Some("hypoxaemia"));
    assert_eq!(of(Quantity::Temperature, 37.3), Some("fever"));
    assert_eq!(of(Quantity::Temperature, 37.2), Some("normal"));
}

#[test]
fn low_is_low() {
    let pressure =
        |systolic, diastolic| flag(&[(Quantity::Systolic, systolic), (Quantity::Diastolic, diastolic)], None);
    for (systolic, diastolic) in [(72.0, 44.0), (89.0, 60.0), (90.0, 59.0), (125.0, 55.0)] {
        assert_eq!(pressure(systolic, diastolic), Some("low"), "{systolic}/{diastolic}");
    }
    assert_eq!(pressure(90.0, 60.0), Some("normal"));
    assert_eq!(pressure(150.0, 55.0), Some("isolated_systolic"));
    assert_eq!(flag(&[(Quantity::Systolic, 72.0)], None), Some("low"), "a lone pressure may be low");
    assert_eq!(flag(&[(Quantity::Diastolic, 44.0)], None), Some("low"));
    assert_eq!(flag(&[(Quantity::Systolic, 201.0)], None), Some("grade_3"));
    let of = |quantity, value| flag(&[(quantity, value)], None);
    for (quantity, bands) in [
        (Quantity::Temperature, &[(32.0, "low"), (34.9, "low"), (35.0, "normal"), (36.6, "normal")][..]),
        (Quantity::OxygenSaturation, &[(84.0, "hypoxaemia"), (90.0, "low"), (95.0, "normal")]),
        (
            Quantity::PulseRate,
            &[(38.0, "low"), (59.0, "low"), (60.0, "normal"), (100.0, "normal"), (101.0, "high")],
        ),
        (Quantity::RespirationRate, &[(8.0, "low"), (12.0, "normal"), (20.0, "normal"), (24.0, "high")]),
        (Quantity::BodyMassIndex, &[(18.4, "low"), (18.5, "normal"), (24.0, "overweight"), (28.0, "obese")]),
    ] {
        for (value, expected) in bands {
            assert_eq!(of(quantity, *value), Some(*expected), "{quantity:?} {value}");
        }
    }
    assert_eq!(of(Quantity::Glucose, 2.6), Some("low"), "at any time");
    assert_eq!(of(Quantity::Glucose, 22.0), Some("high"), "at any time");
    assert_eq!(of(Quantity::Glucose, 11.0), None, "high only with its time");
    assert_eq!(flag(&[(Quantity::Glucose, 3.5)], Some(GlucoseTime::Fasting)), Some("low"));
}

#[test]
fn a_value_is_judged_as_it_is_read() {
    let of = |quantity, value| flag(&[(quantity, value)], None);
    assert_eq!(of(Quantity::Temperature, 37.3 - 1e-9), Some("fever"));
    assert_eq!(of(Quantity::OxygenSaturation, 94.6), Some("normal"));
    assert_eq!(of(Quantity::PulseRate, 100.4), Some("normal"));
}

#[test]
fn what_is_no_exact_number_is_judged_only_if_all_it_can_be_is_called_the_same() {
    use linli_domain::vital::Comparator;
    let of = |quantity, value, comparator, upper| {
        let reading = Reading { comparator, upper, ..Reading::of(quantity, value) };
        let found = judge(&[reading], at(Some(GlucoseTime::Random)), &Limits::default());
        found.first().map(|(_, found)| found.flag)
    };
    let (above, below) = (Some(Comparator::Above), Some(Comparator::Below));
    assert_eq!(of(Quantity::Glucose, 33.3, above, None), Some("high"));
    assert_eq!(of(Quantity::Glucose, 1.1, below, None), Some("low"));
    assert_eq!(of(Quantity::OxygenSaturation, 70.0, below, None), Some("hypoxaemia"));
    assert_eq!(of(Quantity::OxygenSaturation, 90.0, below, None), Some("hypoxaemia"), "89 at most");
    assert_eq!(of(Quantity::OxygenSaturation, 90.0, Some(Comparator::AtMost), None), None);
    assert_eq!(of(Quantity::Systolic, 85.0, above, None), None, "it may be normal, or high");
    assert_eq!(of(Quantity::RespirationRate, 10.0, None, Some(11.0)), Some("low"));
    assert_eq!(of(Quantity::RespirationRate, 10.0, None, Some(14.0)), None);
    assert_eq!(of(Quantity::RespirationRate, 13.0, None, Some(14.0)), Some("normal"));
}

#[test]
fn no_range_is_applied_to_a_test_or_to_the_skin() {
    use linli_domain::vital::Caveat;
    let flags = |reading: Reading| judge(&[reading], at(None), &Limits::default()).len();
    let cold = |site| Reading { site, ..Reading::of(Quantity::Temperature, 33.0) };
    assert_eq!([None, Some(Site::Oral), Some(Site::Body)].map(|site| flags(cold(site))), [1, 1, 1]);
    assert_eq!([Site::Skin, Site::Finger, Site::Toe].map(|site| flags(cold(Some(site)))), [0, 0, 0]);
    for mark in [Caveat::Demonstration, Caveat::ControlSolution] {
        let mut tested = Reading::of(Quantity::Systolic, 201.0);
        assert_eq!(flags(tested.clone()), 1);
        tested.doubt(mark);
        assert_eq!(flags(tested), 0, "{mark:?}");
    }
}

#[test]
fn each_limit_of_pressure_is_where_the_guideline_has_it() {
    let of = |systolic, diastolic| {
        flag(&[(Quantity::Systolic, systolic), (Quantity::Diastolic, diastolic)], None).unwrap()
    };
    let systolic = [90.0, 120.0, 140.0, 160.0, 180.0].map(|limit| [of(limit - 1.0, 70.0), of(limit, 70.0)]);
    assert_eq!(
        systolic,
        [
            ["low", "normal"],
            ["normal", "high_normal"],
            ["high_normal", "isolated_systolic"],
            ["isolated_systolic", "grade_2"],
            ["grade_2", "grade_3"]
        ]
    );
    let diastolic = [60.0, 80.0, 90.0, 100.0, 110.0].map(|limit| [of(115.0, limit - 1.0), of(115.0, limit)]);
    assert_eq!(
        diastolic,
        [
            ["low", "normal"],
            ["normal", "high_normal"],
            ["high_normal", "grade_1"],
            ["grade_1", "grade_2"],
            ["grade_2", "grade_3"]
        ]
    );
    let limits = Limits { hypertension: (130.0, 80.0), fever: 37.5, ..Limits::default() };
    let own =
        |values: &[(Quantity, f64)]| assess(values, at(None), &limits).first().map(|(_, found)| found.flag);
    assert_eq!(own(&[(Quantity::Systolic, 130.0), (Quantity::Diastolic, 79.0)]), Some("isolated_systolic"));
    assert_eq!(own(&[(Quantity::Systolic, 129.0), (Quantity::Diastolic, 80.0)]), Some("grade_1"));
    assert_eq!(own(&[(Quantity::Temperature, 37.4)]), Some("normal"));
}

#[test]
fn what_only_the_centre_says_has_its_name_and_date() {
    let signed = source_of_centre("李医生", "2026-11-30");
    let limits =
        Limits { hypertension: (150.0, 95.0), fever: 37.0, source: Some(signed), ..Limits::default() };
    let source = |limits: &Limits, values: &[(Quantity, f64)]| {
        assess(values, at(None), limits).first().map(|(_, found)| (found.flag, found.source))
    };
    let pressure = |systolic, diastolic| [(Quantity::Systolic, systolic), (Quantity::Diastolic, diastolic)];
    // By the document this is grade 1.
    assert_eq!(source(&limits, &pressure(145.0, 80.0)), Some(("high_normal", signed)));
    assert_eq!(source(&limits, &[(Quantity::Temperature, 37.1)]), Some(("fever", signed)));
    // What the document says as well has its source, and so has what no setting is for.
    for values in [&pressure(165.0, 80.0)[..], &pressure(151.0, 96.0), &[(Quantity::PulseRate, 120.0)]] {
        assert_eq!(source(&limits, values), source(&Limits::default(), values), "{values:?}");
    }
    let unsigned = Limits { source: None, ..limits };
    assert_eq!(source(&unsigned, &pressure(145.0, 80.0)), Some(("high_normal", OF_CENTRE)));
    let range = |limits: &Limits| normal(Quantity::Temperature, None, at(None), limits).expect("a range");
    let (own, document) = (range(&limits), range(&Limits::default()));
    assert!(own.1.is_some_and(|last| (last - 36.9).abs() < 1e-9) && own.2 == signed, "{own:?}");
    assert_ne!(document.2, signed);
}

/// What a value is called for somebody of that age in months and sex.
fn called(months: u16, sex: Option<Sex>, values: &[(Quantity, f64)]) -> Option<&'static str> {
    let who = Circumstances { glucose_time: None, age_months: Some(months), sex };
    assess(values, who, &Limits::default()).first().map(|(_, found)| found.flag)
}

#[test]
fn the_ranges_of_a_child_are_those_of_its_age() {
    let pulse = |months, value| called(months, None, &[(Quantity::PulseRate, value)]);
    for (months, low, normal, high) in [
        (0, 99.0, 205.0, 206.0),
        (6, 99.0, 180.0, 181.0),
        (12, 97.0, 98.0, 141.0),
        (35, 97.0, 140.0, 141.0),
        (36, 79.0, 80.0, 121.0),
        (72, 74.0, 118.0, 119.0),
        (144, 59.0, 60.0, 101.0),
        (215, 59.0, 100.0, 101.0),
        (216, 59.0, 100.0, 101.0),
        (900, 59.0, 100.0, 101.0),
    ] {
        let flags = [low, normal, high].map(|value| pulse(months, value));
        assert_eq!(flags, [Some("low"), Some("normal"), Some("high")], "{months} months");
    }
    let breath = |months, value| called(months, None, &[(Quantity::RespirationRate, value)]);
    assert_eq!((breath(48, 24.0), breath(480, 24.0)), (Some("normal"), Some("high")));
    assert_eq!((breath(6, 24.0), breath(6, 40.0)), (Some("low"), Some("normal")));
}

#[test]
fn the_pressure_of_a_child_depends_on_age_and_sex() {
    let of = |years: u16, sex, systolic, diastolic| {
        called(years * 12, sex, &[(Quantity::Systolic, systolic), (Quantity::Diastolic, diastolic)])
    };
    let (boy, girl) = (Some(Sex::Male), Some(Sex::Female));
    // 100 + 2 or 1.5 a year, and 65 + 1 a year.
    assert_eq!(
        [of(8, boy, 115.0, 72.0), of(8, boy, 116.0, 60.0), of(8, boy, 100.0, 73.0)].map(Option::unwrap),
        ["normal", "high", "high"]
    );
    assert_eq!((of(8, girl, 112.0, 60.0), of(8, boy, 112.0, 60.0)), (Some("high"), Some("normal")));
    assert_eq!(of(8, None, 112.0, 60.0), None, "it depends on the sex, which is not known");
    assert_eq!(of(8, None, 130.0, 60.0), Some("high"), "of both");
    assert_eq!((of(8, boy, 85.0, 50.0), of(12, boy, 89.0, 50.0)), (Some("low"), Some("low")));
    assert_eq!(of(8, boy, 90.0, 50.0), Some("normal"), "of an adult it would be low");
    assert_eq!(of(1, boy, 100.0, 60.0), None, "no range is cited below three years");
    assert_eq!(of(1, boy, 71.0, 40.0), Some("low"));
    assert_eq!(of(17, boy, 133.0, 70.0), Some("normal"));
    assert_eq!(of(18, boy, 141.0, 70.0), Some("isolated_systolic"));
}

#[test]
fn fever_depends_on_the_site_and_on_the_age() {
    let of = |site, months: Option<u16>, value| {
        let reading = Reading { site, ..Reading::of(Quantity::Temperature, value) };
        let who = Circumstances { age_months: months, ..Circumstances::default() };
        judge(&[reading], who, &Limits::default()).first().map(|(_, found)| found.flag)
    };
    for (site, months, last_normal, fever) in [
        (None, None, 37.2, 37.3),
        (Some(Site::Axillary), None, 37.2, 37.3),
        (Some(Site::Forehead), None, 37.2, 37.3),
        (Some(Site::Oral), None, 37.2, 37.3),
        (Some(Site::Rectal), None, 37.7, 37.8),
        (Some(Site::Ear), None, 37.9, 38.0),
        (Some(Site::Tympanic), Some(40), 37.9, 38.0),
        (Some(Site::Axillary), Some(40), 37.4, 37.5),
        (Some(Site::Rectal), Some(40), 37.9, 38.0),
    ] {
        assert_eq!(of(site, months, last_normal), Some("normal"), "{site:?} {months:?}");
        assert_eq!(of(site, months, fever), Some("fever"), "{site:?} {months:?}");
        assert_eq!(of(site, months, 34.9), Some("low"), "{site:?} {months:?}");
    }
}

#[test]
fn the_body_mass_of_a_child_has_limits_by_half_year_and_sex() {
    let of = |months, sex, value| called(months, sex, &[(Quantity::BodyMassIndex, value)]);
    let (boy, girl) = (Some(Sex::Male), Some(Sex::Female));
    assert_eq!(
        (of(120, boy, 19.1), of(120, boy, 19.2), of(120, boy, 21.9)),
        (None, Some("overweight"), Some("obese"))
    );
    assert_eq!((of(120, girl, 19.2), of(120, girl, 19.5)), (None, Some("overweight")));
    assert_eq!((of(71, boy, 20.0), of(215, boy, 27.8)), (None, Some("obese")));
    assert_eq!(of(216, boy, 18.4), Some("low"));
    assert_eq!(of(120, None, 19.3), None, "it depends on the sex");
}

#[test]
fn a_waist_is_judged_by_the_sex() {
    let of = |sex, value| {
        let who = Circumstances { glucose_time: None, age_months: Some(720), sex };
        let found = assess(&[(Quantity::WaistCircumference, value)], who, &Limits::default());
        found.first().map(|(_, found)| found.flag)
    };
    for (sex, bands) in [
        (Sex::Male, [(84.4, "normal"), (85.0, "pre_central_obesity"), (90.0, "central_obesity")]),
        (Sex::Female, [(79.4, "normal"), (80.0, "pre_central_obesity"), (85.0, "central_obesity")]),
    ] {
        for (value, flag) in bands {
            assert_eq!(of(Some(sex), value), Some(flag), "{sex:?} {value}");
        }
    }
    assert_eq!((of(None, 70.0), of(None, 95.0)), (Some("normal"), Some("central_obesity")), "holds for both");
    assert_eq!(of(None, 87.0), None, "it depends on the sex");
    let child = Circumstances { glucose_time: None, age_months: Some(120), sex: Some(Sex::Male) };
    assert!(assess(&[(Quantity::WaistCircumference, 95.0)], child, &Limits::default()).is_empty());
}

#[test]
fn every_row_names_a_document_and_its_edition() {
    for months in [0, 6, 13, 40, 60, 100, 130, 150, 200, 216, 900] {
        for sex in [Sex::Female, Sex::Male] {
            for quantity in Quantity::ALL {
                for value in [1.0, 36.6, 61.0, 97.0, 199.0] {
                    let who = Circumstances { glucose_time: None, age_months: Some(months), sex: Some(sex) };
                    let beside = [(quantity, value), (Quantity::Diastolic, 70.0)];
                    for (_, found) in assess(&beside, who, &Limits::default()) {
                        assert!(found.source.contains("20"), "{quantity:?}: {}", found.source);
                        assert!(!found.chinese.is_ascii() && !found.english.is_empty());
                    }
                }
            }
        }
    }
}

#[test]
fn saturation_is_judged_by_the_altitude_of_the_centre() {
    let called = |altitude: u16, saturation: f64| {
        let limits = Limits { altitude, ..Limits::default() };
        let found = assess(&[(Quantity::OxygenSaturation, saturation)], Circumstances::default(), &limits);
        found.first().map(|(_, found)| found.flag)
    };
    for (altitude, saturation, flag) in [
        (0, 97.0, Some("normal")),
        (1499, 94.0, Some("low")),
        (1499, 89.0, Some("hypoxaemia")),
        (1500, 94.0, None),
        (1500, 90.0, None),
        (2499, 89.0, Some("hypoxaemia")),
        (2500, 89.0, None),
        (3650, 87.0, None),
        (3650, 86.0, Some("hypoxaemia")),
    ] {
        assert_eq!(called(altitude, saturation), flag, "{saturation} % at {altitude} m");
    }
}
