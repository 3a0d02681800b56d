//! What lies on a disk may be anything: packed samples and roll-ups are read without a panic, and
//! what was read packs to something that reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linli_store::codec::{pack, pack_rollups, unpack, unpack_rollups};

fuzz_target!(|body: &[u8]| {
    if let Ok(samples) = unpack(body) {
        assert_eq!(unpack(&pack(&samples)).ok(), Some(samples));
    }
    if let Ok(rollups) = unpack_rollups(body) {
        let _ = unpack_rollups(&pack_rollups(&rollups));
    }
});
