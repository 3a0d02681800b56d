//! The options that select a serial port or a TCP server, shared by all verbs that work without a gateway.

use std::time::Duration;

use linli_drivers::modbus::maintenance::{self, MaintenanceHandle};
use linli_drivers::modbus::plan::{Medium, Parity, Serial, Timing, Tolerance};

/// Timing of a line that a verb opens.
pub const TIMING: Timing = Timing {
    connect_timeout: Duration::from_secs(5),
    connect_delay: Duration::ZERO,
    frame_gap: Duration::ZERO,
    probe_share_percent: 5,
    tolerance: Tolerance { echo: false, other_unit: false, close_after_answer: false },
};

/// A serial port, or a TCP server.
#[derive(Debug, Clone, clap::Args)]
pub struct Port {
    /// Serial port
    #[arg(long, conflicts_with = "tcp")]
    pub port: Option<String>,
    /// Modbus TCP server, host:port
    #[arg(long)]
    pub tcp: Option<String>,
    /// Frames are RTU frames (with --tcp: a serial device server)
    #[arg(long, requires = "tcp")]
    pub rtu: bool,
    /// Bits per second
    #[arg(long, default_value_t = 9600, value_parser = clap::value_parser!(u32).range(300..=4_000_000))]
    pub baud: u32,
    /// Parity
    #[arg(long, default_value = "none", value_parser = ["none", "even", "odd"])]
    pub parity: String,
    /// Stop bits
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub stop_bits: u8,
}

// === impl Port ===

impl Port {
    /// Whether an option selects a port or a server.
    #[must_use]
    pub const fn is_given(&self) -> bool {
        self.port.is_some() || self.tcp.is_some()
    }

    /// The transport to open; `None` when no option selects one, or it is not valid.
    #[must_use]
    pub fn medium(&self) -> Option<Medium> {
        if let Some(path) = &self.port {
            return Some(Medium::Rtu(Serial {
                path: path.clone(),
                baud: self.baud,
                parity: parity(&self.parity),
                stop_bits: self.stop_bits,
            }));
        }
        let (host, port) = self.tcp.as_deref()?.rsplit_once(':')?;
        let (host, port) = (host.to_owned(), port.parse().ok()?);
        Some(if self.rtu { Medium::RtuOverTcp { host, port } } else { Medium::Tcp { host, port } })
    }

    /// The message for missing or invalid options.
    #[must_use]
    pub fn wrong(&self) -> String {
        match &self.tcp {
            Some(tcp) => format!("--tcp {tcp:?} is not host:port, such as 192.0.2.20:502"),
            None => "give --port /dev/ttyUSB0, or --tcp host:port".to_owned(),
        }
    }

    /// Opens the line for maintenance.
    pub async fn open_line(&self) -> anyhow::Result<MaintenanceHandle> {
        let medium = self.medium().ok_or_else(|| anyhow::anyhow!(self.wrong()))?;
        maintenance::open(medium, TIMING).await.map_err(|why| {
            anyhow::anyhow!(
                "{why}; if the gateway owns the port, leave --port out and use --line or --device"
            )
        })
    }

    /// The same port with other settings.
    #[must_use]
    pub fn with(&self, baud: u32, parity: &str) -> Self {
        Self { baud, parity: parity.to_owned(), ..self.clone() }
    }
}

fn parity(word: &str) -> Parity {
    match word {
        "even" => Parity::Even,
        "odd" => Parity::Odd,
        _ => Parity::None,
    }
}
