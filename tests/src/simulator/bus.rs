//! The devices of a simulated line: cut requests, answer them, carry out the faults, keep what happened.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use linli_drivers::modbus::wire::crc16;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::fault::{Fault, Framing};
use super::registers::{COUNTER, coil, word};
use super::schedule::Schedule;

/// Shortest time a device takes to answer, so that no two exchanges share an instant.
const ANSWERS_AFTER: Duration = Duration::from_millis(3);

/// One request that arrived, and the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// When the request arrived, since the bus began.
    pub asked: Duration,
    /// When the last byte of a whole, true answer was sent; none if there was no such answer.
    pub answered: Option<Duration>,
    /// The unit that was asked.
    pub unit: u8,
    /// Function code.
    pub function: u8,
    /// First address.
    pub start: u16,
    /// Number of registers or bits.
    pub count: u16,
    /// The state of the registers at that time.
    pub version: u16,
    /// Whether the counter register held 0.
    pub is_counter_zero: bool,
}

/// A line of devices, over all its connections.
#[derive(Debug)]
pub struct Bus {
    schedule: Schedule,
    units: Vec<u8>,
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    exchanges: Vec<Exchange>,
    /// An answer that is withheld until the next one.
    withheld: Vec<u8>,
    /// The answer before the last.
    earlier: Vec<u8>,
    silent_until: Option<Duration>,
}

/// A request as it was cut from the stream.
struct Request {
    transaction: u16,
    unit: u8,
    body: Vec<u8>,
    frame: Vec<u8>,
}

/// What to do after an answer.
enum After {
    GoOn,
    Close,
    Reset,
    /// While nothing is asked for so long, these bytes are sent.
    Idle(Duration, Vec<u8>),
}

// === impl Bus ===

impl Bus {
    /// A bus with these units.
    #[must_use]
    pub fn new(schedule: Schedule, units: &[u8]) -> Arc<Self> {
        let state = Mutex::default();
        Arc::new(Self { schedule, units: units.to_vec(), began: Instant::now(), state })
    }

    /// Looks at everything that was asked so far.
    pub fn exchanges<T>(&self, look: impl FnOnce(&[Exchange]) -> T) -> T {
        look(&self.state().exchanges)
    }

