//! Every way to ask wrongly, and that the answer is the standard's or silence.

use linli_wire::crc;
use proptest::prelude::*;

use super::*;

/// Sixteen registers and eight bits of every space; writes to 7 are refused in every way.
#[derive(Default)]
struct Plain {
    words: [u16; 16],
    bits: u8,
}

impl Space for Plain {
    fn read_bits(&mut self, _: bool, address: u16, count: u16, bits: &mut [u8]) -> Result<(), Exception> {
        if address + count > 8 {
            return Err(Exception::Address);
        }
        bits[0] = self.bits >> address & ((1_u16 << count) - 1) as u8;
        Ok(())
    }

    fn read_words(&mut self, _: bool, address: u16, words: &mut [u16]) -> Result<(), Exception> {
        let from = usize::from(address);
        words.copy_from_slice(self.words.get(from..from + words.len()).ok_or(Exception::Address)?);
        Ok(())
    }

    fn write_bits(&mut self, address: u16, count: u16, bits: &[u8]) -> Result<(), Exception> {
        if address + count > 8 {
            return Err(Exception::Address);
        }
        for index in 0..count {
            let bit = 1 << (address + index);
            let is_on = bits[usize::from(index / 8)] >> (index % 8) & 1 == 1;
            self.bits = if is_on { self.bits | bit } else { self.bits & !bit };
        }
        Ok(())
    }

    fn write_words(&mut self, address: u16, words: &[u16]) -> Result<(), Exception> {
        if address == 7 {
            return Err([Exception::Value, Exception::Failure, Exception::Busy][usize::from(words[0] % 3)]);
        }
        let from = usize::from(address);
        self.words.get_mut(from..from + words.len()).ok_or(Exception::Address)?.copy_from_slice(words);
        Ok(())
    }
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = body.to_vec();
    frame.extend(crc::modbus(body).to_le_bytes());
    frame
}

/// Asks unit 5; the answer without its checksum, which is verified.
fn ask(space: &mut Plain, body: &[u8]) -> Option<Vec<u8>> {
    let mut answer = Answer::new();
    serve(5, &framed(body), space, &mut answer);
    let (answer, sum) = answer.split_last_chunk::<2>()?;
    assert_eq!(crc::modbus(answer), u16::from_le_bytes(*sum), "of the answer");
    Some(answer.to_vec())
}

#[test]
fn every_function_answers_as_the_standard_says() {
    let mut space = Plain::default();
    assert_eq!(ask(&mut space, &[5, 6, 0, 2, 0x12, 0x34]), Some(vec![5, 6, 0, 2, 0x12, 0x34]));
    assert_eq!(ask(&mut space, &[5, 16, 0, 3, 0, 2, 4, 1, 2, 3, 4]), Some(vec![5, 16, 0, 3, 0, 2]));
    let three = Some(vec![5, 3, 6, 0x12, 0x34, 1, 2, 3, 4]);
    assert_eq!(ask(&mut space, &[5, 3, 0, 2, 0, 3]), three);
    assert_eq!(ask(&mut space, &[5, 4, 0, 2, 0, 1]), Some(vec![5, 4, 2, 0x12, 0x34]));
    assert_eq!(ask(&mut space, &[5, 5, 0, 1, 0xFF, 0]), Some(vec![5, 5, 0, 1, 0xFF, 0]));
    assert_eq!(ask(&mut space, &[5, 15, 0, 2, 0, 3, 1, 0b101]), Some(vec![5, 15, 0, 2, 0, 3]));
    assert_eq!(ask(&mut space, &[5, 1, 0, 0, 0, 8]), Some(vec![5, 1, 1, 0b1_0110]));
    assert_eq!(ask(&mut space, &[5, 2, 0, 1, 0, 2]), Some(vec![5, 2, 1, 0b11]));
}

