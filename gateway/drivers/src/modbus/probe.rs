//! Commissioning: reads one device once, or scans a line for units.

use std::ops::RangeInclusive;
use std::time::Duration;

use linli_domain::{Quality, Reason, Value};
use tokio::time::Instant;

use crate::modbus::link::Failure;
use crate::modbus::plan::{Block, DevicePlan, Medium, Span, Table, Timing};
use crate::modbus::planner;
use crate::modbus::session::Session;
use crate::modbus::wire::pdu;

/// The result of reading a device once.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Whether the model matches; `None` where the profile has no identity check.
    pub identity: Option<Result<(), String>>,
    /// One entry per point, in the order of the layout.
    pub points: Vec<(Quality, Option<Value>)>,
    /// One entry per request: its span, its duration, and its error if it failed.
    pub requests: Vec<(Span, Duration, Option<String>)>,
}

/// What a unit answered during a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// With a value.
    Value,
    /// With an exception: the unit exists, but has nothing at that address.
    Exception(u8),
    /// With the id of another unit.
    OtherUnit(u8),
    /// With bytes that form no frame: two units share the id, or the line settings differ.
    Garbled,
}

/// Tables that a scan reads, in this order, until one answers.
const ASKED: [Table; 4] = [Table::HoldingRegister, Table::InputRegister, Table::DiscreteInput, Table::Coil];

/// Opens a line temporarily.
async fn open(medium: &Medium, timing: &Timing) -> Result<Session, String> {
    let mut session = Session::real(medium, timing);
    session.open().await.map_err(|e| format!("{} cannot be opened: {e}", session.place()))?;
    Ok(session)
}

/// Reads every point of a device once.
pub async fn read_once(medium: &Medium, timing: &Timing, device: &DevicePlan) -> Result<Probe, String> {
    let mut link = open(medium, timing).await?;
    let mut probe = Probe {
        identity: None,
        points: vec![(Quality::Bad(Reason::Silent), None); device.layout.points.len()],
        requests: Vec::new(),
    };
    if let Some(span) = device.identity() {
        let answer = ask(&mut link, device, span, &mut probe.requests).await;
        probe.identity = Some(match answer {
            Ok(pdu) => device.identity_holds(&pdu::data(span, &pdu)),
            Err(_) => Err("its identity register cannot be read".to_owned()),
        });
    }
    let mut blocks: Vec<Block> = device.blocks.iter().rev().cloned().collect();
    while let Some(block) = blocks.pop() {
        match ask(&mut link, device, block.span, &mut probe.requests).await {
            Ok(pdu) => device.decode(&block, &pdu::data(block.span, &pdu), |point, quality, value| {
                probe.points[usize::from(point)] = (quality, value);
            }),
            // One of its addresses may not exist: the halves say which.
            Err(Failure::Refused(2 | 3)) if block.points.len() > 1 => {
                let (head, tail) = block.points.split_at(block.points.len() / 2);
                blocks.extend([tail, head].map(|points| planner::block(&device.profile, points)));
            }
            Err(failure) => {
                let reason = match failure {
                    Failure::Refused(_) => Reason::Refused,
                    Failure::Garbled => Reason::Garbled,
                    Failure::Down(_) => Reason::LineDown,
                    Failure::Silent | Failure::NotReached(_) => Reason::Silent,
                };
                let quality = Quality::Bad(reason);
                block.points.iter().for_each(|point| probe.points[usize::from(*point)] = (quality, None));
            }
        }
    }
    Ok(probe)
}

async fn ask(
    link: &mut Session,
    device: &DevicePlan,
    span: Span,
    requests: &mut Vec<(Span, Duration, Option<String>)>,
) -> Result<Vec<u8>, Failure> {
    tokio::time::sleep(device.request_gap).await;
    let began = Instant::now();
    let answer = link.exchange(device.unit, &pdu::Request::read(span), device.timeout).await;
    let advice = |failure: &Failure| match link.other_unit() {
        Some(unit) => format!("unit {unit} answers instead of unit {}", device.unit),
        None => failure.to_string(),
    };
    requests.push((span, began.elapsed(), answer.as_ref().err().map(advice)));
    answer.map(|answer| answer.pdu)
}

/// Scans every unit in `units` and calls `each` with the unit and its answer, if any.
pub async fn scan(
    medium: &Medium,
    timing: &Timing,
    units: RangeInclusive<u8>,
    patience: Duration,
    mut each: impl FnMut(u8, Option<Answer>),
) -> Result<(), String> {
    let mut link = open(medium, timing).await?;
    for unit in units {
        let mut found = None;
        for table in ASKED {
            let request = pdu::Request::read(Span { table, start: 0, count: 1 });
            match link.exchange(unit, &request, patience).await {
                Ok(_) => {
                    found = Some(Answer::Value);
                    break;
                }
                Err(Failure::Refused(code)) => found = found.or(Some(Answer::Exception(code))),
                Err(Failure::Garbled) => {
                    let seen = link.other_unit().map_or(Answer::Garbled, Answer::OtherUnit);
                    found = found.or(Some(seen));
                }
                // A unit that does not answer the first request does not answer the others.
                Err(Failure::Silent | Failure::NotReached(_)) => break,
                Err(Failure::Down(_)) => {
                    link.open().await.map_err(|e| format!("{} cannot be opened: {e}", link.place()))?;
                    break;
                }
            }
        }
        each(unit, found);
    }
    Ok(())
}
