//! Durations as written in files.

use linli_drivers::duration::{format, parse};

#[test]
fn written_and_read_are_the_same() {
    for text in ["500ms", "5s", "90s", "10m", "2h", "7d", "0ms"] {
        let read = parse(text).unwrap();
        assert_eq!(parse(&format(read)), Ok(read), "{text}");
    }
    for text in ["", "5", "s", "5 s", "5sec", "-5s", "1.5s", "99999999999999999999s", "999999999d"] {
        assert!(parse(text).unwrap_err().contains(&format!("{text:?}")), "{text}");
    }
}
