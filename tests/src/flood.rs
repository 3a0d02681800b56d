//! A fast Modbus TCP server by tokio-modbus, for tests that need many values.

use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_modbus::server::Service;
use tokio_modbus::{ExceptionCode, Request, Response};

/// 125 input registers whose first counts the requests, a counter that stands still, and a relay.
pub struct Flood {
    /// The address it listens on.
    pub address: SocketAddr,
    registers: Registers,
    task: JoinHandle<()>,
}

#[derive(Clone, Default)]
struct Registers(Arc<Shared>);

#[derive(Default)]
struct Shared {
    asked: AtomicU64,
    relay: AtomicBool,
    written: Mutex<Option<Instant>>,
}

// === impl Flood ===

impl Flood {
    /// Starts the server on a free port.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_on(0).await
    }

    /// Starts the server on this port.
    pub async fn start_on(port: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let registers = Registers::default();
        let served = registers.clone();
        let task = tokio::spawn(async move {
            let server = tokio_modbus::server::tcp::Server::new(listener);
            let connected = |stream: tokio::net::TcpStream, _| {
                let registers = served.clone();
                async move {
                    stream.set_nodelay(true)?;
                    Ok(Some((registers, stream)))
                }
            };
            let _ = server.serve(&connected, |_| {}).await;
        });
        Ok(Self { address, registers, task })
    }

    /// The number of input register blocks read so far.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.registers.0.asked.load(Ordering::Relaxed)
    }

    /// The time of the last write to the relay.
    #[must_use]
    pub fn written(&self) -> Option<Instant> {
        *self.registers.0.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl Registers ===

impl Service for Registers {
    type Request = Request<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Response, ExceptionCode>>;

    fn call(&self, request: Request<'static>) -> Self::Future {
        let shared = &self.0;
        ready(match request {
            Request::ReadInputRegisters(first, count) if first + count <= 125 => {
                #[expect(clippy::cast_possible_truncation, reason = "a register holds 16 bits of the count")]
                let asked = shared.asked.fetch_add(1, Ordering::Relaxed) as u16;
                let word = |address: u16| if address == 0 { asked } else { asked.wrapping_mul(address) };
                Ok(Response::ReadInputRegisters((first..first + count).map(word).collect()))
            }
            Request::ReadHoldingRegisters(first, count) if first + count <= 4 => {
                Ok(Response::ReadHoldingRegisters(vec![0; usize::from(count)]))
            }
            Request::ReadCoils(0, 1) => Ok(Response::ReadCoils(vec![shared.relay.load(Ordering::Relaxed)])),
            Request::WriteSingleCoil(0, is_on) => {
                *shared.written.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                shared.relay.store(is_on, Ordering::Relaxed);
                Ok(Response::WriteSingleCoil(0, is_on))
            }
            Request::ReadInputRegisters(..) => Err(ExceptionCode::IllegalDataAddress),
            _ => Err(ExceptionCode::IllegalFunction),
        })
    }
}
