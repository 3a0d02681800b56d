//! What the screens ask. PostgreSQL writes the JSON.

use sqlx::{AssertSqlSafe, PgPool, Row};

/// Unix milliseconds of a time.
macro_rules! ms {
    ($time:literal) => {
        concat!("(extract(epoch FROM ", $time, ") * 1000)::int8")
    };
}

/// Numbers below the highest that have neither arrived nor are named as lost.
const MISSING: &str = "(SELECT coalesce(sum(upper(r) - lower(r)), 0)::int8 FROM \
    unnest(int8multirange(int8range(1, upper(e.seqs))) - e.seqs - e.gone) r)";

async fn text(pool: &PgPool, sql: String) -> Result<String, sqlx::Error> {
    sqlx::query(AssertSqlSafe(sql)).fetch_one(pool).await?.try_get(0)
}

/// Every centre for the map: state, age of its uplink, alarms, kiosks, food, completeness.
pub async fn centres(pool: &PgPool) -> Result<String, sqlx::Error> {
    let state = ms!("g.state_at");
    let heard = ms!("max(e.heard_at)");
    let sql = format!(
        "WITH arrived AS (SELECT e.gateway, {heard} AS heard_at, sum({MISSING})::int8 AS missing, \
           sum((SELECT sum(upper(r) - lower(r)) FROM unnest(e.seqs) r))::int8 AS arrived, \
           sum((SELECT sum(upper(r) - lower(r)) FROM unnest(e.gone - e.seqs) r))::int8 AS lost, \
           count(*) FILTER (WHERE e.heard_at > now() - interval '2 min') AS writing \
           FROM epoch e WHERE NOT isempty(e.seqs) GROUP BY 1), \
         alarms AS (SELECT gateway, count(*) FILTER (WHERE priority = 'high') AS high, \
           count(*) FILTER (WHERE priority = 'medium') AS medium, count(*) FILTER (WHERE priority = 'low') AS low \
           FROM alarm WHERE state NOT IN ('normal', 'shelved', 'suppressed', 'out_of_service') GROUP BY 1), \
         devices AS (SELECT d.gateway, count(*) FILTER (WHERE class = 'kiosk') AS kiosks, \
           count(*) FILTER (WHERE class = 'kiosk' AND online IS FALSE) AS kiosks_offline, \
           count(*) FILTER (WHERE class = 'food_safety') AS food, \
           count(*) FILTER (WHERE class = 'food_safety' AND (online IS FALSE OR EXISTS (SELECT FROM alarm a \
             WHERE a.gateway = d.gateway AND a.device = d.device AND a.state <> 'normal'))) AS food_abnormal \
           FROM device d WHERE removed_at IS NULL AND class IN ('kiosk', 'food_safety') GROUP BY 1), \
         moved AS (SELECT gateway, count(*) FILTER (WHERE class = 'Exercise') AS drill, \
           count(*) FILTER (WHERE class IS DISTINCT FROM 'Exercise') AS actual \
           FROM room WHERE stage <> 'peace' GROUP BY 1), \
         measured AS (SELECT gateway, count(*) AS n FROM event WHERE kind LIKE 'vital/%' \
           AND at >= date_trunc('day', now()) GROUP BY 1) \
         SELECT coalesce(json_agg(t), '[]')::text FROM (SELECT g.centre, g.gateway, g.name, g.phone, g.lat, g.lon, \
           g.online, g.mode, g.version, {state} AS state_at, a.heard_at, coalesce(a.arrived, 0) AS arrived, \
           coalesce(a.missing, 0) AS missing, coalesce(a.lost, 0) AS lost, coalesce(a.writing, 0) > 1 AS doubled, \
           coalesce(l.high, 0) AS high, coalesce(l.medium, 0) AS medium, coalesce(l.low, 0) AS low, \
           coalesce(d.kiosks, 0) AS kiosks, coalesce(d.kiosks_offline, 0) AS kiosks_offline, \
           coalesce(d.food, 0) AS food, coalesce(d.food_abnormal, 0) AS food_abnormal, \
           coalesce(m.drill, 0) AS drill, coalesce(m.actual, 0) AS actual, coalesce(v.n, 0) AS vitals_today, \
           coalesce(n.highest, 0) AS highest, coalesce(n.gaps, '[]') AS gaps \
           FROM gateway g LEFT JOIN arrived a ON a.gateway = g.id LEFT JOIN alarms l ON l.gateway = g.id \
           LEFT JOIN devices d ON d.gateway = g.id LEFT JOIN moved m ON m.gateway = g.id \
           LEFT JOIN measured v ON v.gateway = g.id \
           LEFT JOIN LATERAL (SELECT upper(e.seqs) - 1 AS highest, (SELECT json_agg(json_build_array(lower(r), \
             upper(r) - 1)) FROM (SELECT r FROM unnest(int8multirange(int8range(1, upper(e.seqs))) - e.seqs) r \
             ORDER BY upper(r) - lower(r) DESC LIMIT 24) y) AS gaps FROM epoch e WHERE e.gateway = g.id \
             AND NOT isempty(e.seqs) ORDER BY e.heard_at DESC LIMIT 1) n ON true WHERE g.revoked_at IS NULL ORDER BY g.centre, g.gateway) t"
    );
    text(pool, sql).await
}

