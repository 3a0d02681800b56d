//! The Prometheus page: all counters of the gateway at the time of the request.
//!
//! Labels are bounded by the configuration: line, device, lane, reason. Nothing personal, and no
//! value of a measurement, ever becomes a label.

mod mode;

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus::core::Collector;
use prometheus::{CounterVec, GaugeVec, IntCounterVec, Opts, Registry, TextEncoder};

use crate::status::{GatewayStatus, ListenerCounts};
use linli_services::VERSION;

/// One page. It is built for each request: a few hundred series cost less than keeping them up to date.
struct Page {
    registry: Registry,
}

/// Renders the page.
pub fn render(
    status_source: &GatewayStatus,
    oldest_waiting_s: Option<u64>,
) -> Result<String, prometheus::Error> {
    let page = Page { registry: Registry::new() };
    gateway(&page, status_source)?;
    security(&page, status_source)?;
    listeners(&page, &status_source.listeners)?;
    lines(&page, status_source)?;
    store(&page, status_source)?;
    uplink(&page, status_source)?;
    uplink_certificate(&page, status_source)?;
    waiting(&page, oldest_waiting_s)?;
    mode::page(&page, &status_source.mode)?;
    TextEncoder::new().encode_to_string(&page.registry.gather())
}

/// How long the oldest record has been waiting for the broker.
fn waiting(page: &Page, oldest_s: Option<u64>) -> Result<(), prometheus::Error> {
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    let age = oldest_s.unwrap_or_default() as f64;
    page.gauge(
        "linli_uplink_oldest_waiting_seconds",
        "Age of the oldest record that waits for the broker; 0 when none waits.",
        &[],
        &[(&[], age)],
    )
}

// === impl Page ===

impl Page {
    /// Adds a counter. Each row is one series: its label values and the count.
    fn counter(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        rows: &[(&[&str], u64)],
    ) -> Result<(), prometheus::Error> {
        let family = IntCounterVec::new(Opts::new(name, help), labels)?;
        for (values, count) in rows {
            family.with_label_values(values).inc_by(*count);
        }
        self.add(family)
    }

    /// Adds a counter of seconds. Each row is one series.
    fn seconds(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        rows: &[(&[&str], f64)],
    ) -> Result<(), prometheus::Error> {
        let family = CounterVec::new(Opts::new(name, help), labels)?;
        for (values, sum) in rows {
            family.with_label_values(values).inc_by(*sum);
        }
        self.add(family)
    }

    /// Adds a gauge. Each row is one series.
    fn gauge(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        rows: &[(&[&str], f64)],
    ) -> Result<(), prometheus::Error> {
        let family = GaugeVec::new(Opts::new(name, help), labels)?;
        for (values, value) in rows {
            family.with_label_values(values).set(*value);
        }
        self.add(family)
    }

