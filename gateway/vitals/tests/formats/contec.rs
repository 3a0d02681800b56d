//! The serial format of Contec oximeters.

use linli_vitals::contec::{Absence, FRAME, Frame, Stream};

fn frames(bytes: &[u8]) -> Vec<Frame> {
    let mut stream = Stream::default();
    bytes.iter().filter_map(|byte| stream.push(*byte)).collect()
}

#[test]
fn published_frames() {
    let found = frames(&[0x86, 0x3C, 0x05, 0x48, 0x62, 0xC6, 0x50, 0x45, 0x0C, 0x5D]);
    assert_eq!(
        (found[0].pulse, found[0].saturation, found[0].signal, found[0].wave),
        (Some(72), Some(98), 6, 60)
    );
    assert_eq!((found[1].pulse, found[1].saturation, found[1].is_beat), (Some(140), Some(93), true));
}

#[test]
fn what_is_invalid_is_no_number() {
    let found = frames(&[0x90, 0x00, 0x70, 0x7F, 0x7F]);
    assert_eq!((found[0].pulse, found[0].saturation), (None, None));
    assert_eq!(found[0].absence, Some(Absence::FingerOut));
    assert_eq!(frames(&[0x80, 0, 0x20, 0x48, 0x62])[0].absence, Some(Absence::Searching));
    assert_eq!(frames(&[0x80, 0, 0x10, 0x48, 0x62])[0].absence, Some(Absence::ProbeError));
    assert_eq!(frames(&[0x80, 0, 0x00, 0x48, 0x7F])[0].absence, Some(Absence::Sentinel));
}

#[test]
fn a_cut_frame_costs_itself_only() {
    let good = [0x86, 0x3C, 0x05, 0x48, 0x62];
    for cut in 1..FRAME {
        let bytes = [&good[..cut], &good, &good[cut..], &good].concat();
        let found = frames(&bytes);
        assert_eq!(found.len(), 2, "cut at {cut}");
        assert!(found.iter().all(|frame| frame.saturation == Some(98)));
    }
}
