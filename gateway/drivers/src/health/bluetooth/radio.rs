//! The interface to a Bluetooth adapter that a line needs.

use std::fmt;

use data_encoding::HEXLOWER_PERMISSIVE;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use linli_vitals::ble::profiles::Profile;

/// Payloads by characteristic (16-bit UUID), until the device disconnects.
pub type Notifications = BoxStream<'static, (u16, Vec<u8>)>;

/// A device's address, most significant byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address(pub [u8; 6]);

// === impl Address ===

impl Address {
    /// Parses six pairs of hexadecimal digits, such as `00:11:22:AA:BB:CC`.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let parts: [&str; 6] = parts.try_into().ok()?;
        let mut bytes = [0; 6];
        for (byte, part) in bytes.iter_mut().zip(parts) {
            let &[decoded] = &HEXLOWER_PERMISSIVE.decode(part.as_bytes()).ok()?[..] else { return None };
            *byte = decoded;
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

/// A Bluetooth adapter.
pub trait Radio: Send + Sync {
    /// Waits for a limited time for the device, connects, and subscribes to the characteristics of
    /// the profile. `None` while the device is asleep; an error concerns the adapter.
    fn connect<'a>(
        &'a self,
        address: Address,
        profile: &'static Profile,
    ) -> BoxFuture<'a, Result<Option<Notifications>, String>>;
}

/// A machine without a Bluetooth adapter.
#[cfg(not(feature = "bluetooth"))]
pub struct None;

#[cfg(not(feature = "bluetooth"))]
impl Radio for None {
    fn connect<'a>(
        &'a self,
        _: Address,
        _: &'static Profile,
    ) -> BoxFuture<'a, Result<Option<Notifications>, String>> {
        let why = "this linli was built without Bluetooth (feature \"bluetooth\")";
        Box::pin(std::future::ready(Err(why.to_owned())))
    }
}
