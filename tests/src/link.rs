//! A proxy between two programs that can close the connection, watch it, and hold a request or an answer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Largest number of bytes forwarded at once: more than a frame of Modbus TCP, which has 260.
const PIECE: usize = 4096;

/// What is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Nothing: the request is only noticed.
    Nothing,
    /// The request: it does not reach the device.
    Request,
    /// The answer: the device has acted, but its answer does not arrive.
    Answer,
}

/// Recognises a request.
type Sought = fn(&[u8]) -> bool;

/// A TCP connection between two programs, through a proxy.
pub struct Link {
    /// Port that the client connects to.
    pub port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    far: u16,
    is_whole: watch::Sender<bool>,
    is_silent: watch::Sender<bool>,
    trap: Mutex<Option<(Sought, Held)>>,
    caught: watch::Sender<Option<Instant>>,
}

// === impl Link ===

impl Link {
    /// Starts a proxy to a port of this machine.
    pub async fn to(far: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let (is_whole, caught) = (watch::Sender::new(true), watch::Sender::new(None));
        let is_silent = watch::Sender::new(false);
        let shared = Arc::new(Shared { far, is_whole, is_silent, trap: Mutex::new(None), caught });
        let laid = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&laid).carry(near));
            }
        });
        Ok(Self { port, shared, task })
    }

    /// Closes all connections and refuses new ones.
    pub fn cut(&self) {
        self.shared.is_whole.send_replace(false);
    }

    /// Forwards nothing any more and closes nothing, as a cable that was pulled: nobody is told.
    pub fn silence(&self) {
        self.shared.is_silent.send_replace(true);
    }

    /// Accepts connections again, and forwards what was held back.
    pub fn mend(&self) {
        self.shared.is_whole.send_replace(true);
        self.shared.is_silent.send_replace(false);
    }

    /// Holds the next request that matches, or its answer. Nothing is forwarded on that connection any more.
    pub fn hold(&self, sought: Sought, held: Held) {
        self.shared.caught.send_replace(None);
        *self.shared.trap.lock().unwrap_or_else(PoisonError::into_inner) = Some((sought, held));
    }

    /// Waits until a request matched. Returns when.
    pub async fn caught(&self, patience: Duration) -> anyhow::Result<Instant> {
        let mut caught = self.shared.caught.subscribe();
        let found = tokio::time::timeout(patience, caught.wait_for(Option::is_some)).await??;
        found.ok_or_else(|| anyhow::anyhow!("nothing was caught"))
    }

    /// Whether a request matched by now.
    #[must_use]
    pub fn has_caught(&self) -> bool {
        self.shared.caught.borrow().is_some()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.is_whole.send_replace(false);
        self.shared.is_silent.send_replace(false);
        self.task.abort();
    }
}

// === impl Shared ===

impl Shared {
    async fn carry(self: Arc<Self>, near: TcpStream) {
        let mut whole = self.is_whole.subscribe();
        if !*whole.borrow_and_update() {
            return;
        }
        if !self.is_audible().await {
            return;
        }
        let Ok(far) = TcpStream::connect(("127.0.0.1", self.far)).await else { return };
        let (mut from_near, mut to_near) = near.into_split();
        let (mut from_far, mut to_far) = far.into_split();
        let holds = watch::Sender::new(None);
        tokio::select! {
            () = self.there(&mut from_near, &mut to_far, &holds) => {}
            () = self.back(&mut from_far, &mut to_near, &holds) => {}
            _ = whole.wait_for(|is_whole| !is_whole) => {}
        }
    }

    /// Waits while the link is silent; whether it is there at all.
    async fn is_audible(&self) -> bool {
        self.is_silent.subscribe().wait_for(|is_silent| !is_silent).await.is_ok()
    }

    async fn there(
        &self,
        from: &mut OwnedReadHalf,
        to: &mut OwnedWriteHalf,
        holds: &watch::Sender<Option<Held>>,
    ) {
        let mut piece = vec![0; PIECE];
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            let held = self.spring(&piece[..length]);
            if held.is_some_and(|held| held != Held::Answer) {
                self.caught.send_replace(Some(Instant::now()));
            }
            match held {
                Some(Held::Request) => return std::future::pending().await,
                Some(Held::Answer) => drop(holds.send_replace(held)),
                Some(Held::Nothing) | None => {}
            }
            if !self.is_audible().await || to.write_all(&piece[..length]).await.is_err() {
                return;
            }
        }
    }

    async fn back(
        &self,
        from: &mut OwnedReadHalf,
        to: &mut OwnedWriteHalf,
        holds: &watch::Sender<Option<Held>>,
    ) {
        let mut piece = vec![0; PIECE];
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            if holds.borrow().is_some() {
                self.caught.send_replace(Some(Instant::now()));
                return std::future::pending().await;
            }
            if !self.is_audible().await || to.write_all(&piece[..length]).await.is_err() {
                return;
            }
        }
    }

    /// Returns what to hold if the piece is the request that is waited for, once.
    fn spring(&self, piece: &[u8]) -> Option<Held> {
        let mut trap = self.trap.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, held) = trap.take_if(|(sought, _)| sought(piece))?;
        Some(held)
    }
}
