-- Format 3: certificates of gateways at the broker, and the codes with which they are asked for; whom people have rung.

-- A code that was given out, until another one is: what was wrong with it can be told.
CREATE TABLE invitation (
  gateway int  PRIMARY KEY REFERENCES gateway,
  hash    text NOT NULL,                  -- SHA-256 of the code
  until   timestamptz NOT NULL,
  used_at timestamptz
);

CREATE TABLE certificate (
  serial     text PRIMARY KEY,            -- its number, in hexadecimal digits
  gateway    int  NOT NULL REFERENCES gateway,
  key        text NOT NULL,               -- SHA-256 of its public key
  chain      text NOT NULL,               -- itself and its authority, PEM
  made_at    timestamptz NOT NULL DEFAULT now(),
  until      timestamptz NOT NULL,
  revoked_at timestamptz
);
CREATE INDEX certificate_gateway ON certificate (gateway, key);

-- Longest order that it reads, as its status says; null: one of before, which reads 64 KiB.
ALTER TABLE gateway ADD order_bytes int;

ALTER TABLE order_target ADD first_sent_at timestamptz, ADD called_at timestamptz, ADD called_by text;
