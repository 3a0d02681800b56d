//! The configuration as written. Every key, its meaning and its default stand here and nowhere
//! else: the JSON Schema and the reference page come out of these types.

mod alarms;
mod building;
mod devices;
mod facility;
mod gateway;
mod matters;
pub mod plan;
mod size;

pub use alarms::{Alarm, AlarmsFile, Priority, Siren, Webhook, When};
pub use building::{Fixture, Interlock, Kind, Way};
pub use devices::{Class, Device, DevicesFile, Report, ReportProfile};
pub use facility::{Area, Contents, FacilityFile, Form, KeyClass};
pub use gateway::{
    Acknowledge, Cabin, Fhir, GatewayFile, LocalAccount, Mqtt, MqttVersion, PaperWord, Slip, Store, Worker,
};
pub use matters::MattersFile;
pub use size::Size;
