//! Checked settings of the services: plain values, which the services take over on a reload.

pub mod cabin;
pub mod canteen;
pub mod fhir;
pub mod image_key;
pub mod key;
pub mod kiosk;
pub mod siren;
pub mod slip;
pub mod uplink_certificate;
pub mod webhook;
