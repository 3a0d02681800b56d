//! The serial format of Nonin oximeters.

use linli_vitals::nonin::{Line, Stream};

fn lines(bytes: &[u8]) -> Vec<Line> {
    let mut stream = Stream::default();
    bytes.iter().filter_map(|byte| stream.push(*byte)).collect()
}

#[test]
fn every_published_form() {
    let text = b"NONIN 8500 REV 1\r\nSPO2=098 HR=072\r\nSPO2=097 HR=071 F\r\n12:30:59 SPO2=096 HR=070\r\nSPO2=--- HR=---\r\nSPO2=095 HR=069*\r\n";
    let of = |saturation, pulse| Line { saturation, pulse };
    assert_eq!(
        lines(text),
        [
            of(Some(98), Some(72)),
            of(Some(97), Some(71)),
            of(Some(96), Some(70)),
            of(None, None),
            of(Some(95), Some(69))
        ]
    );
}

#[test]
fn a_zero_is_no_value_and_leaves_its_neighbour() {
    let of = |saturation, pulse| Line { saturation, pulse };
    assert_eq!(lines(b"SPO2=096 HR=000 F\r\n"), [of(Some(96), None)]);
    assert_eq!(lines(b"12:30:59 SPO2=000 HR=072*\r\n"), [of(None, Some(72))]);
    assert_eq!(lines(b"SPO2=000 HR=000\r\n"), [of(None, None)]);
}

#[test]
fn damage_gives_no_value() {
    for line in [
        "SPO2=98 HR=072\r\n",
        "SPO2=0#8 HR=072\r\n",
        "SPO2=198 HR=072\r\n",
        "SPO2=098 HR=07\r\n",
        "SPO2=098 HR=007\r\n",
        "SPO2=098 HR=972\r\n",
        "SPO2=098 HR=072\n",
    ] {
        assert_eq!(lines(line.as_bytes()), [], "{line:?}");
    }
    let noise = [vec![b'x'; 500], b"\r\nSPO2=098 HR=072\r\n".to_vec()].concat();
    assert_eq!(lines(&noise).len(), 1);
}
