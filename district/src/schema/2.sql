-- Format 2: accounts, sessions, the record of who did what, and orders that two persons approve.

CREATE TABLE account (
  id    text   PRIMARY KEY,               -- as it is typed
  name  text   NOT NULL,                  -- as people call the person
  roles text[] NOT NULL,
  login text   NOT NULL                   -- JSON: hashes of its secrets, and whether it is disabled
);

CREATE TABLE session (
  hash    text PRIMARY KEY,               -- SHA-256 of its token
  account text NOT NULL REFERENCES account,
  since   timestamptz NOT NULL DEFAULT now(),
  until   timestamptz NOT NULL,
  used    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX session_account ON session (account);

-- Wrong log-ins, for an account or an address: each delays the next.
CREATE TABLE log_in_error (
  subject text PRIMARY KEY,
  count   int  NOT NULL,
  last    timestamptz NOT NULL
);

-- Who did what: each line contains the hash of the one before. `chain` is the state that the next line goes on from.
CREATE TABLE record (
  n       int8 PRIMARY KEY,
  subject text,                           -- the order that the line is about
  line    text NOT NULL
);
CREATE INDEX record_subject ON record (subject) WHERE subject IS NOT NULL;
CREATE TABLE record_chain (
  one   bool PRIMARY KEY DEFAULT true CHECK (one),
  chain text NOT NULL
);

ALTER TABLE mass_order
  ADD stage         int NOT NULL DEFAULT 0,   -- released so far
  ADD seen          text,                     -- hash of order, gateways and preview, to which approvals are bound
  ADD seen_at       timestamptz,
  ADD first_by      text, ADD first_session text, ADD first_at timestamptz, ADD first_seen text,
  ADD second_by     text, ADD second_at timestamptz;
ALTER TABLE order_target ADD hindrances text[] NOT NULL DEFAULT '{}';

UPDATE mass_order o SET first_by = made_by, first_at = made_at, second_by = released_by, second_at = released_at,
  stage = coalesce((SELECT max(ramp) FROM order_target t WHERE t.id = o.id AND (sent > 0 OR due IS NOT NULL)), 0)
  WHERE released_by IS NOT NULL;
