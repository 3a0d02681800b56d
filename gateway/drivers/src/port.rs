//! Serial port settings and opening.

use std::io;

use serialport::SerialPort;
use tokio_serial::{DataBits, SerialPortBuilderExt, SerialStream, StopBits};

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
