//! The kinds of everything that is stored. Each list is an exhaustive match, so a kind that is
//! added to an enum does not compile until it is named here, and fails until it is in the contents.

use std::collections::BTreeSet;

use linli_domain::command::State;
use linli_domain::loss::LossReason;
use linli_domain::visit::{Ending, OpenedBy, Status, Unassigned};
use linli_domain::vital::{Caveat, GlucoseTime, NoReading, Quantity};
use linli_domain::{ClockQuality, DeviceClass, Quality, Reason, Record, Topic, Value, ValueType};
use linli_store::Change;

use super::contents::{self, Contents};

/// The kinds of a type: what a value is called, and all the names.
pub trait Kind {
    const ALL: &'static [&'static str];
    fn kind(&self) -> &'static str;
}

macro_rules! kinds {
    ($type:ty { $($pattern:pat => $name:literal),* $(,)? }) => {
        impl Kind for $type {
            const ALL: &'static [&'static str] = &[$($name),*];
            fn kind(&self) -> &'static str {
                match self { $($pattern => $name),* }
            }
        }
    };
}

kinds!(Record { Self::Samples(_) => "samples", Self::Message(_) => "message" });
kinds!(Topic {
    Self::DeviceEvent => "device",
    Self::Vital { .. } => "vital",
    Self::AlarmEvent => "alarm",
    Self::HaccpEvent => "haccp",
    Self::ModeEvent => "mode",
    Self::OrderEvent => "order",
    Self::LedgerEvent => "ledger",
    Self::CommandResult { .. } => "command result",
});
kinds!(Option<Value> {
    None => "none",
    Some(Value::Bool(false)) => "false",
    Some(Value::Bool(true)) => "true",
    Some(Value::Integer(_)) => "integer",
    Some(Value::Unsigned(_)) => "unsigned",
    Some(Value::Float(_)) => "float",
    Some(Value::Text(_)) => "text",
});
kinds!(ValueType {
    Self::Bool => "bool",
    Self::Integer => "integer",
    Self::Float => "float",
    Self::Text => "text",
});
kinds!(Quality { Self::Good => "good", Self::Uncertain(_) => "uncertain", Self::Bad(_) => "bad" });
kinds!(Reason {
    Self::Silent => "silent",
    Self::Refused => "refused",
    Self::Garbled => "garbled",
    Self::LineDown => "line down",
    Self::NoValue => "no value",
    Self::NotANumber => "not a number",
    Self::OutOfRange => "out of range",
    Self::WrongDevice => "wrong device",
    Self::Undecodable => "undecodable",
    Self::Stale => "stale",
    Self::SensorFault => "sensor fault",
    Self::Doubtful => "doubtful",
    Self::Busy => "busy",
    Self::Retained => "retained",
    Self::NotThere => "not there",
});
kinds!(ClockQuality {
    Self::Synchronised => "synchronised",
    Self::FreeRunning => "free running",
    Self::Unset => "unset",
});
kinds!(DeviceClass {
    Self::Telemetry => "telemetry",
    Self::Kiosk => "kiosk",
    Self::Actuator => "actuator",
    Self::FoodSafety => "food safety",
    Self::Vital => "vital",
});
kinds!(State {
    Self::Accepted => "accepted",
    Self::Sent => "sent",
    Self::Done => "done",
    Self::Failed { .. } => "failed",
    Self::Unknown { .. } => "unknown",
});
kinds!(LossReason {
    Self::SizeCap => "size cap",
    Self::AgeCap => "age cap",
    Self::DiskFull => "disk full",
    Self::IntakeFull => "intake full",
    Self::Damaged => "damaged",
    Self::DeadLetter => "dead letter",
});
kinds!(OpenedBy { Self::Card => "card", Self::Code => "code", Self::Worker => "worker" });
kinds!(Ending {
    Self::Completed => "completed",
    Self::Abandoned => "abandoned",
    Self::TimedOut => "timed out",
    Self::Superseded => "superseded",
});
kinds!(Unassigned {
    Self::NoRoom => "no room",
    Self::NoVisit => "no visit",
    Self::BegunBefore => "begun before",
    Self::TwoVisits => "two visits",
    Self::TimeUnclear => "time unclear",
    Self::OtherPatient => "other patient",
    Self::OtherRoom => "other room",
    Self::SeveralPatients => "several patients",
    Self::PatientUnclear => "patient unclear",
    Self::Test => "test",
});
kinds!(Status {
    Self::Final => "final",
    Self::Amended => "amended",
    Self::Corrected => "corrected",
    Self::EnteredInError => "entered in error",
});
kinds!(GlucoseTime { Self::Fasting => "fasting", Self::AfterMeal => "after meal", Self::Random => "random" });
kinds!(NoReading {
    Self::NotANumber => "not a number",
    Self::PositiveInfinity => "positive infinity",
    Self::NegativeInfinity => "negative infinity",
    Self::NotPerformed => "not performed",
    Self::Error => "error",
});
kinds!(Caveat {
    Self::BodyMovement => "body movement",
    Self::CuffLoose => "cuff loose",
    Self::IrregularPulse => "irregular pulse",
    Self::PulseOutOfRange => "pulse out of range",
    Self::ImproperPosition => "improper position",
    Self::PoorSignal => "poor signal",
    Self::LowPerfusion => "low perfusion",
    Self::Preliminary => "preliminary",
    Self::Questionable => "questionable",
    Self::Demonstration => "demonstration",
    Self::FromStorage => "from storage",
    Self::Unusual => "unusual",
    Self::Inconsistent => "inconsistent",
    Self::ClockSkew => "clock skew",
    Self::Corrected => "corrected",
    Self::ControlSolution => "control solution",
    Self::StripError => "strip error",
    Self::SampleTooSmall => "sample too small",
    Self::DeviceFault => "device fault",
    Self::TemperatureOutOfRange => "temperature out of range",
    Self::Interrupted => "interrupted",
    Self::TimeUnclear => "time unclear",
});
kinds!(Quantity {
    Self::Systolic => "systolic",
    Self::Diastolic => "diastolic",
    Self::MeanArterial => "mean arterial",
    Self::PulseRate => "pulse rate",
    Self::OxygenSaturation => "oxygen saturation",
    Self::RespirationRate => "respiration rate",
    Self::Temperature => "temperature",
    Self::Weight => "weight",
    Self::Height => "height",
    Self::BodyMassIndex => "body mass index",
    Self::Glucose => "glucose",
    Self::WaistCircumference => "waist circumference",
});
kinds!(Change {
    Self::Resident(_) => "resident",
    Self::Visit(_) => "visit",
    // How a sealed one is stored is frozen where it is sealed, in the cabin.
    Self::Version(_) | Self::Sealed { .. } | Self::Reseal { .. } => "version",
    Self::EraseVisit(_) => "erase visit",
    Self::EraseMeasurement(_) => "erase measurement",
    Self::EraseResident(_) => "erase resident",
    Self::EraseUnsent { .. } => "erase unsent",
    Self::EraseTrend { .. } => "erase trend",
    Self::ForgetAudit(_) => "forget audit",
    Self::ForgetDocuments { .. } => "forget documents",
    Self::Alarm { .. } => "alarm",
    Self::ForgetAlarm(_) => "forget alarm",
    Self::Notify(_) => "notify",
    Self::Notified(_) => "notified",
    Self::Document(_) => "document",
    Self::AlarmStep { .. } => "alarm step",
});

