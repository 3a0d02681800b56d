-- Format 1 of the district's database, PostgreSQL 15 or newer. No extension is needed.
-- One message is one unit of idempotence: (epoch, seq). What has arrived of an epoch is one multirange, which is both the
-- duplicate check and the proof of completeness.

CREATE TABLE gateway (
  id          int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  centre      text NOT NULL,
  gateway     text NOT NULL,
  name        text,                       -- as people call the centre
  phone       text,                       -- whom to ring when it is silent
  lat         float8,
  lon         float8,
  enrolled_at timestamptz NOT NULL DEFAULT now(),
  revoked_at  timestamptz,                -- from then on its messages are put aside
  -- from the retained message `status`
  online      boolean,
  mode        text,
  version     text,
  boot        text,
  epoch       text,
  record_key  text,
  service     jsonb,
  state_at    timestamptz,
  UNIQUE (centre, gateway)
) WITH (fillfactor = 70);

CREATE TABLE epoch (
  id       int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gateway  int  NOT NULL REFERENCES gateway,
  epoch    text NOT NULL UNIQUE,          -- random: it belongs to the gateway that used it first
  seqs     int8multirange NOT NULL DEFAULT '{}',
  gone     int8multirange NOT NULL DEFAULT '{}',   -- named lost for good by event/ledger
  first_at timestamptz NOT NULL DEFAULT now(),
  heard_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
CREATE INDEX epoch_gateway ON epoch (gateway);

CREATE TABLE device (
  id       int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gateway  int  NOT NULL REFERENCES gateway,
  device   text NOT NULL,
  name     text, room text, class text, profile text, points jsonb,
  online   boolean, reason text, state_at timestamptz,
  removed_at timestamptz,
  UNIQUE (gateway, device)
);

CREATE TABLE series (
  id     int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  device int  NOT NULL REFERENCES device,
  point  text NOT NULL,
  UNIQUE (device, point)
);

-- The points of a message in their order: messages of a device repeat few of these.
CREATE TABLE shape (
  id     int   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  device int   NOT NULL REFERENCES device,
  series int[] NOT NULL,
  UNIQUE (device, series)
);

CREATE TABLE quality (
  id      int2 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  quality text NOT NULL UNIQUE            -- as on the wire: bad:silent. Good is 0 and has no row
);

CREATE TABLE message (
  at      timestamptz NOT NULL,           -- of its first sample
  seq     int8     NOT NULL,
  epoch   int      NOT NULL,
  shape   int      NOT NULL,
  value   float8[] NOT NULL,
  dt      int[],                          -- milliseconds after `at`; null: all at once
  quality int2[],                         -- null: all good
  text    text[]                          -- texts, and integers that a float8 cannot hold; null: none
) PARTITION BY RANGE (at);
CREATE TABLE message_default PARTITION OF message DEFAULT;   -- a wrong clock loses nothing
CREATE INDEX message_default_shape_at ON message_default (shape, at);

-- Made of whole days when they leave the recent ones: one row a series and hour.
CREATE TABLE packed (
  hour    timestamptz NOT NULL,
  series  int      NOT NULL,
  at      int[]    COMPRESSION lz4 NOT NULL,      -- milliseconds after `hour`
  value   float8[] COMPRESSION lz4 NOT NULL,
  quality int2[]   COMPRESSION lz4,
  text    text[]   COMPRESSION lz4,
  PRIMARY KEY (series, hour)
) WITH (toast_tuple_target = 128);

CREATE TABLE latest (
  at      timestamptz NOT NULL,
  value   float8,
  series  int  PRIMARY KEY,
  quality int2 NOT NULL,
  text    text
) WITH (fillfactor = 50);

-- Alarms, modes, answers, vital signs, the ledger: what is no sample. Vital signs are pseudonymous, and no screen and no
-- interface of the district shows their bodies.
CREATE TABLE event (
  at      timestamptz NOT NULL,
  seq     int8  NOT NULL,
  epoch   int   NOT NULL,
  gateway int   NOT NULL,
  kind    text  NOT NULL,                 -- the topic below the base: event/alarm, vital/monitor-1
  body    jsonb NOT NULL
) PARTITION BY RANGE (at);
CREATE TABLE event_default PARTITION OF event DEFAULT;
CREATE INDEX event_default_gateway_at ON event_default (gateway, at);

CREATE TABLE alarm (
  gateway  int  NOT NULL REFERENCES gateway,
  alarm    text NOT NULL,
  state    text NOT NULL,
  priority text, device text, text text,
  at       timestamptz NOT NULL,
  PRIMARY KEY (gateway, alarm)
) WITH (fillfactor = 70);

CREATE TABLE room (
  gateway int  NOT NULL REFERENCES gateway,
  room    text NOT NULL,
  stage   text, role text, class text, text text, "order" text,
  at      timestamptz NOT NULL,
  PRIMARY KEY (gateway, room)
) WITH (fillfactor = 70);

-- Messages that cannot be stored as what they say they are, with the reason.
CREATE TABLE poison (
  id      int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      timestamptz NOT NULL DEFAULT now(),
  topic   text  NOT NULL,
  reason  text  NOT NULL,                 -- a word that programs know
  detail  text  NOT NULL,                 -- a sentence for people
  bytes   int   NOT NULL,
  payload bytea NOT NULL                  -- its first 64 KiB
);
CREATE INDEX poison_at ON poison (at);

-- Mass orders: the bytes that command has signed elsewhere, and what became of them at each gateway.
CREATE TABLE mass_order (
  id       text PRIMARY KEY,              -- of the order, as centres name it in event/order
  number   int8  NOT NULL, kind text NOT NULL, class text NOT NULL,
  bytes    bytea NOT NULL,
  expires  timestamptz NOT NULL,
  made_at  timestamptz NOT NULL DEFAULT now(), made_by text NOT NULL,
  released_at timestamptz, released_by text,
  stopped_at  timestamptz, stopped_by text
);
CREATE TABLE order_target (
  id          text NOT NULL REFERENCES mass_order,
  gateway     int  NOT NULL REFERENCES gateway,
  ramp        int  NOT NULL,              -- 1: the first centre, 2: the first tenth, 3: all others
  sent        int  NOT NULL DEFAULT 0,    -- times handed to the broker
  sent_at     timestamptz,
  due         timestamptz,                -- next time to send; null: nothing to do
  result      text,                       -- accepted, refused, quarantined, repeated, …
  reason      text,
  answered_at timestamptz,
  PRIMARY KEY (id, gateway)
) WITH (fillfactor = 60);
CREATE INDEX order_target_due ON order_target (due) WHERE due IS NOT NULL;

-- Partitions are made ahead by any copy of the service. What a wrong clock has put into the default partition before
-- moves into the day's own.
CREATE FUNCTION make_partition(parent text, keys text, d date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE name text := parent || '_' || to_char(d, 'YYYYMMDD');
BEGIN
  IF to_regclass(name) IS NOT NULL THEN RETURN; END IF;
  EXECUTE format('CREATE TABLE %I (LIKE %I)', name, parent);
  EXECUTE format('WITH moved AS (DELETE FROM %I WHERE at >= %L AND at < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
                 parent || '_default', d, d + 1, name);
  EXECUTE format('CREATE INDEX ON %I (%s)', name, keys);
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, name, d, d + 1);
END $$;
CREATE FUNCTION make_partitions(first date, last date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE d date;
BEGIN
  FOR d IN SELECT generate_series(first, last, interval '1 day')::date LOOP
    PERFORM make_partition('message', 'shape, at', d);
    PERFORM make_partition('event', 'gateway, at', d);
  END LOOP;
END $$;

-- Turns the rows of a table of messages into hourly arrays.
CREATE FUNCTION pack(source regclass) RETURNS bigint LANGUAGE plpgsql AS $$
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
                 unnest(s.series, m.value, m.dt, m.quality, m.text) AS u (series, value, dt, quality, text)) v) w
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
