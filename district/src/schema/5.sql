-- Format 5: values of one millisecond are packed in the order of their messages. What was packed before stays as it is.

-- Turns the rows of a table of messages into hourly arrays.
CREATE OR REPLACE FUNCTION pack(source regclass) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  EXECUTE format($q$
    INSERT INTO packed (hour, series, at, value, quality, text)
    SELECT hour, series, array_agg((extract(epoch FROM at - hour) * 1000)::int ORDER BY at, seq),
           array_agg(value ORDER BY at, seq),
           CASE WHEN bool_or(quality IS NOT NULL AND quality <> 0) THEN array_agg(coalesce(quality, 0::int2) ORDER BY at, seq) END,
           CASE WHEN bool_or(text IS NOT NULL) THEN array_agg(text ORDER BY at, seq) END
    FROM (SELECT date_trunc('hour', v.at) AS hour, v.* FROM
           (SELECT u.series, m.seq, m.at + coalesce(u.dt, 0) * interval '1 ms' AS at, u.value, u.quality, u.text
            FROM %s m JOIN shape s ON s.id = m.shape,
                 unnest(s.series, numbers(m.value, m.short), m.dt, m.quality, m.text)
                   AS u (series, value, dt, quality, text)) v) w
    GROUP BY hour, series
    ON CONFLICT (series, hour) DO UPDATE SET
      at = packed.at || excluded.at, value = packed.value || excluded.value,
      quality = CASE WHEN packed.quality IS NULL AND excluded.quality IS NULL THEN NULL ELSE
        coalesce(packed.quality, array_fill(0::int2, ARRAY[cardinality(packed.at)]))
        || coalesce(excluded.quality, array_fill(0::int2, ARRAY[cardinality(excluded.at)])) END,
      text = CASE WHEN packed.text IS NULL AND excluded.text IS NULL THEN NULL ELSE
        coalesce(packed.text, array_fill(NULL::text, ARRAY[cardinality(packed.at)]))
        || coalesce(excluded.text, array_fill(NULL::text, ARRAY[cardinality(excluded.at)])) END
  $q$, source);
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$;
