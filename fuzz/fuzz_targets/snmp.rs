//! Whatever an SNMP agent answers: no panic, and an object with its name or none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linli_drivers::kiosk::snmp;

fuzz_target!(|bytes: &[u8]| {
    if let Some(name) = snmp::named(bytes) {
        assert!(!name.is_empty());
    }
});
