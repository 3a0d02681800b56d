//! The line task of a Bluetooth health device.
//!
//! Such a device sleeps, connects when it has a measurement, and disconnects. Being unreachable is its
//! normal state and no fault of the line.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::StreamExt;
use linli_domain::{Id, Layout, Reason};

use super::radio::{Address, Notifications, Radio};
use crate::backoff::Backoff;
use crate::health::talk::Talk;
use crate::line::{DeviceState, LineContext};
use linli_vitals::Zone;
use linli_vitals::ble::profiles::{self, Profile};

/// Checked settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub adapter: String,
    pub address: Address,
    pub profile: &'static str,
    pub zone: Zone,
}

/// Waits for the device and receives its measurements, until cancelled.
pub async fn run(settings: &Settings, line: Id, layout: Arc<Layout>, context: LineContext) {
    let Some(profile) = profiles::find(settings.profile) else { return };
    let radio = radio(&settings.adapter);
    let talk = Talk::new(line, layout, settings.zone.clone(), context);
    listen(&*radio, settings.address, profile, talk).await;
}

async fn listen(radio: &dyn Radio, address: Address, profile: &'static Profile, mut talk: Talk) {
    let (mut backoff, cancel) = (Backoff::default(), talk.context.cancel.clone());
    while !cancel.is_cancelled() {
        talk.context.health.progress.fetch_add(1, Ordering::Relaxed);
        let connected = tokio::select! {
            () = cancel.cancelled() => return,
            connected = radio.connect(address, profile) => connected,
        };
        match connected {
            Ok(Some(notifications)) => {
                talk.context.health.opens.fetch_add(1, Ordering::Relaxed);
                talk.line_is(true, String::new()).await;
                backoff.opened();
                hear(&mut talk, notifications).await;
                talk.lost(Reason::Silent).await;
            }
            // The adapter works; the device is asleep.
            Ok(None) => {
                talk.line_is(true, String::new()).await;
                talk.lost(Reason::Silent).await;
            }
            Err(why) => {
                talk.lost(Reason::LineDown).await;
                talk.line_is(false, why).await;
            }
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(backoff.next()) => {}
        }
    }
}

/// Receives notifications until the device disconnects.
async fn hear(talk: &mut Talk, mut notifications: Notifications) {
    let cancel = talk.context.cancel.clone();
    talk.is(DeviceState::Online, String::new()).await;
    loop {
        let notification = tokio::select! {
            () = cancel.cancelled() => return,
            notification = notifications.next() => notification,
        };
        let Some((characteristic, payload)) = notification else { return };
        talk.context.health.progress.fetch_add(1, Ordering::Relaxed);
        match profiles::hear(characteristic, &payload) {
            Ok(Some(heard)) => talk.hear(heard).await,
            Ok(None) => {}
            Err(_) => {
                talk.context.health.resync_bytes.fetch_add(payload.len() as u64, Ordering::Relaxed);
            }
        }
    }
}

/// Returns the Bluetooth adapter of this machine.
#[cfg(feature = "bluetooth")]
fn radio(adapter: &str) -> Box<dyn Radio> {
    Box::new(super::bluez::Bluez { adapter: adapter.to_owned() })
}

/// Returns the Bluetooth adapter of this machine.
#[cfg(not(feature = "bluetooth"))]
fn radio(_: &str) -> Box<dyn Radio> {
    Box::new(super::radio::None)
}
