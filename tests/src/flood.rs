//! A fast Modbus TCP server for tests that need many values; by tokio-modbus, not by us.

use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_modbus::server::Service;
use tokio_modbus::{ExceptionCode, Request, Response};

/// 125 input registers whose first counts the requests.
pub struct Flood {
    /// Where it listens.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

#[derive(Clone, Default)]
struct Registers {
    asked: Arc<AtomicU16>,
}

// === impl Flood ===

impl Flood {
    /// Starts it.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let registers = Registers::default();
            let server = tokio_modbus::server::tcp::Server::new(listener);
            let connected = |stream: tokio::net::TcpStream, _| {
                let registers = registers.clone();
                async move {
                    stream.set_nodelay(true)?;
                    Ok(Some((registers, stream)))
                }
            };
            let _ = server.serve(&connected, |_| {}).await;
        });
        Ok(Self { address, task })
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
        ready(match request {
            Request::ReadInputRegisters(first, count) if first + count <= 125 => {
                let asked = self.asked.fetch_add(1, Ordering::Relaxed);
                let word = |address: u16| if address == 0 { asked } else { asked.wrapping_mul(address) };
                Ok(Response::ReadInputRegisters((first..first + count).map(word).collect()))
            }
            Request::ReadInputRegisters(..) => Err(ExceptionCode::IllegalDataAddress),
            _ => Err(ExceptionCode::IllegalFunction),
        })
    }
}