/// One centre: its gateways with devices and latest values, rooms, alarms, epochs and gaps.
pub async fn centre(pool: &PgPool, centre: &str) -> Result<Option<String>, sqlx::Error> {
    let (at, room_at, alarm_at, device_at) = (ms!("l.at"), ms!("r.at"), ms!("a.at"), ms!("d.state_at"));
    let heard = ms!("e.heard_at");
    let sql = format!(
        "SELECT json_agg(t)::text FROM (SELECT g.centre, g.gateway, g.name, g.phone, g.online, g.mode, g.version, \
          (SELECT coalesce(json_agg(x), '[]') FROM (SELECT d.device, d.name, d.room, g.rooms ->> d.room AS room_name, d.class, d.online, d.reason, \
             {device_at} AS state_at, (SELECT coalesce(json_agg(v), '[]') FROM (SELECT s.point, l.value, l.text, \
               {at} AS at, q.quality, d.points -> s.point ->> 'unit' AS unit FROM series s \
               JOIN latest l ON l.series = s.id LEFT JOIN quality q ON q.id = l.quality \
               WHERE s.device = d.id ORDER BY s.point) v) AS values \
             FROM device d WHERE d.gateway = g.id AND d.removed_at IS NULL AND d.class IS DISTINCT FROM 'vital' \
             ORDER BY d.room, d.device) x) AS devices, \
          (SELECT coalesce(json_agg(x), '[]') FROM (SELECT r.room, g.rooms ->> r.room AS name, r.stage, r.role, r.class, r.text, \
             nullif({room_at}, 0) AS at \
             FROM room r WHERE r.gateway = g.id ORDER BY r.room) x) AS rooms, \
          (SELECT coalesce(json_agg(x), '[]') FROM (SELECT a.alarm, a.state, a.priority, a.device, a.text, \
             {alarm_at} AS at FROM alarm a WHERE a.gateway = g.id AND a.state <> 'normal' ORDER BY a.at DESC) x) \
             AS alarms, \
          (SELECT coalesce(json_agg(x), '[]') FROM (SELECT e.epoch, {heard} AS heard_at, {MISSING} AS missing, \
             upper(e.seqs) - 1 AS highest, (SELECT coalesce(json_agg(json_build_array(lower(r), upper(r) - 1)), '[]') \
             FROM (SELECT r FROM unnest(int8multirange(int8range(1, upper(e.seqs))) - e.seqs - e.gone) r LIMIT 100) y) \
             AS gaps FROM epoch e WHERE e.gateway = g.id AND NOT isempty(e.seqs) ORDER BY e.heard_at DESC) x) \
             AS epochs, \
          (SELECT count(*) FROM event v WHERE v.gateway = g.id AND v.kind LIKE 'vital/%' \
             AND v.at >= date_trunc('day', now())) AS vital_signs_today \
         FROM gateway g WHERE g.centre = $1 AND g.revoked_at IS NULL ORDER BY g.gateway) t"
    );
    sqlx::query(AssertSqlSafe(sql)).bind(centre).fetch_one(pool).await?.try_get(0)
}

