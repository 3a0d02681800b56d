//! A Bluetooth health device that speaks of itself: the line task.
//!
//! Such devices are asleep. One wakes up with a measurement, tells it and goes: being away is its
//! ordinary state, and no fault of the line.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::StreamExt;
use linli_domain::{Id, Layout, Reason};

use super::gatt_profiles::{self, Profile};
use super::radio::{Notifications, Radio};
use super::talk::Talk;
use super::zone::Zone;
use crate::backoff::Backoff;
use crate::line::{DeviceState, LineContext};

/// Checked settings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    pub adapter: String,
    pub address: Address,
    pub profile: &'static str,
    pub zone: Zone,
}

/// A device's address, most significant byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address(pub [u8; 6]);

// === impl Address ===

impl Address {
    /// From `00:11:22:AA:BB:CC`.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let parts: [&str; 6] = parts.try_into().ok()?;
        let mut bytes = [0; 6];
        for (byte, part) in bytes.iter_mut().zip(parts) {
            let is_hex = part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
            *byte = is_hex.then(|| u8::from_str_radix(part, 16).ok())??;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{g:02X}")
    }
}

/// Waits for the device again and again, until cancelled.
pub(super) async fn run(settings: &Settings, line: Id, layout: Arc<Layout>, context: LineContext) {
    let Some(profile) = gatt_profiles::find(settings.profile) else { return };
    let radio = super::radio::system(&settings.adapter);
    let talk = Talk::new(line, layout, settings.zone, context);
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
            // The radio works; the device sleeps.
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

/// Takes what the device tells until it goes.
async fn hear(talk: &mut Talk, mut notifications: Notifications) {
    let cancel = talk.context.cancel.clone();
    talk.is(DeviceState::Online, String::new()).await;
    loop {
        let told = tokio::select! {
            () = cancel.cancelled() => return,
            told = notifications.next() => told,
        };
        let Some((characteristic, payload)) = told else { return };
        talk.context.health.progress.fetch_add(1, Ordering::Relaxed);
        match gatt_profiles::hear(characteristic, &payload) {
            Ok(Some(heard)) => talk.hear(heard).await,
            Ok(None) => {}
            Err(_) => {
                talk.context.health.resync_bytes.fetch_add(payload.len() as u64, Ordering::Relaxed);
            }
        }
    }
}
