//! The radio: what a line needs of it, and BlueZ, which has it.

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use super::gatt::Address;
use super::gatt_profiles::Profile;

/// Payloads by characteristic, until the device goes.
pub(super) type Notifications = BoxStream<'static, (u16, Vec<u8>)>;

/// Something that reaches Bluetooth devices.
pub(super) trait Radio: Send + Sync {
    /// Waits a while for the device; connects and subscribes to the profile's characteristics
    /// when it is awake. An error is the radio's own.
    fn connect<'a>(
        &'a self,
        address: Address,
        profile: &'static Profile,
    ) -> BoxFuture<'a, Result<Option<Notifications>, String>>;
}

/// This machine's radio.
#[cfg(feature = "bluetooth")]
pub(super) fn system(adapter: &str) -> Box<dyn Radio> {
    Box::new(super::bluez::Bluez { adapter: adapter.to_owned() })
}

/// This machine's radio.
#[cfg(not(feature = "bluetooth"))]
pub(super) fn system(_: &str) -> Box<dyn Radio> {
    Box::new(Without)
}

/// No radio at all.
#[cfg(not(feature = "bluetooth"))]
struct Without;

#[cfg(not(feature = "bluetooth"))]
impl Radio for Without {
    fn connect<'a>(
        &'a self,
        _: Address,
        _: &'static Profile,
    ) -> BoxFuture<'a, Result<Option<Notifications>, String>> {
        let why = "this linli was built without Bluetooth (feature \"bluetooth\")";
        Box::pin(std::future::ready(Err(why.to_owned())))
    }
}