/// Every alarm that stands, the newest first.
pub async fn alarms(pool: &PgPool) -> Result<String, sqlx::Error> {
    let at = ms!("a.at");
    let sql = format!(
        "SELECT coalesce(json_agg(t), '[]')::text FROM (SELECT g.centre, g.gateway, g.name, a.alarm, a.state, \
         a.priority, a.device, a.text, {at} AS at FROM alarm a JOIN gateway g ON g.id = a.gateway \
         WHERE a.state <> 'normal' AND g.revoked_at IS NULL \
         ORDER BY a.priority = 'high' DESC, a.priority = 'medium' DESC, a.at DESC LIMIT 2000) t"
    );
    text(pool, sql).await
}

/// What was put aside last, without its payload.
pub async fn aside(pool: &PgPool) -> Result<String, sqlx::Error> {
    let at = ms!("at");
    let sql = format!(
        "SELECT coalesce(json_agg(t), '[]')::text FROM (SELECT id, {at} AS at, topic, reason, detail, bytes \
         FROM poison ORDER BY id DESC LIMIT 500) t"
    );
    text(pool, sql).await
}

/// The values of one point, from the rows of recent days and from the packed ones: `[time, value, text, quality]`; with
/// a step, the mean, least and greatest of each, without values that are bad: `{t, mean, min, max}`.
pub async fn trend(
    pool: &PgPool,
    (centre, gateway, device, point): (&str, &str, &str, &str),
    (from, to, step): (i64, i64, Option<i64>),
) -> Result<Option<String>, sqlx::Error> {
    let series = sqlx::query(
        "SELECT d.id, s.id FROM series s JOIN device d ON d.id = s.device JOIN gateway g ON g.id = d.gateway \
         WHERE g.centre = $1 AND g.gateway = $2 AND d.device = $3 AND s.point = $4 \
         AND d.class IS DISTINCT FROM 'vital'",
    )
    .bind(centre)
    .bind(gateway)
    .bind(device)
    .bind(point)
    .fetch_optional(pool)
    .await?;
    let Some(series) = series else { return Ok(None) };
    let (device, series): (i32, i32) = (series.try_get(0)?, series.try_get(1)?);
    let at = ms!("v.at");
    // A message of many points is a row of its first time: a little more than what was asked is looked at.
    let sql = format!(
        "WITH v AS (SELECT m.at + coalesce(u.dt, 0) * interval '1 ms' AS at, u.value, u.text, u.quality, m.seq \
           FROM shape s JOIN message m ON m.shape = s.id, \
           unnest(s.series, numbers(m.value, m.short), m.dt, m.quality, m.text) AS u (series, value, dt, quality, text) \
           WHERE s.device = $1 AND s.series @> ARRAY[$2] AND u.series = $2 \
           AND m.at BETWEEN to_timestamp($3 / 1000.0) - interval '1 min' AND to_timestamp($4 / 1000.0) + interval '1 min' \
           UNION ALL SELECT p.hour + u.at * interval '1 ms', u.value, u.text, u.quality, u.n FROM packed p, \
           unnest(p.at, p.value, p.quality, p.text) WITH ORDINALITY AS u (at, value, quality, text, n) WHERE p.series = $2 \
           AND p.hour BETWEEN to_timestamp($3 / 1000.0) - interval '1 h' AND to_timestamp($4 / 1000.0)) \
         {shown}",
        shown = match step {
            None => format!(
                "SELECT coalesce(json_agg(json_build_array({at}, v.value, v.text, q.quality) ORDER BY v.at, v.seq), '[]')::text \
                 FROM v LEFT JOIN quality q ON q.id = v.quality \
                 WHERE v.at BETWEEN to_timestamp($3 / 1000.0) AND to_timestamp($4 / 1000.0)"
            ),
            Some(step) => format!(
                "SELECT coalesce(json_agg(json_build_object('t', t, 'mean', mean, 'min', least, 'max', most) ORDER BY t), \
                 '[]')::text FROM (SELECT {at} / {step} * {step} AS t, avg(v.value) AS mean, min(v.value) AS least, \
                 max(v.value) AS most FROM v LEFT JOIN quality q ON q.id = v.quality WHERE v.value IS NOT NULL \
                 AND q.quality NOT LIKE 'bad%' IS NOT FALSE \
                 AND v.at BETWEEN to_timestamp($3 / 1000.0) AND to_timestamp($4 / 1000.0) GROUP BY 1) s"
            ),
        }
    );
    let row =
        sqlx::query(AssertSqlSafe(sql)).bind(device).bind(series).bind(from).bind(to).fetch_one(pool).await?;
    row.try_get(0).map(Some)
}
