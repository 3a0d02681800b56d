//! Contec CMS50D+ and CMS50E pulse oximeters: the live stream, five bytes sixty times a second.
//!
//! Byte 0 alone has its highest bit set. 19 200 baud, odd parity; older units 4800 baud 8N1.

/// Length of a frame.
const FRAME: usize = 5;

/// What one frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Oxygen saturation in percent, if there is one.
    pub saturation: Option<u8>,
    /// Pulse rate per minute, if there is one.
    pub pulse: Option<u8>,
    /// Why there is none.
    pub absence: Option<Absence>,
    /// Signal strength, 0 to 8.
    pub signal: u8,
    /// A beat of the pulse.
    pub is_beat: bool,
    /// Height of the pulse wave, 0 to 127.
    pub wave: u8,
}

/// Why the oximeter has no reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// No finger, or searching too long.
    FingerOut,
    /// The probe is broken or unplugged.
    ProbeError,
    /// Still looking for a pulse.
    Searching,
    /// Values that stand for none.
    Sentinel,
}

/// Cuts frames out of a stream, whatever is between them.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    held: Vec<u8>,
    skipped: u64,
}

// === impl Stream ===

impl Stream {
    /// Takes one byte; a frame when it was the last of one.
    pub fn push(&mut self, byte: u8) -> Option<Frame> {
        let is_first = byte & 0x80 != 0;
        if is_first {
            self.skipped += self.held.len() as u64;
            self.held.clear();
        } else if self.held.is_empty() {
            self.skipped += 1;
            return None;
        }
        self.held.push(byte);
        let frame: [u8; FRAME] = self.held.as_slice().try_into().ok()?;
        self.held.clear();
        Some(Frame::decode(frame))
    }

    /// Bytes that belonged to no frame.
    #[must_use]
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }
}

// === impl Frame ===

impl Frame {
    fn decode(bytes: [u8; FRAME]) -> Self {
        let [status, wave, bar, low, saturation] = bytes;
        let (pulse, saturation) = ((bar & 0x40) << 1 | low & 0x7F, saturation & 0x7F);
        let absence = if status & 0x10 != 0 {
            Some(Absence::FingerOut)
        } else if bar & 0x10 != 0 {
            Some(Absence::ProbeError)
        } else if bar & 0x20 != 0 {
            Some(Absence::Searching)
        } else if saturation == 0 || saturation > 100 || pulse == 0 || pulse == 255 {
            Some(Absence::Sentinel)
        } else {
            None
        };
        let valid = absence.is_none();
        Self {
            saturation: valid.then_some(saturation),
            pulse: valid.then_some(pulse),
            absence,
            signal: status & 0x0F,
            is_beat: status & 0x40 != 0,
            wave: wave & 0x7F,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
