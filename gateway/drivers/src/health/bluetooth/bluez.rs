//! BlueZ over D-Bus.

use std::time::Duration;

use bluer::gatt::remote::Characteristic;
use bluer::{Adapter, AdapterEvent, Device, DeviceEvent, DeviceProperty, Session};
use futures_util::future::BoxFuture;
use futures_util::stream::select_all;
use futures_util::{FutureExt, Stream, StreamExt};

use super::radio::{Address, Notifications, Radio};
use linli_vitals::ble::profiles::Profile;

/// How long one scan for the device takes. The line cannot end during a scan, so it is short.
const LOOK: Duration = Duration::from_secs(20);

/// Time limit for connecting to a device that has just advertised.
const CONNECT: Duration = Duration::from_secs(15);

/// The last 96 bits of a UUID assigned by the Bluetooth SIG.
const BASE: u128 = 0x0000_0000_0000_1000_8000_0080_5F9B_34FB;

/// One adapter of this machine.
pub struct Bluez {
    pub adapter: String,
}

// === impl Bluez ===

impl Radio for Bluez {
    fn connect<'a>(
        &'a self,
        address: Address,
        profile: &'static Profile,
    ) -> BoxFuture<'a, Result<Option<Notifications>, String>> {
        async move {
            let session = Session::new().await.map_err(|e| format!("BlueZ cannot be reached: {e}"))?;
            let adapter = session.adapter(&self.adapter).map_err(|e| self.names(&e))?;
            if !adapter.is_powered().await.map_err(|e| self.names(&e))? {
                adapter.set_powered(true).await.map_err(|e| self.names(&e))?;
            }
            let Some(device) = heard(&adapter, address).await.map_err(|e| self.names(&e))? else {
                return Ok(None);
            };
            match tokio::time::timeout(CONNECT, subscribed(&device, profile)).await {
                Ok(Ok(notifications)) => {
                    let gone = gone(device).await.map_err(|e| self.names(&e))?;
                    // The session lives as long as the stream.
                    let kept = notifications.take_until(gone).map(move |notification| {
                        let _ = &session;
                        notification
                    });
                    Ok(Some(kept.boxed()))
                }
                // The device is asleep again, or out of range.
                Ok(Err(error)) => {
                    tracing::debug!(%error, %address, "not connected");
                    let _ = device.disconnect().await;
                    Ok(None)
                }
                Err(_) => Ok(None),
            }
        }
        .boxed()
    }
}

impl Bluez {
    fn names(&self, error: &bluer::Error) -> String {
        format!("adapter {}: {error}", self.adapter)
    }
}

/// Waits until the device advertises.
async fn heard(adapter: &Adapter, address: Address) -> bluer::Result<Option<Device>> {
    let wanted = bluer::Address::new(address.0);
    let device = adapter.device(wanted)?;
    if device.is_connected().await.unwrap_or(false) {
        return Ok(Some(device));
    }
    let mut events = adapter.discover_devices_with_changes().await?;
    let look = async {
        while let Some(event) = events.next().await {
            if let AdapterEvent::DeviceAdded(found) = event
                && found == wanted
            {
                return true;
            }
        }
        false
    };
    let is_heard = tokio::time::timeout(LOOK, look).await.unwrap_or(false);
    Ok(is_heard.then_some(device))
}

/// Connects, subscribes, and requests stored measurements.
async fn subscribed(
    device: &Device,
    profile: &'static Profile,
) -> bluer::Result<impl Stream<Item = (u16, Vec<u8>)> + Send + Unpin + 'static> {
    if !device.is_connected().await? {
        device.connect().await?;
    }
    let mut streams = Vec::new();
    let mut recall: Option<(Characteristic, &'static [u8])> = None;
    for service in device.services().await? {
        for characteristic in service.characteristics().await? {
            let Some(number) = assigned(characteristic.uuid().await?) else { continue };
            if profile.characteristics.contains(&number) {
                let notified = characteristic.notify().await?;
                streams.push(notified.map(move |payload| (number, payload)).boxed());
            }
            match profile.recall {
                Some((at, what)) if at == number => recall = Some((characteristic, what)),
                _ => {}
            }
        }
    }
    if streams.is_empty() {
        let message = format!("the device has no characteristic of {}", profile.name);
        return Err(bluer::Error { kind: bluer::ErrorKind::NotFound, message });
    }
    if let Some((control, what)) = recall {
        control.write(what).await?;
    }
    Ok(select_all(streams))
}

/// Ends when the device is not connected any more.
async fn gone(device: Device) -> bluer::Result<impl Future<Output = ()> + Send + 'static> {
    let mut events = device.events().await?.boxed();
    Ok(async move {
        while let Some(DeviceEvent::PropertyChanged(property)) = events.next().await {
            if matches!(property, DeviceProperty::Connected(false)) {
                return;
            }
        }
    })
}

/// The 16-bit number of a UUID assigned by the Bluetooth SIG.
fn assigned(uuid: bluer::Uuid) -> Option<u16> {
    let number = uuid.as_u128() >> 96;
    (uuid.as_u128() & ((1 << 96) - 1) == BASE).then(|| u16::try_from(number).ok())?
}
