//! The real media of a simulated line: a pair of pseudo-terminals, and sockets on loopback.
//!
//! The gateway's end is watched: when its bytes left and when others arrived says between which moments an answer was
//! under way, as far as the gateway can know.

use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use linli_drivers::modbus::plan::Medium;
use linli_drivers::modbus::{Opener, Real, Stream, Timer};
use serialport::{SerialPort, TTYPort};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_serial::SerialStream;
use tokio_util::task::AbortOnDropHandle;

use super::bus::Bus;
use super::fault::Framing;

/// The far end of a real medium; the bus serves it until this is dropped.
pub(super) struct FarEnd {
    /// The settings that name the medium on a line.
    pub settings: String,
    _serving: AbortOnDropHandle<()>,
    /// Keeps a pseudo-terminal open while the gateway has closed it.
    _terminal: Option<TTYPort>,
}

/// When bytes left through the gateway's end, since the bus began.
pub(super) type Departures = Arc<Mutex<Vec<Duration>>>;

/// Opens the gateway's end and keeps when bytes left.
pub(super) struct Watched {
    real: Real,
    bus: Arc<Bus>,
    departures: Departures,
}

/// A stream that keeps when bytes left.
struct WatchedStream {
    inner: Box<dyn Stream>,
    bus: Arc<Bus>,
    departures: Departures,
}

// === impl FarEnd ===

impl FarEnd {
    /// Makes the medium and begins to serve it.
    pub async fn of(framing: Framing, bus: Arc<Bus>) -> io::Result<Self> {
        if framing == Framing::Rtu {
            let (far, near) = TTYPort::pair()?;
            let settings = format!("port = \"{}\"\nbaud = 115200", near.name().unwrap_or_default());
            let far = SerialStream::try_from(far)?;
            let serving = tokio::spawn(bus.serve(far, None));
            return Ok(Self { settings, _serving: AbortOnDropHandle::new(serving), _terminal: Some(near) });
        }
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let settings = format!("endpoint = \"{}\"", listener.local_addr()?);
        let serving = tokio::spawn(accept(listener, bus));
        Ok(Self { settings, _serving: AbortOnDropHandle::new(serving), _terminal: None })
    }
}

/// Serves each connection until its end; a later one may come while an earlier one still lives.
async fn accept(listener: TcpListener, bus: Arc<Bus>) {
    let mut serving = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        // The same socket once more, to make its end a reset.
        let twin = stream.as_fd().try_clone_to_owned().map(std::net::TcpStream::from);
        let twin = twin.and_then(TcpStream::from_std).ok();
        serving.spawn(Arc::clone(&bus).serve(stream, twin));
    }
}

// === impl Watched ===

impl Watched {
    /// Watches the gateway's end of that medium.
    pub fn new(medium: Medium, bus: Arc<Bus>, departures: Departures) -> Self {
        Self { real: Real { medium, connect_timeout: Duration::from_secs(5) }, bus, departures }
    }
}

impl Opener for Watched {
    fn open(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        async {
            let inner = self.real.open().await?;
            let (bus, departures) = (Arc::clone(&self.bus), Arc::clone(&self.departures));
            Ok(Box::new(WatchedStream { inner, bus, departures }) as Box<dyn Stream>)
        }
        .boxed()
    }

    fn timer(&self) -> Timer {
        self.real.timer()
    }
}

// === impl WatchedStream ===

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let now = self.bus.now();
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        if let Poll::Ready(Ok(1..)) = written {
            self.departures.lock().unwrap_or_else(PoisonError::into_inner).push(now);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