/// Fails unless every kind of `K` is among `values`.
fn all_among<'a, K: Kind + 'a>(values: impl IntoIterator<Item = &'a K>) {
    let seen: BTreeSet<&str> = values.into_iter().map(Kind::kind).collect();
    let all: BTreeSet<&str> = K::ALL.iter().copied().collect();
    assert_eq!(seen, all, "{}: kinds in the golden contents, kinds there are", std::any::type_name::<K>());
}

/// Fails unless the contents hold every kind of everything.
pub fn all_are_in(contents: &Contents) {
    let records: Vec<&Record> = contents.records.iter().chain([&contents.dead, &contents.answer]).collect();
    all_among(records.iter().copied());
    // The ledger's message is made by the dead letter.
    let ledger = [Topic::LedgerEvent];
    let messages: Vec<_> = records
        .iter()
        .filter_map(|record| if let Record::Message(message) = record { Some(message) } else { None })
        .collect();
    all_among(messages.iter().map(|message| &message.topic).chain(&ledger));
    all_among(messages.iter().map(|message| &message.class));
    let batches: Vec<_> = records
        .iter()
        .filter_map(|record| if let Record::Samples(batch) = record { Some(batch) } else { None })
        .collect();
    all_among(batches.iter().map(|batch| &batch.layout.class));
    all_among(batches.iter().flat_map(|batch| &batch.layout.points).map(|point| &point.kind));
    let samples: Vec<_> = batches.iter().flat_map(|batch| &batch.samples).collect();
    all_among(samples.iter().map(|sample| &sample.value));
    all_among(samples.iter().map(|sample| &sample.clock));
    all_among(samples.iter().map(|sample| &sample.quality));
    let reasons: Vec<Reason> = samples
        .iter()
        .filter_map(|sample| match sample.quality {
            Quality::Good => None,
            Quality::Uncertain(reason) | Quality::Bad(reason) => Some(reason),
        })
        .collect();
    all_among(&reasons);
    all_among(contents.commands.iter().map(|(_, state)| state));
    let losses = contents::losses();
    all_among(losses.iter().map(|loss| &loss.reason));
    let entries = contents.entries();
    all_among(entries.iter().flat_map(|entry| &entry.changes));
    all_among(contents.visits.iter().map(|visit| &visit.opened_by));
    let endings: Vec<Ending> = contents.visits.iter().filter_map(|visit| Some(visit.ended?.1)).collect();
    all_among(&endings);
    all_among(contents.versions.iter().map(|version| &version.status));
    all_among(contents.versions.iter().filter_map(|version| version.unassigned.as_ref()));
    all_among(contents.versions.iter().filter_map(|version| version.context.glucose_time.as_ref()));
    let readings: Vec<_> =
        contents.versions.iter().flat_map(|version| &version.measurement.readings).collect();
    all_among(readings.iter().map(|reading| &reading.quantity));
    all_among(readings.iter().flat_map(|reading| &reading.caveats));
    let absent: Vec<NoReading> = readings.iter().filter_map(|reading| reading.value.err()).collect();
    all_among(&absent);
}
