//! Whatever comes as an order, a message, a plan's signature or a guard: no panic, and one order
//! has one form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linli_mode::Parsed;
use linli_mode::cap::Alert;
use linli_mode::order::{Envelope, Keyring, Order, verify_plan};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(order) = Order::decode(bytes) {
        assert_eq!(order.encode(), bytes);
    }
    if let Ok(envelope) = Envelope::read(bytes) {
        assert_eq!(Envelope::read(&envelope.bytes()).map(|again| again.hash), Ok(envelope.hash));
        assert_eq!(envelope.signers(&Keyring::default()), Ok(Vec::new()), "nobody is known");
    }
    let _ = Alert::read(bytes).map(|alert| alert.proposes());
    let _ = verify_plan(b"a plan", bytes, &Keyring::default());
    let _ = std::str::from_utf8(bytes).map(Parsed::parse);
});
