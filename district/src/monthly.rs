//! The month of a centre: what arrived each day, alarms, orders, gaps. Residents appear as a number only. A day of which
//! nothing arrived is not a quiet one: its counts are unknown. Of packed days the number of messages is.

use sqlx::{AssertSqlSafe, PgPool, Row};

/// Counts of each day. Days are those of the database's time zone, as the partitions are.
const DAYS: &str = "\
    days AS (SELECT d::date AS day FROM month m, generate_series(m.first, m.first + interval '1 month - 1 day', '1 day') d), \
    messages AS (SELECT d.gateway, w.at::date AS day, count(*) AS messages, sum(cardinality(s.series))::int8 AS samples \
      FROM month, device d JOIN shape s ON s.device = d.id JOIN message w ON w.shape = s.id \
      WHERE d.gateway IN (SELECT id FROM gw) AND w.at >= month.first AND w.at < month.next GROUP BY 1, 2), \
    packs AS (SELECT d.gateway, p.hour::date AS day, sum(cardinality(p.at))::int8 AS samples \
      FROM month, device d JOIN series s ON s.device = d.id JOIN packed p ON p.series = s.id \
      WHERE d.gateway IN (SELECT id FROM gw) AND p.hour >= month.first AND p.hour < month.next GROUP BY 1, 2), \
    raised AS (SELECT e.gateway, e.at::date AS day, e.kind, e.body ->> 'priority' AS priority, \
        e.kind = 'event/alarm' AND e.body ->> 'to' = 'unacknowledged' \
          AND e.body ->> 'from' IS DISTINCT FROM 'unacknowledged' AND e.body -> 'test' IS DISTINCT FROM 'true'::jsonb AS is_raised, \
        e.kind = 'event/mode' AND e.body ->> 'kind' = 'room' AS is_mode, \
        coalesce(d.class = 'food_safety', false) AS is_food \
      FROM month, event e LEFT JOIN device d ON d.gateway = e.gateway AND d.device = e.body ->> 'device' \
      WHERE e.gateway IN (SELECT id FROM gw) AND e.at >= month.first AND e.at < month.next), \
    events AS (SELECT gateway, day, count(*) AS events, \
      count(*) FILTER (WHERE is_raised AND priority = 'high') AS alarms_high, \
      count(*) FILTER (WHERE is_raised AND priority = 'medium') AS alarms_medium, \
      count(*) FILTER (WHERE is_raised AND priority = 'low') AS alarms_low, \
      count(*) FILTER (WHERE is_raised AND is_food) AS food_alarms, count(*) FILTER (WHERE is_mode) AS mode_changes, \
      count(*) FILTER (WHERE kind = 'event/order') AS orders, count(*) FILTER (WHERE kind LIKE 'vital/%') AS vital_signs \
      FROM raised GROUP BY 1, 2)";

/// Counts of events of a day.
const COUNTS: [&str; 8] = [
    "events",
    "alarms_high",
    "alarms_medium",
    "alarms_low",
    "food_alarms",
    "mode_changes",
    "orders",
    "vital_signs",
];

/// The report as JSON; `None` for a centre that is not enrolled. `month` is `YYYY-MM`.
pub async fn report(pool: &PgPool, centre: &str, month: &str) -> Result<Option<String>, sqlx::Error> {
    // A day of which nothing is known has no counts: none is not zero.
    let counts = COUNTS
        .map(|count| format!("'{count}', CASE WHEN h.is_heard THEN coalesce(e.{count}, 0) END"))
        .join(", ");
    let sql = format!(
        "WITH month AS (SELECT to_date($2, 'YYYY-MM')::timestamptz AS first, \
           (to_date($2, 'YYYY-MM') + interval '1 month')::timestamptz AS next), \
         gw AS (SELECT id, gateway, name, online FROM gateway WHERE centre = $1), {DAYS} \
         SELECT (SELECT count(*) FROM gw), json_build_object('centre', $1::text, 'month', $2::text, \
           'zone', current_setting('TimeZone'), 'made_at', (extract(epoch FROM now()) * 1000)::int8, \
           'gateways', (SELECT coalesce(json_agg(json_build_object('gateway', g.gateway, 'name', g.name, \
             'online_now', coalesce(g.online, false), \
             'arrived', (SELECT coalesce(sum((SELECT sum(upper(r) - lower(r)) FROM unnest(e.seqs) r)), 0)::int8 \
                FROM epoch e WHERE e.gateway = g.id), \
             'missing', (SELECT coalesce(sum((SELECT sum(upper(r) - lower(r)) FROM \
                unnest(int8multirange(int8range(1, upper(e.seqs))) - e.seqs - e.gone) r)), 0)::int8 \
                FROM epoch e WHERE e.gateway = g.id AND NOT isempty(e.seqs)), \
             'lost', (SELECT coalesce(sum((SELECT sum(upper(r) - lower(r)) FROM unnest(e.gone - e.seqs) r)), 0)::int8 \
                FROM epoch e WHERE e.gateway = g.id), \
             'orders', (SELECT coalesce(json_agg(json_build_object('id', o.id, 'class', o.class, 'result', t.result, \
                'answered_at', (extract(epoch FROM t.answered_at) * 1000)::int8) ORDER BY o.made_at), '[]') \
                FROM order_target t JOIN mass_order o ON o.id = t.id, month \
                WHERE t.gateway = g.id AND t.sent > 0 AND o.made_at >= month.first AND o.made_at < month.next), \
             'days', (SELECT json_agg(json_build_object('day', d.day, \
                'state', CASE WHEN d.day > current_date THEN 'future' WHEN h.is_heard THEN 'data' ELSE 'none' END, \
                'messages', CASE WHEN h.is_heard AND (m.messages IS NOT NULL OR p.samples IS NULL) \
                  THEN coalesce(m.messages, 0) END, \
                'samples', CASE WHEN h.is_heard THEN coalesce(m.samples, 0) + coalesce(p.samples, 0) END, \
                {counts}) ORDER BY d.day) FROM days d \
                LEFT JOIN messages m ON m.gateway = g.id AND m.day = d.day \
                LEFT JOIN packs p ON p.gateway = g.id AND p.day = d.day \
                LEFT JOIN events e ON e.gateway = g.id AND e.day = d.day \
                CROSS JOIN LATERAL (SELECT m.day IS NOT NULL OR p.day IS NOT NULL OR e.day IS NOT NULL AS is_heard) h)) ORDER BY g.gateway), '[]') FROM gw g))::text"
    );
    let row = sqlx::query(AssertSqlSafe(sql)).bind(centre).bind(month).fetch_one(pool).await?;
    Ok((row.try_get::<i64, _>(0)? > 0).then_some(row.try_get(1)?))
}

/// Whether a text is a month, `YYYY-MM`.
#[must_use]
pub fn is_month(text: &str) -> bool {
    let parts = text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2);
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u16>().ok())?;
    parts.is_some_and(|(year, month)| {
        number(year).is_some_and(|year| (2000..3000).contains(&year))
            && number(month).is_some_and(|month| (1..=12).contains(&month))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_months_are_months() {
        assert!(is_month("2026-11") && is_month("2026-01"));
        for wrong in
            ["", "2026", "2026-13", "2026-00", "26-11", "2026-1", "2026-11-01", "2026-+1", "1999-01", "年-月"]
        {
            assert!(!is_month(wrong), "{wrong}");
        }
    }
}
