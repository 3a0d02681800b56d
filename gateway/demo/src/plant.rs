//! The devices of the centre, as Modbus servers with the register maps of real models.

use std::future::Ready;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_modbus::server::Service;
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};

use super::cable;
use super::faults::{Fault, Faults};
use super::world::World;

/// Delay of the slow unit, longer than the time-out of the bus.
const SLOW: Duration = Duration::from_millis(700);

/// A simulated device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    Fridge,
    Freezer,
    HotHolding,
    Meter,
    RoomAir,
    Specimens,
    RoomIo,
    RoomMode(usize),
    Co2,
    Counter,
}

/// Unit ids and devices on the bus of the kitchen.
pub const KITCHEN: [(u8, Model); 4] =
    [(1, Model::Fridge), (2, Model::Freezer), (3, Model::HotHolding), (10, Model::Meter)];

/// The bus of the north site.
pub const NORTH: [(u8, Model); 2] = [(1, Model::RoomAir), (2, Model::Specimens)];

/// The panel of the reading room.
pub const PANEL: [(u8, Model); 6] = [
    (1, Model::RoomIo),
    (2, Model::Co2),
    (3, Model::Counter),
    (4, Model::RoomMode(0)),
    (5, Model::RoomMode(1)),
    (6, Model::RoomMode(2)),
];

/// The Modbus server of one line.
#[derive(Clone)]
struct Units {
    world: Arc<Mutex<World>>,
    units: &'static [(u8, Model)],
    faults: Faults,
}