    /// Time since the bus began.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Serves one connection until it ends. With `socket`, the same connection once more, its end can be a reset.
    pub async fn serve<S>(self: Arc<Self>, stream: S, socket: Option<TcpStream>)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (from, mut to) = tokio::io::split(stream);
        let (arrived, mut requests) = mpsc::channel(64);
        let reading = tokio::spawn(Arc::clone(&self).listen(from, arrived));
        let mut pending: Option<(Duration, Vec<u8>)> = None;
        loop {
            let next = match &pending {
                Some((pause, _)) => timeout(*pause, requests.recv()).await,
                None => Ok(requests.recv().await),
            };
            let met = match (next, pending.take()) {
                (Ok(Some((at, request))), _) => self.meet(at, &request, &mut to).await,
                (Err(_), Some((_, bytes))) => to.write_all(&bytes).await.map(|()| After::GoOn),
                _ => break,
            };
            match met {
                Ok(After::GoOn) => {}
                Ok(After::Idle(pause, bytes)) => pending = Some((pause, bytes)),
                Ok(After::Reset) => {
                    if let Some(socket) = &socket {
                        let _ = socket.set_zero_linger();
                    }
                    break;
                }
                Ok(After::Close) | Err(_) => break,
            }
        }
        // The connection ends when both of its halves are gone.
        reading.abort();
        let _ = reading.await;
    }

    /// Cuts requests and keeps when they arrived, also while another one is answered.
    async fn listen(
        self: Arc<Self>,
        mut from: impl AsyncRead + Unpin,
        arrived: mpsc::Sender<(Duration, Request)>,
    ) {
        let mut buffer = Vec::new();
        while let Ok(1..) = from.read_buf(&mut buffer).await {
            while let Some(request) = cut(self.schedule.framing, &mut buffer) {
                if arrived.send((self.now(), request)).await.is_err() {
                    return;
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request.
    async fn meet(
        &self,
        at: Duration,
        request: &Request,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> std::io::Result<After> {
        let (number, is_silent) = self.note(at, request);
        let fault = self.schedule.at(number);
        let framing = self.schedule.framing;
        if let Some(Fault::Echo | Fault::EchoOnly) = fault {
            to.write_all(&request.frame).await?;
        }
        let mut after = After::GoOn;
        match fault {
            Some(Fault::Drop | Fault::EchoOnly) => return Ok(After::GoOn),
            Some(Fault::CloseBefore) => return Ok(After::Close),
            Some(Fault::Reset) => return Ok(After::Reset),
            Some(Fault::SlowStart(time)) => self.state().silent_until = Some(self.now() + time),
            Some(Fault::CounterReset) => self.state().exchanges[number as usize].is_counter_zero = true,
            Some(Fault::CloseAfter) => after = After::Close,
            _ => {}
        }
        if is_silent || matches!(fault, Some(Fault::SlowStart(_))) || !self.units.contains(&request.unit) {
            return Ok(After::GoOn);
        }
        sleep(ANSWERS_AFTER).await;
        let exchange = self.state().exchanges[number as usize].clone();
        let (unit, body) = match fault {
            Some(Fault::Exception(code)) => (request.unit, vec![request.body[0] | 0x80, code]),
            Some(Fault::WrongUnit(unit)) if unit != request.unit => (unit, answer(&exchange, &request.body)),
            _ => (request.unit, answer(&exchange, &request.body)),
        };
        let mut frame = framed(framing, request.transaction, unit, &body);
        let mut is_true = unit == request.unit && !matches!(fault, Some(Fault::Exception(_)));
        match fault {
            Some(Fault::Delay(time)) => sleep(time).await,
            Some(Fault::WrongLength(by)) if by != 0 => {
                is_true = false;
                frame = wrong_length(framing, request, &body, by);
            }
            Some(Fault::Flip(at)) if framing != Framing::Tcp => {
                is_true = false;
                let at = at % (8 * frame.len());
                frame[at / 8] ^= 1 << (at % 8);
            }
            Some(Fault::Noise(count)) if framing != Framing::Tcp => {
                let noise: Vec<u8> = (0..count).map(|i| i.wrapping_mul(count) ^ 0x55).collect();
                to.write_all(&noise).await?;
            }
            Some(Fault::Merge) => {
                self.state().withheld = frame;
                return Ok(After::GoOn);
            }
            _ => {}
        }
        if matches!(fault, Some(Fault::CloseWithin)) {
            to.write_all(&frame[..frame.len() / 2]).await?;
            return Ok(After::Close);
        }
        self.send(number, self.parts(fault, &frame), is_true, to).await?;
        let earlier = std::mem::replace(&mut self.state().earlier, frame);
        Ok(match fault {
            Some(Fault::Stale(pause)) => After::Idle(pause, earlier),
            Some(Fault::StaleHalf(pause)) => After::Idle(pause, earlier[..earlier.len() / 2].to_vec()),
            _ => after,
        })
    }

    /// Sends the parts of an answer; one that is true counts as given with its last part.
    async fn send(
        &self,
        number: u32,
        parts: Vec<(Duration, Vec<u8>)>,
        is_true: bool,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> std::io::Result<()> {
        let last = parts.len() - 1;
        for (index, (pause, bytes)) in parts.into_iter().enumerate() {
            sleep(pause).await;
            if index == last && is_true {
                self.state().exchanges[number as usize].answered = Some(self.now());
            }
            to.write_all(&bytes).await?;
        }
        Ok(())
    }

    /// Keeps a request. Returns its number, and whether nobody answers at present.
    fn note(&self, asked: Duration, request: &Request) -> (u32, bool) {
        let now = self.now();
        let mut state = self.state();
        let number = state.exchanges.len();
        let pair = |at: usize| request.body.get(at..at + 2).map_or(0, |b| u16::from_be_bytes([b[0], b[1]]));
        state.exchanges.push(Exchange {
            asked,
            answered: None,
            unit: request.unit,
            function: request.body[0],
            start: pair(1),
            count: pair(3),
            version: u16::try_from(number + 1).unwrap_or(u16::MAX),
            is_counter_zero: false,
        });
        let is_silent = state.silent_until.is_some_and(|until| now < until);
        (u32::try_from(number).unwrap_or(u32::MAX), is_silent)
    }

    /// The pieces in which a frame is sent, each after a pause.
    fn parts(&self, fault: Option<Fault>, frame: &[u8]) -> Vec<(Duration, Vec<u8>)> {
        let mut whole = std::mem::take(&mut self.state().withheld);
        whole.extend(frame);
        match fault {
            Some(Fault::Split(at, pause)) => {
                let (head, tail) = whole.split_at(at.min(whole.len() - 1));
                vec![(Duration::ZERO, head.to_vec()), (pause, tail.to_vec())]
            }
            Some(Fault::Duplicate) => vec![(Duration::ZERO, [whole.as_slice(), frame].concat())],
            _ => vec![(Duration::ZERO, whole)],
        }
    }
}

// === impl Exchange ===

impl Exchange {
    /// Whether the answer holds the register or coil at `address`.
    #[must_use]
    pub fn covers(&self, unit: u8, function: u8, address: u16) -> bool {
        let end = u32::from(self.start) + u32::from(self.count);
        let is_within = self.start <= address && u32::from(address) < end;
        (self.unit, self.function) == (unit, function) && is_within
    }
}

/// The normal answer to a request.
fn answer(exchange: &Exchange, request: &[u8]) -> Vec<u8> {
    let (unit, version, count) = (exchange.unit, exchange.version, exchange.count);
    let addresses = (0..count).map(|i| exchange.start.wrapping_add(i));
    let mut body = vec![exchange.function];
    match exchange.function {
        1 | 2 => {
            let bits: Vec<bool> = addresses.map(|address| coil(unit, address, version)).collect();
            body.push(u8::try_from(bits.len().div_ceil(8)).unwrap_or(u8::MAX));
            let byte = |chunk: &[bool]| chunk.iter().rev().fold(0_u8, |byte, bit| byte << 1 | u8::from(*bit));
            body.extend(bits.chunks(8).map(byte));
        }
        3 | 4 => {
            body.push(u8::try_from(2 * count).unwrap_or(u8::MAX));
            for address in addresses {
                let is_zero = exchange.is_counter_zero && address == COUNTER + 1;
                let held = if is_zero { 0 } else { word(unit, address, version) };
                body.extend(held.to_be_bytes());
            }
        }
        _ => return request[..5.min(request.len())].to_vec(),
    }
    body
}

fn framed(framing: Framing, transaction: u16, unit: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    if framing == Framing::Tcp {
        frame.extend(transaction.to_be_bytes());
        frame.extend([0, 0]);
        frame.extend(u16::try_from(body.len() + 1).unwrap_or(u16::MAX).to_be_bytes());
    }
    frame.push(unit);
    frame.extend(body);
    if framing != Framing::Tcp {
        frame.extend(crc16(&frame).to_le_bytes());
    }
    frame
}

/// The answer with a wrong length: the field of the header, or the byte count.
fn wrong_length(framing: Framing, request: &Request, body: &[u8], by: i8) -> Vec<u8> {
    if framing == Framing::Tcp {
        let mut frame = framed(framing, request.transaction, request.unit, body);
        frame[5] = frame[5].wrapping_add_signed(by);
        return frame;
    }
    let mut body = body.to_vec();
    body[1] = body[1].wrapping_add_signed(by);
    framed(framing, 0, request.unit, &body)
}

/// Cuts the next request; requests are not damaged on the way.
fn cut(framing: Framing, buffer: &mut Vec<u8>) -> Option<Request> {
    let frame: Vec<u8> = match framing {
        Framing::Tcp => {
            let length = usize::from(u16::from_be_bytes([*buffer.get(4)?, *buffer.get(5)?]));
            if buffer.len() < 6 + length {
                return None;
            }
            buffer.drain(..6 + length).collect()
        }
        Framing::Rtu | Framing::RtuOverTcp => {
            let length = match buffer.get(1)? {
                15 | 16 => 9 + usize::from(*buffer.get(6)?),
                _ => 8,
            };
            if buffer.len() < length {
                return None;
            }
            buffer.drain(..length).collect()
        }
    };
    Some(match framing {
        Framing::Tcp => Request {
            transaction: u16::from_be_bytes([frame[0], frame[1]]),
            unit: frame[6],
            body: frame[7..].to_vec(),
            frame,
        },
        _ => Request { transaction: 0, unit: frame[0], body: frame[1..frame.len() - 2].to_vec(), frame },
    })
}
