//! The benchmarks by their names.

use futures_util::future::LocalBoxFuture;

use crate::measure::Row;
use crate::{
    claim, commands, district, events, idle, latency, order, region, register, rooms, rtu, rules, screens,
    stop, store, tcp, trend, uplink,
};

type Run = fn() -> LocalBoxFuture<'static, anyhow::Result<Vec<Row>>>;

/// A benchmark: its name, what it is for, how it runs.
pub const BENCHES: [(&str, &str, Run); 20] = [
    ("tcp", "Modbus TCP: 100 000 values/s stored and delivered", || Box::pin(tcp::run())),
    ("idle", "memory and CPU with little to do", || Box::pin(idle::run())),
    ("rtu", "use of a serial line, with and without dead devices", || Box::pin(rtu::run())),
    ("latency", "from the device's answer to the subscriber", || Box::pin(latency::run())),
    ("command", "from MQTT to the wire, and to the answer", || Box::pin(commands::run())),
    ("mode", "the mode switch: from a stop to the wire, decisions for 168 rooms", || {
        Box::pin(async { Ok([stop::run().await?, rooms::run().await?].concat()) })
    }),
    ("events", "from a monitor's message to a screen", || Box::pin(events::run())),
    ("rules", "what 10 000 points under rules cost", || Box::pin(rules::run())),
    ("store", "bytes per value, rows per second, reopening a gigabyte", || Box::pin(store::run())),
    ("uplink", "delivery of a backlog", || Box::pin(uplink::run())),
    ("district", "from a broker's queue into PostgreSQL", || Box::pin(district::run())),
    ("contention", "copies of the district that want the same row", || Box::pin(district::contention())),
    ("cluster", "a district's three brokers and two copies", || Box::pin(district::cluster())),
    ("order", "an actual order to a thousand centres", || Box::pin(order::run())),
    ("region", "twenty thousand centres at a sixtieth of their rate", || Box::pin(region::run())),
    ("trend", "trends of 90 days", || Box::pin(trend::run())),
    ("register", "search among thousands of residents; measurements sealed", || Box::pin(register::run())),
    ("claim", "from a touch to the tile", || Box::pin(claim::run())),
    ("screens", "twenty panels beside 10 000 values/s", || Box::pin(screens::run())),
    ("hour", "a panel left open for an hour", || Box::pin(screens::hour())),
];