/// Serves a bus on a pseudo-terminal and returns its path.
pub fn serial(
    world: &Arc<Mutex<World>>,
    units: &'static [(u8, Model)],
    faults: &Faults,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<String> {
    let is_faulty = units.len() == KITCHEN.len();
    let cable = cable::lay(faults, is_faulty, tasks)?;
    let service = Units { world: Arc::clone(world), units, faults: faults.clone() };
    tasks.spawn(async move {
        if let Err(error) = tokio_modbus::server::rtu::Server::new(cable.server).serve_forever(service).await
        {
            tracing::error!(%error, "simulated bus");
        }
    });
    Ok(cable.path)
}

/// Serves a panel over TCP and returns its address.
pub async fn tcp(
    world: &Arc<Mutex<World>>,
    units: &'static [(u8, Model)],
    faults: &Faults,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let service = Units { world: Arc::clone(world), units, faults: faults.clone() };
    tasks.spawn(async move {
        let server = tokio_modbus::server::tcp::Server::new(listener);
        let connected = |stream, _| {
            let service = (!service.faults.is_on(Fault::PanelDown)).then(|| service.clone());
            async move { Ok(service.map(|service| (service, stream))) }
        };
        let served = server.serve(&connected, |error| tracing::debug!(%error, "simulated panel")).await;
        if let Err(error) = served {
            tracing::error!(%error, "simulated panel");
        }
    });
    Ok(address)
}

// === impl Units ===

type Answer = Pin<Box<dyn Future<Output = Result<Option<Response>, ExceptionCode>> + Send>>;

impl Service for Units {
    type Request = SlaveRequest<'static>;
    type Response = Option<Response>;
    type Exception = ExceptionCode;
    type Future = Answer;

    fn call(&self, request: SlaveRequest<'static>) -> Answer {
        let Some((_, model)) = self.units.iter().find(|(unit, _)| *unit == request.slave) else {
            return Box::pin(nobody());
        };
        let silent = match model {
            Model::Meter => self.faults.is_on(Fault::DeadMeter),
            Model::RoomIo | Model::RoomMode(_) | Model::Co2 | Model::Counter => {
                self.faults.is_on(Fault::PanelDown)
            }
            _ => false,
        };
        if silent {
            return Box::pin(nobody());
        }
        let answer = {
            let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
            answer(&mut world, *model, &self.faults, &request.request).map(Some)
        };
        let late = *model == Model::HotHolding && self.faults.is_on(Fault::SlowUnit);
        Box::pin(async move {
            if late {
                tokio::time::sleep(SLOW).await;
            }
            answer
        })
    }
}

/// Answer for a unit that does not exist.
fn nobody() -> Ready<Result<Option<Response>, ExceptionCode>> {
    std::future::ready(Ok(None))
}

fn answer(
    world: &mut World,
    model: Model,
    faults: &Faults,
    request: &Request<'_>,
) -> Result<Response, ExceptionCode> {
    let words = |first: u16, count: u16, image: &[(u16, u16)]| -> Result<Vec<u16>, ExceptionCode> {
        let word = |address: u16| image.iter().find(|(at, _)| *at == address).map(|(_, word)| *word);
        // A gap between two registers reads as zero; an address beyond the last one is refused.
        let last = image.iter().map(|(at, _)| *at).max().ok_or(ExceptionCode::IllegalFunction)?;
        let end = first.checked_add(count).ok_or(ExceptionCode::IllegalDataAddress)?;
        if end > last + 1 {
            return Err(ExceptionCode::IllegalDataAddress);
        }
        Ok((first..end).map(|address| word(address).unwrap_or(0)).collect())
    };
    let bits = |first: u16, count: u16, image: &[bool]| -> Result<Vec<bool>, ExceptionCode> {
        let range = usize::from(first)..usize::from(first) + usize::from(count);
        image.get(range).map(<[bool]>::to_vec).ok_or(ExceptionCode::IllegalDataAddress)
    };
    match *request {
        Request::ReadInputRegisters(first, count) => {
            words(first, count, &inputs(world, model, faults)).map(Response::ReadInputRegisters)
        }
        Request::ReadHoldingRegisters(first, count) => {
            words(first, count, &holdings(world, model)).map(Response::ReadHoldingRegisters)
        }
        Request::ReadCoils(first, count) => bits(first, count, &coils(world, model)).map(Response::ReadCoils),
        Request::ReadDiscreteInputs(first, count) if model == Model::RoomIo => {
            bits(first, count, &[world.people < 30, world.fan]).map(Response::ReadDiscreteInputs)
        }
        Request::ReadDiscreteInputs(first, count) => match model {
            Model::RoomMode(room) => {
                bits(first, count, &world.modes[room].discretes()).map(Response::ReadDiscreteInputs)
            }
            _ => Err(ExceptionCode::IllegalFunction),
        },
        Request::WriteSingleCoil(address, on) => {
            match (model, address) {
                (Model::RoomMode(room), _) if world.modes[room].switch(address, on) => {}
                (Model::RoomIo, 0) => world.fan = on,
                (Model::RoomIo, 1) => world.lamp = on,
                _ => return Err(ExceptionCode::IllegalDataAddress),
            }
            Ok(Response::WriteSingleCoil(address, on))
        }
        Request::WriteSingleRegister(address, word) => {
            match (model, address) {
                (Model::RoomMode(room), _) => match world.modes[room].set(address, word) {
                    Some(true) => {}
                    Some(false) => return Err(ExceptionCode::IllegalDataValue),
                    None => return Err(ExceptionCode::IllegalDataAddress),
                },
                (Model::RoomIo, 0) if word <= 100 => world.fan_speed = word,
                (Model::RoomIo, 0) => return Err(ExceptionCode::IllegalDataValue),
                _ => return Err(ExceptionCode::IllegalDataAddress),
            }
            Ok(Response::WriteSingleRegister(address, word))
        }
        _ => Err(ExceptionCode::IllegalFunction),
    }
}

fn inputs(world: &World, model: Model, faults: &Faults) -> Vec<(u16, u16)> {
    match model {
        Model::Fridge if faults.is_on(Fault::SensorBreak) => vec![(1, 0x8000), (2, 0xFFFF)],
        Model::Fridge => vec![(1, tenths(world.fridge.temperature)), (2, tenths(62.0))],
        Model::Freezer => vec![(1, tenths(world.freezer.temperature)), (2, tenths(55.0))],
        Model::HotHolding => vec![(1, tenths(world.hot.temperature)), (2, tenths(30.0))],
        Model::Meter => {
            let current = world.power / world.voltage / 0.96;
            let apparent = world.voltage * current;
            let reactive = (apparent * apparent - world.power * world.power).max(0.0).sqrt();
            let values = [
                (0x00, world.voltage),
                (0x06, current),
                (0x0C, world.power),
                (0x12, apparent),
                (0x18, reactive),
                (0x1E, 0.96),
                (0x46, 50.0),
                (0x48, world.energy),
                (0x4A, 0.0),
            ];
            values.iter().flat_map(|(at, value)| single(*at, *value)).collect()
        }
        Model::RoomMode(room) => world.modes[room].inputs(world.room_temperature, world.room_humidity),
        _ => Vec::new(),
    }
}

fn holdings(world: &World, model: Model) -> Vec<(u16, u16)> {
    match model {
        Model::RoomAir => vec![(0, tenths(world.room_humidity)), (1, tenths(world.room_temperature))],
        Model::Specimens => vec![(0, 450), (1, 42)],
        Model::RoomIo => vec![(0, world.fan_speed)],
        Model::RoomMode(room) => world.modes[room].holdings(),
        Model::Co2 => vec![(3, 1000), (4, tenths(world.co2 / 10.0))],
        Model::Counter => {
            let [a, b, c, d] = world.visitors.to_be_bytes();
            vec![(0, u16::from_be_bytes([a, b])), (1, u16::from_be_bytes([c, d])), (2, 0), (3, 0)]
        }
        _ => Vec::new(),
    }
}

fn coils(world: &World, model: Model) -> Vec<bool> {
    match model {
        Model::RoomIo => vec![world.fan, world.lamp],
        Model::RoomMode(room) => world.modes[room].coils(),
        Model::Counter => vec![false],
        _ => Vec::new(),
    }
}

/// Tenths in two's complement, as the sensors send them.
#[expect(clippy::cast_possible_truncation, reason = "clamped before")]
fn tenths(value: f64) -> u16 {
    let tenths = (value * 10.0).round().clamp(-32_768.0, 32_767.0);
    (tenths as i16).cast_unsigned()
}

/// An IEEE 754 single in two registers, high word first.
#[expect(clippy::cast_possible_truncation, reason = "a meter sends singles")]
fn single(at: u16, value: f64) -> [(u16, u16); 2] {
    let [a, b, c, d] = (value as f32).to_be_bytes();
    [(at, u16::from_be_bytes([a, b])), (at + 1, u16::from_be_bytes([c, d]))]
}