#[test]
fn what_is_asked_wrongly_gets_its_exception() {
    let cases: [(&[u8], u8); 20] = [
        (&[5, 7], 1),
        (&[5, 43, 14, 1, 0], 1),
        (&[5, 0, 0, 0, 0, 1], 1),
        (&[5, 3, 0, 10, 0, 7], 2),
        (&[5, 3, 0xFF, 0xFF, 0, 2], 2),
        (&[5, 6, 0, 16, 0, 0], 2),
        (&[5, 1, 0, 0, 0, 9], 2),
        (&[5, 3, 0, 0, 0, 0], 3),
        (&[5, 3, 0, 0, 0, 126], 3),
        (&[5, 1, 0, 0, 7, 0xD1], 3),
        (&[5, 5, 0, 0, 0x12, 0x34], 3),
        (&[5, 3, 0, 0, 0, 1, 9], 3),
        (&[5, 3, 0, 0], 3),
        (&[5, 16, 0, 0, 0, 2, 4, 1, 2, 3], 3),
        (&[5, 16, 0, 0, 0, 2, 3, 1, 2, 3], 3),
        (&[5, 16, 0, 0, 0, 0, 0], 3),
        (&[5, 15, 0, 0, 0, 9, 1, 0], 3),
        (&[5, 6, 0, 7, 0, 0], 3),
        (&[5, 6, 0, 7, 0, 1], 4),
        (&[5, 6, 0, 7, 0, 2], 6),
    ];
    for (body, code) in cases {
        let mut space = Plain::default();
        assert_eq!(ask(&mut space, body), Some(vec![5, body[1] | 0x80, code]), "{body:02x?}");
        assert_eq!(space.words, [0; 16], "{body:02x?} changed nothing");
    }
}

#[test]
fn nothing_is_said_to_everyone_to_others_to_damage_or_to_an_echo() {
    let mut space = Plain::default();
    let mut answer = Answer::new();
    let mut heard = |frame: &[u8]| {
        let heard = serve(5, frame, &mut space, &mut answer);
        assert!(answer.is_empty(), "{frame:02x?}");
        heard
    };
    assert_eq!(heard(&framed(&[0, 6, 0, 2, 0, 1])), RequestOutcome::Broadcast);
    assert_eq!(heard(&framed(&[6, 6, 0, 2, 0, 1])), RequestOutcome::OtherUnit);
    assert_eq!(heard(&framed(&[5, 0x83, 2])), RequestOutcome::Fragment);
    assert_eq!(heard(&[5, 6, 0, 2, 0, 1, 0, 0]), RequestOutcome::Damaged);
    assert_eq!(heard(&[5, 99, 0, 2, 0, 1, 0, 0]), RequestOutcome::Damaged, "also for unknown functions");
    assert_eq!(heard(&[]), RequestOutcome::Fragment);
    assert_eq!(heard(&[5, 3, 1]), RequestOutcome::Fragment);
    assert_eq!(space.words, [0; 16], "and nothing was done");
}

proptest! {
    /// Anything at all: no panic, and an answer only to a whole frame of ours.
    #[test]
    fn noise_is_never_answered(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut answer = Answer::new();
        serve(5, &bytes, &mut Plain::default(), &mut answer);
        let is_ours = bytes.len() >= 4 && bytes[0] == 5
            && crc::modbus(&bytes[..bytes.len() - 2]).to_le_bytes() == bytes[bytes.len() - 2..];
        prop_assert!(answer.is_empty() || is_ours);
    }

    /// The same with a checksum that fits: an answer of the function asked for, or its exception.
    #[test]
    fn whatever_is_framed_well_gets_an_answer_that_fits(body in proptest::collection::vec(any::<u8>(), 1..254)) {
        let mut body = body;
        body.insert(0, 5);
        let answer = ask(&mut Plain::default(), &body);
        if body[1] < 0x80 {
            let answer = answer.expect("a frame for this unit is answered");
            prop_assert!(answer[0] == 5 && answer[1] & 0x7F == body[1]);
        } else {
            prop_assert_eq!(answer, None);
        }
    }
}
