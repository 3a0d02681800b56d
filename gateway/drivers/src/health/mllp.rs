//! `kind = "mllp"`: HL7 v2 results over MLLP. The row of the protocol table.

use linli_domain::timezone;
use linli_domain::vital::Quantity;
use schemars::JsonSchema;
use serde::Deserialize;

use super::listener::Settings;
use super::plan::{self, Checked, Medium, Row};
use crate::line::Shows;
use crate::protocol::RawDevice;

/// The only profile of such a line.
pub const PROFILE: &str = "hl7/oru-r01";

/// A port that monitors and analysers connect to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSettings {
    /// IP address and port to listen on, such as 192.0.2.1:2575. MLLP has no log-in: use a network of its
    /// own.
    listen: String,
    /// Why other machines may connect although MLLP is not encrypted, such as "because the monitors have a
    /// switch of their own"; required for an address off this machine.
    #[serde(default)]
    insecure: Option<String>,
    /// A monitor may ask who has an open visit in its room (QRY^A19, QBP^Q22, QBP^ZV1) and is told: `visit`, its id, its
    /// code, sex and year of birth; `name`, the name and birthday as well. Without it no such question is answered.
    #[serde(default)]
    patient_query: Option<String>,
    /// UTC offset of time stamps that have none, default that of the centre's time zone.
    #[serde(default)]
    utc_offset: Option<String>,
}

/// HL7 v2 over MLLP: a line with one listener.
pub(crate) struct Mllp;

// === impl Mllp ===

impl Row for Mllp {
    type Settings = RawSettings;
    type Work = Medium;
    const KIND: &'static str = "mllp";
    const SUMMARY: &'static str = "HL7 v2 results (ORU^R01) sent to the gateway over MLLP";

    fn check(raw: RawSettings, devices: &[RawDevice], centre: &timezone::Zone) -> Checked<Medium> {
        let listen = plan::listen(&raw.listen, "192.0.2.1:2575")?;
        let instead = "let a device on this machine pass it on";
        plan::insecure(raw.insecure.as_deref(), listen.ip().is_loopback(), "listen", instead)?;
        let zone = plan::zone(raw.utc_offset.as_deref(), centre)?;
        let device = plan::only(devices)?;
        if device.profile != PROFILE {
            return Err(plan::no_profile(0, device, &[PROFILE]));
        }
        if raw.patient_query.is_some() && device.room.is_none() {
            let message = "must be given where patient_query is: a monitor is told who is in its own room";
            return Err(plan::problem(Some(0), "room", message));
        }
        let layout = plan::layout(device, &Quantity::ALL);
        let patient_query = match raw.patient_query.as_deref() {
            None => None,
            Some("visit") => Some(Shows::Visit),
            Some("name") => Some(Shows::Name),
            Some(other) => {
                let message = format!("{other:?} is not \"visit\" or \"name\"");
                return Err(plan::problem(None, "patient_query", message));
            }
        };
        let RawSettings { insecure, .. } = raw;
        Ok((vec![layout], Medium::Listener(Settings { listen, zone, insecure, patient_query })))
    }
}
