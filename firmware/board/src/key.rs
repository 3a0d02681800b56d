//! The public key whose signature is believed, built in. `cargo xtask firmware build` gives it.

/// The key.
pub const TRUSTED: [u8; 32] =
    read(env!("LINLI_FIRMWARE_KEY", "which key do the nodes trust? build by `cargo xtask firmware build`"));

const fn read(text: &str) -> [u8; 32] {
    let (digits, mut key, mut at) = (text.as_bytes(), [0; 32], 0);
    assert!(digits.len() == 64, "the key has 64 hexadecimal digits");
    while at < 32 {
        key[at] = digit(digits[2 * at]) << 4 | digit(digits[2 * at + 1]);
        at += 1;
    }
    key
}

const fn digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => panic!("the key is written in hexadecimal digits, small letters"),
    }
}