    fn add(&self, family: impl Collector + 'static) -> Result<(), prometheus::Error> {
        self.registry.register(Box::new(family))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn listeners(page: &Page, counts: &ListenerCounts) -> Result<(), prometheus::Error> {
    let both = [("network", &counts.network), ("control", &counts.control)];
    let open = both.map(|(name, counts)| ([name], get(&counts.open) as f64));
    let open: Vec<(&[&str], f64)> = open.iter().map(|(name, open)| (&name[..], *open)).collect();
    page.gauge("linli_http_connections", "Open connections.", &["listener"], &open)?;
    let ends = both.map(|(name, counts)| {
        [
            ([name, "evicted"], get(&counts.evicted)),
            ([name, "refused"], get(&counts.refused)),
            ([name, "accept_failed"], get(&counts.failed)),
            ([name, "handshake_failed"], get(&counts.handshakes)),
        ]
    });
    let ends: Vec<(&[&str], u64)> =
        ends.iter().flatten().map(|(labels, count)| (&labels[..], *count)).collect();
    page.counter(
        "linli_http_connections_turned_away_total",
        "Connections closed while idle in favour of others, refused because all others were at work, not \
         accepted, mostly for want of file descriptors, or without a TLS handshake.",
        &["listener", "why"],
        &ends,
    )
}

/// The certificate with which the uplink connects: no series where it has none.
fn uplink_certificate(page: &Page, status_source: &GatewayStatus) -> Result<(), prometheus::Error> {
    let state = status_source.uplink_certificate.borrow().clone();
    let Some(state) = state else { return Ok(()) };
    #[expect(clippy::cast_precision_loss, reason = "seconds stay far below 2^53")]
    let end = state.until().map(|until| (until.0 / 1000) as f64);
    page.gauge(
        "linli_uplink_certificate_end_seconds",
        "End of the validity of the certificate with which the uplink connects, Unix time; 0 when it cannot be read.",
        &[],
        &[(&[], end.unwrap_or_default())],
    )?;
    page.gauge(
        "linli_uplink_certificate_renewed",
        "1 where the district renews it, 0 where a person has to replace it.",
        &[],
        &[(&[], flag(state.district.is_some()))],
    )?;
    page.counter(
        "linli_uplink_certificate_renewals_total",
        "Attempts to renew it, by result.",
        &["result"],
        &[(&["renewed"], state.renewals), (&["failed"], state.failures)],
    )
}

/// The end of the certificate, and what is not encrypted.
fn security(page: &Page, status_source: &GatewayStatus) -> Result<(), prometheus::Error> {
    #[expect(clippy::cast_precision_loss, reason = "seconds stay far below 2^53")]
    let end = (status_source.tls.borrow().not_after.0 / 1000) as f64;
    page.gauge(
        "linli_tls_certificate_end_seconds",
        "End of the validity of the listeners' certificate, Unix time.",
        &[],
        &[(&[], end)],
    )?;
    let insecure = status_source.insecure.borrow();
    let places: Vec<[&str; 1]> = insecure.iter().map(|one| [one.place.as_str()]).collect();
    let rows: Vec<(&[&str], f64)> = places.iter().map(|place| (&place[..], 1.0)).collect();
    page.gauge(
        "linli_insecure",
        "1 for each listener or connection that leaves the machine without encryption, as its configuration allows.",
        &["place"],
        &rows,
    )
}

fn gateway(page: &Page, status_source: &GatewayStatus) -> Result<(), prometheus::Error> {
    let service = &status_source.service;
    let flow = &status_source.flow;
    page.gauge("linli_info", "Version of the gateway; always 1.", &["version"], &[(&[VERSION], 1.0)])?;
    page.gauge(
        "linli_uptime_seconds",
        "Time since the process began.",
        &[],
        &[(&[], status_source.started.elapsed().as_secs_f64())],
    )?;
    page.gauge(
        "linli_ready",
        "1 while every line was attempted and the store takes what comes.",
        &[],
        &[(&[], flag(status_source.readiness().ready))],
    )?;
    let is_synchronised = status_source.clock.now().clock == linli_domain::ClockQuality::Synchronised;
    page.gauge(
        "linli_clock_synchronised",
        "1 while a time source disciplines the clock; otherwise times are labels with a doubt.",
        &[],
        &[(&[], flag(is_synchronised))],
    )?;
    page.gauge(
        "linli_configuration_fallback",
        "1 while the last good configuration runs because the one on disk is bad.",
        &[],
        &[(&[], flag(status_source.fallback.borrow().is_some()))],
    )?;
    values(page, flow)?;
    raised(page, flow)?;
    cabin(page, &status_source.cabin)?;
    alarms(page, &status_source.alarms)?;
    let notified = &status_source.notified;
    let notifications: &[(&[&str], u64)] = &[
        (&["delivered"], get(&notified.delivered)),
        (&["failed"], get(&notified.failed)),
        (&["given_up"], get(&notified.given_up)),
    ];
    page.counter("linli_notifications_total", "Notifications by result.", &["result"], notifications)?;
    let commands: &[(&[&str], u64)] = &[
        (&["done"], get(&service.done)),
        (&["failed"], get(&service.failed)),
        (&["unknown"], get(&service.unknown)),
        (&["refused"], get(&service.refused)),
        (&["repeated"], get(&service.repeated)),
        (&["unanswered"], get(&service.unanswered)),
    ];
    page.counter("linli_commands_total", "Commands by result.", &["result"], commands)
}

/// What was read, reported and refused.
fn values(page: &Page, flow: &crate::status::Flow) -> Result<(), prometheus::Error> {
    page.counter(
        "linli_values_read_total",
        "Values read from devices, before the report rules.",
        &[],
        &[(&[], get(&flow.values_read))],
    )?;
    page.counter(
        "linli_values_reported_total",
        "Values handed to the store.",
        &[],
        &[(&[], get(&flow.values_reported))],
    )?;
    page.counter(
        "linli_records_refused_total",
        "Records the store did not accept because its queue was full.",
        &[],
        &[(&[], get(&flow.refused))],
    )?;
    page.counter(
        "linli_unaccounted_batches_total",
        "Batches that the services of canteen and kiosks could not process.",
        &[],
        &[(&[], get(&flow.unaccounted))],
    )
}

fn raised(page: &Page, flow: &crate::status::Flow) -> Result<(), prometheus::Error> {
    page.counter(
        "linli_raised_batches_total",
        "Batches that a mode wants to travel with the alarms, by whether they did.",
        &["result"],
        &[(&["urgent"], get(&flow.raised)), (&["held_back"], get(&flow.held_back))],
    )
}

fn cabin(page: &Page, cabin: &linli_cabin::Health) -> Result<(), prometheus::Error> {
    let measurements: &[(&[&str], u64)] = &[
        (&["accepted"], get(&cabin.accepted)),
        (&["repeated"], get(&cabin.repeated)),
        (&["implausible"], get(&cabin.implausible)),
        (&["failed"], get(&cabin.failed)),
    ];
    page.counter(
        "linli_measurements_total",
        "Measurements of vital signs by result.",
        &["result"],
        measurements,
    )?;
    page.counter(
        "linli_measurements_unassigned_total",
        "Measurements that waited for a person to say whose they are.",
        &[],
        &[(&[], get(&cabin.unassigned))],
    )?;
    page.counter(
        "linli_measurements_sealed_total",
        "Stored versions that were in clear, or another's, and were sealed with their resident's key.",
        &[],
        &[(&[], get(&cabin.sealed))],
    )?;
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    let open_visits = get(&cabin.open_visits) as f64;
    page.gauge("linli_visits_open", "Open visits to the health cabin.", &[], &[(&[], open_visits)])
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
fn alarms(page: &Page, alarms: &linli_services::alarms::Health) -> Result<(), prometheus::Error> {
    let standing: Vec<([&str; 1], f64)> = ["low", "medium", "high"]
        .iter()
        .zip(&alarms.standing)
        .map(|(word, count)| ([*word], get(count) as f64))
        .collect();
    let standing: Vec<(&[&str], f64)> =
        standing.iter().map(|(label, count)| (label.as_slice(), *count)).collect();
    page.gauge("linli_alarms_standing", "Alarms that stand, by priority.", &["priority"], &standing)?;
    for (name, help, count) in [
        ("linli_alarms_unacknowledged", "Alarms nobody has acknowledged.", &alarms.unacknowledged),
        ("linli_alarms_silent", "Alarms shelved, suppressed by design, or out of service.", &alarms.silent),
        ("linli_alarms_flood", "1 while there are more alarms than a person can take in.", &alarms.flood),
        ("linli_alarms_chattering", "Alarms announced three times within a minute.", &alarms.chattering),
    ] {
        page.gauge(name, help, &[], &[(&[], get(count) as f64)])?;
    }
    let announced = [(&[] as &[&str], get(&alarms.announced))];
    page.counter("linli_alarms_announced_total", "Announcements of alarms.", &[], &announced)?;
    let dropped = [(&[] as &[&str], get(&alarms.dropped))];
    page.counter("linli_alarm_batches_dropped_total", "Batches alarms could not look at.", &[], &dropped)
}

/// Selects a counter of a line.
type Counter = fn(&linli_drivers::LineHealth) -> &AtomicU64;

fn lines(page: &Page, status_source: &GatewayStatus) -> Result<(), prometheus::Error> {
    let views = status_source.lines.borrow().clone();
    let per_line = |pick: fn(&linli_drivers::LineHealth) -> &AtomicU64| -> Vec<([&str; 1], u64)> {
        views.iter().map(|v| ([v.plan.line().as_str()], get(pick(&v.health)))).collect()
    };
    let counters: [(&str, &str, Counter); 8] = [
        ("linli_line_requests_total", "Requests sent on the line.", |h| &h.requests),
        ("linli_line_overruns_total", "Due times passed over because the line was behind.", |h| &h.overruns),
        ("linli_line_late_replies_total", "Replies nobody was waiting for any more.", |h| &h.late_replies),
        ("linli_line_echoes_total", "Requests that an adapter echoed.", |h| &h.echoes),
        ("linli_line_resync_bytes_total", "Bytes thrown away to find the next frame.", |h| &h.resync_bytes),
        ("linli_line_upkeep_total", "Exchanges of maintenance: updates, logs, self-tests.", |h| {
            &h.maintenance
        }),
        ("linli_line_refreshed_total", "Outputs written again so that they stay.", |h| &h.refreshed),
        ("linli_line_opens_total", "Times the port or connection was opened.", |h| &h.opens),
    ];
    for (name, help, pick) in counters {
        let rows = per_line(pick);
        let rows: Vec<(&[&str], u64)> = rows.iter().map(|(labels, n)| (labels.as_slice(), *n)).collect();
        page.counter(name, help, &["line"], &rows)?;
    }
    let busy = per_line(|h| &h.busy_us);
    let busy: Vec<(&[&str], f64)> = busy.iter().map(|(l, us)| (l.as_slice(), seconds(*us))).collect();
    page.seconds(
        "linli_line_busy_seconds_total",
        "Time spent in exchanges; its rate is the line's use.",
        &["line"],
        &busy,
    )?;
    let maintenance = per_line(|h| &h.maintenance_us);
    let maintenance: Vec<(&[&str], f64)> =
        maintenance.iter().map(|(l, us)| (l.as_slice(), seconds(*us))).collect();
    page.seconds(
        "linli_line_upkeep_seconds_total",
        "Time spent on maintenance; its rate is the share of the line it takes.",
        &["line"],
        &maintenance,
    )?;
    let up = per_line(|h| &h.up);
    let up: Vec<(&[&str], f64)> = up.iter().map(|(l, n)| (l.as_slice(), flag(*n == 1))).collect();
    page.gauge("linli_line_up", "1 while the port or connection is open.", &["line"], &up)?;
    devices(page, &views)
}

fn devices(page: &Page, views: &[crate::status::LineView]) -> Result<(), prometheus::Error> {
    let mut exchanges = Vec::new();
    let (mut online, mut latency) = (Vec::new(), Vec::new());
    for view in views {
        let line = view.plan.line().as_str();
        for (layout, health) in view.plan.layouts().iter().zip(&view.health.devices) {
            let device = layout.device.as_str();
            exchanges.push(([line, device, "ok"], get(&health.ok)));
            exchanges.push(([line, device, "timeout"], get(&health.timeouts)));
            exchanges.push(([line, device, "refused"], get(&health.refusals)));
            exchanges.push(([line, device, "garbled"], get(&health.garbled)));
            online.push(([line, device], flag(get(&health.online) == 1)));
            latency.push(([line, device], seconds(get(&health.latency_us))));
        }
    }
    let labels = &["line", "device"];
    let rows: Vec<(&[&str], u64)> = exchanges.iter().map(|(l, n)| (l.as_slice(), *n)).collect();
    page.counter(
        "linli_device_exchanges_total",
        "Exchanges with the device by result.",
        &["line", "device", "result"],
        &rows,
    )?;
    let rows: Vec<(&[&str], f64)> = online.iter().map(|(l, n)| (l.as_slice(), *n)).collect();
    page.gauge("linli_device_online", "1 while the device answers.", labels, &rows)?;
    let rows: Vec<(&[&str], f64)> = latency.iter().map(|(l, n)| (l.as_slice(), *n)).collect();
    page.gauge("linli_device_latency_seconds", "Duration of the latest successful exchange.", labels, &rows)
}

fn flag(on: bool) -> f64 {
    f64::from(u8::from(on))
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn seconds(us: u64) -> f64 {
    std::time::Duration::from_micros(us).as_secs_f64()
}

fn store(page: &Page, status_source: &GatewayStatus) -> Result<(), prometheus::Error> {
    let status = status_source.store.borrow().clone();
    let tables = linli_store::Status::tables();
    let labels: Vec<[&str; 1]> = tables.iter().map(|table| [*table]).collect();
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    let rows: Vec<(&[&str], f64)> =
        labels.iter().zip(status.rows).map(|(label, rows)| (label.as_slice(), rows as f64)).collect();
    page.gauge("linli_store_waiting_records", "Records waiting for delivery.", &["class"], &rows)?;
    page.gauge(
        "linli_store_writable",
        "1 while the last transaction succeeded.",
        &[],
        &[(&[], flag(status.writable))],
    )?;
    store_failures(page, &status)?;
    store_limits(page, &status)?;
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    let sizes = [("used", status.used_bytes as f64), ("max", status.max_bytes as f64)];
    for (what, bytes) in sizes {
        let name = format!("linli_store_{what}_bytes");
        page.gauge(&name, "Size of the database: pages in use, and the most allowed.", &[], &[(&[], bytes)])?;
    }
    page.gauge(
        "linli_store_commit_seconds",
        "Duration of the latest transaction.",
        &[],
        &[(&[], seconds(status.commit_us))],
    )?;
    for (name, help, count) in [
        ("linli_store_committed_total", "Records committed.", status.committed),
        (
            "linli_store_acknowledged_total",
            "Records deleted after the broker's acknowledgement.",
            status.acknowledged,
        ),
        (
            "linli_store_given_up_total",
            "Records given up by a rule; each is in the loss ledger.",
            status.given_up,
        ),
        ("linli_store_refused_total", "Records refused because the queue was full.", status.refused),
        ("linli_store_transactions_total", "Transactions.", status.commits),
        ("linli_store_body_bytes_total", "Bytes of record bodies written.", status.body_bytes),
        ("linli_store_set_aside_total", "Databases set aside as damaged.", status.set_aside),
    ] {
        page.counter(name, help, &[], &[(&[], count)])?;
    }
    Ok(())
}

/// What the store refuses because it is full, and whether its writer goes on.
fn store_limits(page: &Page, status: &linli_store::Status) -> Result<(), prometheus::Error> {
    let kinds: Vec<linli_store::Kind> =
        linli_store::Kind::ALL.into_iter().filter(|kind| kind.can_be_refused()).collect();
    let labels: Vec<[&str; 1]> = kinds.iter().map(|kind| [kind.as_str()]).collect();
    let full: Vec<(&[&str], f64)> = labels
        .iter()
        .zip(&kinds)
        .map(|(label, kind)| (label.as_slice(), flag(status.full.contains(kind))))
        .collect();
    page.gauge("linli_store_full", "1 while new documents of this kind are refused.", &["kind"], &full)?;
    let refusals: Vec<(&[&str], u64)> = labels
        .iter()
        .zip(&kinds)
        .map(|(label, kind)| (label.as_slice(), status.full_refusals[*kind as usize]))
        .collect();
    page.counter(
        "linli_store_full_refusals_total",
        "Documents refused because their share of the store was used up.",
        &["kind"],
        &refusals,
    )?;
    page.gauge(
        "linli_store_over",
        "1 while the whole store is full and only what is most urgent is taken.",
        &[],
        &[(&[], flag(status.is_over))],
    )?;
    page.gauge(
        "linli_store_hung",
        "1 while the writer of the store makes no progress.",
        &[],
        &[(&[], flag(status.hung_for(tokio::time::Instant::now()).is_some()))],
    )
}

/// Failures of the disk, and undecodable rows.
fn store_failures(page: &Page, status: &linli_store::Status) -> Result<(), prometheus::Error> {
    page.gauge(
        "linli_store_disk_full",
        "1 while the disk is full: new records replace the oldest.",
        &[],
        &[(&[], flag(status.disk_full))],
    )?;
    page.gauge(
        "linli_store_device_failed",
        "1 while the disk reports I/O errors; transactions are tried again.",
        &[],
        &[(&[], flag(status.device_failed))],
    )?;
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    let undecodable = status.undecodable as f64;
    page.gauge(
        "linli_store_undecodable_rows",
        "Rows that cannot be decoded, kept aside.",
        &[],
        &[(&[], undecodable)],
    )?;
    page.counter(
        "linli_store_device_failures_total",
        "Transactions that failed because the disk reported an I/O error.",
        &[],
        &[(&[], status.device_failures)],
    )
}

fn uplink(page: &Page, status_source: &GatewayStatus) -> Result<(), prometheus::Error> {
    let status = status_source.uplink.borrow().clone();
    page.gauge(
        "linli_uplink_configured",
        "1 where [mqtt] names a broker; without one nothing leaves the gateway, by intention.",
        &[],
        &[(&[], flag(*status_source.has_uplink.borrow()))],
    )?;
    page.gauge(
        "linli_uplink_connected",
        "1 while the broker has accepted us.",
        &[],
        &[(&[], flag(status.connected))],
    )?;
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    let gauges = [
        ("linli_uplink_in_flight", "Messages sent and not yet acknowledged.", status.in_flight as f64),
        (
            "linli_uplink_behind",
            "Sequence numbers between the uplink and the head of the data lane.",
            status.behind as f64,
        ),
        (
            "linli_uplink_unconfirmed",
            "Messages that the broker has acknowledged and the district has not named as stored.",
            status.unconfirmed as f64,
        ),
        (
            "linli_uplink_no_subscriber",
            "Messages that the broker took for nobody; they are kept and sent again.",
            status.no_subscriber as f64,
        ),
    ];
    for (name, help, value) in gauges {
        page.gauge(name, help, &[], &[(&[], value)])?;
    }
    let unconfirmed = std::time::Duration::from_millis(status.oldest_unconfirmed_ms).as_secs_f64();
    page.gauge(
        "linli_uplink_oldest_unconfirmed_seconds",
        "Age of the oldest message that the district has not named as stored.",
        &[],
        &[(&[], unconfirmed)],
    )?;
    let oldest = std::time::Duration::from_millis(status.oldest_in_flight_ms).as_secs_f64();
    page.gauge(
        "linli_uplink_oldest_in_flight_seconds",
        "Age of the oldest unacknowledged message.",
        &[],
        &[(&[], oldest)],
    )?;
    for (name, help, count) in [
        ("linli_uplink_connects_total", "Connections the broker accepted.", status.connects),
        ("linli_uplink_sent_total", "Messages sent, repeated ones included.", status.sent),
        ("linli_uplink_acknowledged_total", "Messages acknowledged.", status.acknowledged),
        ("linli_uplink_confirmed_total", "Messages the district has named as stored.", status.confirmed),
        ("linli_uplink_repeated_total", "Messages sent again because nobody stored them.", status.repeated),
        ("linli_uplink_bytes_total", "Payload bytes sent.", status.bytes),
        ("linli_uplink_dead_letters_total", "Messages the broker will never take.", status.dead_letters),
        ("linli_uplink_commands_total", "Commands received.", status.commands),
        (
            "linli_uplink_commands_dropped_total",
            "Commands dropped because too many were waiting.",
            status.commands_dropped,
        ),
    ] {
        page.counter(name, help, &[], &[(&[], count)])?;
    }
    Ok(())
}
