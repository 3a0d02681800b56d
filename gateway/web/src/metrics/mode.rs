//! Metrics of the mode switch. Label values are rooms, roles, stages and causes, which the configuration and
//! the plans bound.

use std::time::Duration;

use linli_services::mode::{Health, RESULTS, RoomMetrics, STEPS, Tally, cause};

use super::{Page, flag, get, seconds};

/// Selects a counter of a room.
type Pick = fn(&Tally) -> u64;

/// A series: label values, then the value.
type Row<V = f64> = (Vec<String>, V);

/// Adds the metrics of rooms, roles and orders.
pub fn page(page: &Page, health: &Health) -> Result<(), prometheus::Error> {
    let metrics = health.metrics();
    stages(page, &metrics.rooms)?;
    steps(page, &metrics.rooms)?;
    let roles = metrics.outstanding.iter();
    let count: Vec<Row> = roles.clone().map(|(role, (count, _))| row([role], number(*count))).collect();
    gauge(
        page,
        "linli_mode_outstanding_steps",
        "Steps that people of a role are asked for.",
        &["role"],
        count,
    )?;
    let oldest: Vec<Row> = roles.map(|(role, (_, oldest))| row([role], oldest.as_secs_f64())).collect();
    let help = "For how long the oldest of them has waited.";
    gauge(page, "linli_mode_outstanding_oldest_seconds", help, &["role"], oldest)?;
    let orders = RESULTS.iter().zip(&health.orders).map(|(word, count)| row([word], get(count)));
    counter(
        page,
        "linli_mode_orders_total",
        "Orders and messages, by what became of them.",
        &["result"],
        orders.collect(),
    )?;
    let plain = |value: f64| vec![(Vec::new(), value)];
    let total = |value: u64| vec![(Vec::new(), value)];
    counter(page, "linli_mode_decisions_total", "Decisions about rooms.", &[], total(get(&health.steps)))?;
    let help = "The slowest decision, from the event until it is durable and carried out.";
    gauge(page, "linli_mode_slowest_decision_seconds", help, &[], plain(seconds(get(&health.slowest_us))))?;
    gauge(page, "linli_mode_record_lines", "Lines of the record.", &[], plain(number(metrics.record)))?;
    let help = "Batches the switch could not look at: too many at once.";
    counter(page, "linli_mode_batches_dropped_total", help, &[], total(get(&health.dropped)))
}

fn stages(page: &Page, rooms: &[RoomMetrics]) -> Result<(), prometheus::Error> {
    let each = |value: fn(&RoomMetrics) -> f64| -> Vec<Row> {
        rooms.iter().map(|room| row([room.room.as_str()], value(room))).collect()
    };
    let stage = rooms.iter().map(|room| row([room.room.as_str(), room.stage.as_str()], 1.0)).collect();
    gauge(page, "linli_mode_stage", "1 for the stage at which a room is.", &["room", "stage"], stage)?;
    let name = "linli_mode_stage_seconds";
    gauge(
        page,
        name,
        "For how long it has been there.",
        &["room"],
        each(|room| room.in_stage.as_secs_f64()),
    )?;
    gauge(
        page,
        "linli_mode_exercise",
        "1 while a room drills.",
        &["room"],
        each(|room| flag(room.is_exercise)),
    )?;
    gauge(
        page,
        "linli_mode_service",
        "1 while a room is in its service state.",
        &["room"],
        each(|room| flag(room.is_in_service)),
    )?;
    let (mut took, mut within) = (Vec::new(), Vec::new());
    for room in rooms {
        for (key, last) in &room.tally.last {
            let (direction, class) = key.split_once(' ').unwrap_or((key, "actual"));
            let labels = [room.room.as_str(), direction, class];
            took.push(row(labels, Duration::from_millis(last.ms).as_secs_f64()));
            within.push(row(labels, Duration::from_millis(last.within_ms).as_secs_f64()));
        }
    }
    let labels = &["room", "direction", "class"];
    let help = "From the order to the end of the last switch; on the way back with disinfection and purging.";
    gauge(page, "linli_mode_last_switch_seconds", help, labels, took)?;
    gauge(page, "linli_mode_ready_within_seconds", "In what time it should have been.", labels, within)
}

fn steps(page: &Page, rooms: &[RoomMetrics]) -> Result<(), prometheus::Error> {
    let of_room = |room: &RoomMetrics| -> Vec<Row> {
        let count = |word: &str| number(room.steps.get(word).copied().unwrap_or_default());
        STEPS.iter().map(|word| row([room.room.as_str(), word], count(word))).collect()
    };
    let help =
        "Steps of the run, by what is known of them: which way they are proven, or what they are instead.";
    gauge(page, "linli_mode_steps", help, &["room", "result"], rooms.iter().flat_map(of_room).collect())?;
    let counters: [(&str, &str, Pick); 4] = [
        ("linli_mode_retries_total", "Tries after the first.", |tally| tally.retries),
        ("linli_mode_guard_refusals_total", "Guards that said no, each a success of safety.", |tally| {
            tally.guard_refusals
        }),
        ("linli_mode_escalations_total", "Times that somebody higher heard of a step.", |tally| {
            tally.escalations
        }),
        ("linli_mode_resumes_total", "Times that a held room went on.", |tally| tally.resumes),
    ];
    for (name, help, pick) in counters {
        let rows = rooms.iter().map(|room| row([room.room.as_str()], pick(&room.tally))).collect();
        counter(page, name, help, &["room"], rows)?;
    }
    let (mut holds, mut held) = (Vec::new(), Vec::new());
    for room in rooms {
        for (why, count) in &room.tally.holds {
            holds.push(row([room.room.as_str(), cause(*why)], *count));
        }
        for (why, span) in &room.tally.held {
            held.push(row([room.room.as_str(), cause(*why)], span.as_secs_f64()));
        }
    }
    counter(
        page,
        "linli_mode_holds_total",
        "Times that a room was held, by cause.",
        &["room", "cause"],
        holds,
    )?;
    let held: Vec<(Vec<&str>, f64)> = held.iter().map(borrowed).collect();
    let held: Vec<(&[&str], f64)> = held.iter().map(|(labels, sum)| (labels.as_slice(), *sum)).collect();
    page.seconds("linli_mode_held_seconds_total", "For how long, by cause.", &["room", "cause"], &held)
}

fn row<const N: usize, V>(labels: [&str; N], value: V) -> Row<V> {
    (labels.iter().map(|label| (*label).to_owned()).collect(), value)
}

fn borrowed<V: Copy>((labels, value): &Row<V>) -> (Vec<&str>, V) {
    (labels.iter().map(String::as_str).collect(), *value)
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
fn number(count: u64) -> f64 {
    count as f64
}

fn counter(
    page: &Page,
    name: &str,
    help: &str,
    labels: &[&str],
    rows: Vec<Row<u64>>,
) -> Result<(), prometheus::Error> {
    let rows: Vec<(Vec<&str>, u64)> = rows.iter().map(borrowed).collect();
    let rows: Vec<(&[&str], u64)> = rows.iter().map(|(labels, value)| (labels.as_slice(), *value)).collect();
    page.counter(name, help, labels, &rows)
}

fn gauge(
    page: &Page,
    name: &str,
    help: &str,
    labels: &[&str],
    rows: Vec<Row>,
) -> Result<(), prometheus::Error> {
    let rows: Vec<(Vec<&str>, f64)> = rows.iter().map(borrowed).collect();
    let rows: Vec<(&[&str], f64)> = rows.iter().map(|(labels, value)| (labels.as_slice(), *value)).collect();
    page.gauge(name, help, labels, &rows)
}
