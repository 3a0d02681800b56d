//! Serial port settings and opening.

use std::io;

use serialport::SerialPort;
use tokio_serial::{DataBits, SerialPortBuilderExt, SerialStream, StopBits};

/// Bits per second that a serial port may be set to.
const BAUD_RATES: [u32; 10] = [1200, 2400, 4800, 9600, 14_400, 19_200, 38_400, 57_600, 115_200, 230_400];

/// Settings of a serial port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serial {
    /// Device path, best a stable by-id name.
    pub path: String,
    /// Bits per second.
    pub baud: u32,
    /// Parity.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
}

/// Parity of a serial character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parity {
    /// No parity bit.
    None,
    /// Even parity.
    Even,
    /// Odd parity.
    Odd,
}

/// What is wrong with the path of a port; `None` if nothing is.
pub(crate) fn path_problem(path: &str) -> Option<String> {
    let is_absolute = path.starts_with('/');
    (!is_absolute).then(|| format!("{path:?} is not an absolute path such as \"/dev/ttyUSB0\""))
}

/// What is wrong with bits per second; `None` if nothing is.
pub(crate) fn baud_problem(baud: u32) -> Option<String> {
    let is_one = BAUD_RATES.contains(&baud);
    (!is_one).then(|| format!("{baud} is not a baud rate; use one of {BAUD_RATES:?}"))
}

// === impl Serial ===

impl Serial {
    /// Opens the port for exclusive use and discards what was received before.
    pub fn open(&self) -> io::Result<SerialStream> {
        let parity = match self.parity {
            Parity::None => tokio_serial::Parity::None,
            Parity::Even => tokio_serial::Parity::Even,
            Parity::Odd => tokio_serial::Parity::Odd,
        };
        let stop_bits = if self.stop_bits == 2 { StopBits::Two } else { StopBits::One };
        let stream = tokio_serial::new(&self.path, self.baud)
            .data_bits(DataBits::Eight)
            .parity(parity)
            .stop_bits(stop_bits)
            .open_native_async()?;
        // Bytes received before opening belong to no request.
        let _ = stream.clear(serialport::ClearBuffer::All);
        Ok(stream)
    }
}
