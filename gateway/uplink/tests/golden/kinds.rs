//! The kinds of everything that is sent. Each list is an exhaustive match, so a kind that is added
//! to an enum does not compile until it is named here, and fails until it is in a message.

use std::collections::BTreeSet;

use linli_domain::{ClockQuality, Lane, Quality, Reason, Record, Topic, Value, ValueType};

use crate::messages;

/// The kinds of a type: what a value is called, and all the names.
trait Kind {
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
    Some(Value::Bool(_)) => "bool",
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

fn all_among<'a, K: Kind + 'a>(values: impl IntoIterator<Item = &'a K>) {
    let seen: BTreeSet<&str> = values.into_iter().map(Kind::kind).collect();
    let all: BTreeSet<&str> = K::ALL.iter().copied().collect();
    assert_eq!(seen, all, "{}: kinds in the golden messages, kinds there are", std::any::type_name::<K>());
}

/// Fails unless every kind of everything is among the records.
pub fn all_are_in(records: &[(Lane, Record)]) {
    let records: Vec<&Record> = records.iter().map(|(_, record)| record).collect();
    all_among(records.iter().copied());
    let topics: Vec<&Topic> = records
        .iter()
        .filter_map(|record| if let Record::Message(message) = record { Some(&message.topic) } else { None })
        .collect();
    all_among(topics);
    let samples: Vec<_> = records
        .iter()
        .filter_map(|record| if let Record::Samples(batch) = record { Some(&batch.samples) } else { None })
        .flatten()
        .collect();
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
    let layouts = messages::layouts();
    all_among(layouts.iter().flat_map(|layout| &layout.points).map(|point| &point.kind));
}
