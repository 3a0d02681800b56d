//! Contec CMS50D+ and CMS50E pulse oximeters: the live stream, five bytes sixty times a second.
//!
//! Byte 0 alone has its highest bit set. 19 200 baud, odd parity; older units 4800 baud 8N1.

/// Length of a frame.
pub const FRAME: usize = 5;

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
