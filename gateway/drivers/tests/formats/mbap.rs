//! Modbus TCP frames.

use bytes::BytesMut;
use linli_drivers::modbus::wire::mbap::{Cut, Frame, cut, frame};
use proptest::prelude::*;

#[test]
fn what_is_not_modbus_breaks_the_stream() {
    let cut_all = |bytes: &[u8]| cut(&mut BytesMut::from(bytes));
    assert_eq!(cut_all(&[0, 1, 0, 0, 0]), Cut::Partial);
    assert_eq!(cut_all(b"HTTP/1.1 400"), Cut::Broken);
    assert_eq!(cut_all(&[0, 1, 0, 0, 0, 1]), Cut::Broken);
    assert_eq!(cut_all(&[0, 1, 0, 0, 0xFF, 0xFF]), Cut::Broken);
}

proptest! {
    #[test]
    fn frames_come_out_as_they_went_in(
        frames in proptest::collection::vec((any::<u16>(), any::<u8>(), proptest::collection::vec(any::<u8>(), 1..253)), 1..5),
    ) {
        let mut buffer = BytesMut::new();
        frames.iter().for_each(|(t, u, pdu)| buffer.extend_from_slice(&frame(*t, *u, pdu)));
        for (transaction, unit, pdu) in frames {
            prop_assert_eq!(cut(&mut buffer), Cut::Whole(Frame { transaction, unit, pdu }));
        }
        prop_assert_eq!(cut(&mut buffer), Cut::Partial);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let mut buffer = BytesMut::from(&bytes[..]);
        while matches!(cut(&mut buffer), Cut::Whole(_)) {}
    }
}
