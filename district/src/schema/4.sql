-- Format 4: the numbers of a message as decimals, which take a third of an array. Rows of format 1 stay as they are: a row
-- has either `value` or `short`. Nothing is written anew, so this takes a moment, whatever the database holds.

ALTER TABLE message ADD short text;       -- 23.4,17,,0.5: one a point, nothing between commas is no number
ALTER TABLE message ALTER value DROP NOT NULL;

-- The numbers of a message, however they are stored.
CREATE FUNCTION numbers(value float8[], short text) RETURNS float8[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN value IS NOT NULL THEN value WHEN short = '' THEN ARRAY[NULL::float8]
              ELSE string_to_array(short, ',', '')::float8[] END
$$;

-- Turns the rows of a table of messages into hourly arrays.
CREATE OR REPLACE FUNCTION pack(source regclass) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  EXECUTE format($q$
    INSERT INTO packed (hour, series, at, value, quality, text)
    SELECT hour, series, array_agg((extract(epoch FROM at - hour) * 1000)::int ORDER BY at),
           array_agg(value ORDER BY at),
           CASE WHEN bool_or(quality IS NOT NULL AND quality <> 0) THEN array_agg(coalesce(quality, 0::int2) ORDER BY at) END,
           CASE WHEN bool_or(text IS NOT NULL) THEN array_agg(text ORDER BY at) END
    FROM (SELECT date_trunc('hour', v.at) AS hour, v.* FROM
           (SELECT u.series, m.at + coalesce(u.dt, 0) * interval '1 ms' AS at, u.value, u.quality, u.text
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
