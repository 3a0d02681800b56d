//! Commissioning: reads one device once, or scans a line for units.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::{Quality, Value};
use tokio::time::Instant;

use crate::line::LineHealth;
use crate::modbus::link::{Failure, Link};
use crate::modbus::plan::{DevicePlan, Medium, Span, Table, Timing};
use crate::modbus::transport::{Opener, Real, describe};
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
    /// With bytes that form no frame: two units share the id, or the line settings differ.
    Garbled,
}

/// Tables that a scan reads, in this order, until one answers.
const ASKED: [Table; 4] = [Table::HoldingRegister, Table::InputRegister, Table::DiscreteInput, Table::Coil];

/// Opens a line temporarily.
async fn open(medium: &Medium, timing: &Timing) -> Result<Link, String> {
    let mut opener = Real { medium: medium.clone(), connect_timeout: timing.connect_timeout };
    let stream = opener.open().await.map_err(|e| format!("{} cannot be opened: {e}", describe(medium)))?;
    tokio::time::sleep(timing.connect_delay).await;
    Ok(Link::new(stream, opener.timer(), medium, timing, Arc::new(LineHealth::new(0))))
}

/// Reads every point of a device once.
pub async fn read_once(medium: &Medium, timing: &Timing, device: &DevicePlan) -> Result<Probe, String> {
    let mut link = open(medium, timing).await?;
    let mut probe = Probe {
        identity: None,
        points: vec![(Quality::Bad(linli_domain::Reason::Silent), None); device.layout.points.len()],
        requests: Vec::new(),
    };
    if let Some(span) = device.identity() {
        let answer = ask(&mut link, device, span, &mut probe.requests).await;
        probe.identity = Some(match answer {
            Some(pdu) => device.identity_holds(&pdu::data(span, &pdu)),
            None => Err("its identity register cannot be read".to_owned()),
        });
    }
    for block in &device.blocks {
        let Some(pdu) = ask(&mut link, device, block.span, &mut probe.requests).await else { continue };
        device.decode(block, &pdu::data(block.span, &pdu), |point, quality, value| {
            probe.points[usize::from(point)] = (quality, value);
        });
    }
    Ok(probe)
}

async fn ask(
    link: &mut Link,
    device: &DevicePlan,
    span: Span,
    requests: &mut Vec<(Span, Duration, Option<String>)>,
) -> Option<Vec<u8>> {
    tokio::time::sleep(device.request_gap).await;
    let began = Instant::now();
    let answer = link.exchange(device.unit, &pdu::Request::read(span), device.timeout).await;
    let error = answer.as_ref().err().map(ToString::to_string);
    requests.push((span, began.elapsed(), error));
    answer.ok()
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
                Err(Failure::Garbled) => found = found.or(Some(Answer::Garbled)),
                // A unit that does not answer the first request does not answer the others.
                Err(Failure::Silent) => break,
                Err(Failure::Down(_)) => {
                    link = open(medium, timing).await?;
                    break;
                }
            }
        }
        each(unit, found);
    }
    Ok(())
}
