//! Opens the streams that frames are transferred on.

use std::io;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::modbus::plan::Medium;
use crate::modbus::timer::Timer;

/// A bidirectional byte stream.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens a stream whenever one is needed. Tests provide their own.
pub trait Opener: Send {
    /// Opens it once.
    fn open(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Stream>>>;

    /// Returns the timer for the silence between frames.
    fn timer(&self) -> Timer {
        Timer::Runtime
    }
}

/// Opens a real port or connection.
pub struct Real {
    /// Which one.
    pub medium: Medium,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
}

// === impl Real ===

impl Opener for Real {
    fn timer(&self) -> Timer {
        match self.medium {
            Medium::Rtu(_) => Timer::precise(),
            Medium::Tcp { .. } | Medium::RtuOverTcp { .. } => Timer::Runtime,
        }
    }

    fn open(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            match &self.medium {
                Medium::Tcp { host, port } | Medium::RtuOverTcp { host, port } => {
                    let connecting = TcpStream::connect((host.as_str(), *port));
                    let stream = tokio::time::timeout(self.connect_timeout, connecting)
                        .await
                        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no connection in time"))??;
                    // A request is one small segment: waiting for more only delays it.
                    stream.set_nodelay(true)?;
                    Ok(Box::new(stream) as Box<dyn Stream>)
                }
                Medium::Rtu(serial) => Ok(Box::new(serial.open()?) as Box<dyn Stream>),
            }
        })
    }
}

/// Returns the name of a transport for messages.
pub(super) fn describe(medium: &Medium) -> String {
    match medium {
        Medium::Tcp { host, port } | Medium::RtuOverTcp { host, port } => format!("{host}:{port}"),
        Medium::Rtu(serial) => serial.path.clone(),
    }
}
