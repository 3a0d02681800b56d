"""What a gateway's database holds, as JSON, read by Python's own SQLite; folds the log into the file.

usage: stored.py DATABASE
"""

import json
import sqlite3
import sys

LANES = ("urgent", "telemetry", "kiosk", "actuator", "food_safety")

database = sqlite3.connect(sys.argv[1])
database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def rows(query):
    return [list(row) for row in database.execute(query)]


def column(query):
    return [row[0] for row in rows(query)]


meta = {key: value for key, value in rows("SELECT key, value FROM meta") if not isinstance(value, bytes)}
print(
    json.dumps(
        {
            "meta": meta,
            "outbox": sorted(seq for lane in LANES for seq in column(f"SELECT seq FROM {lane}")),
            "ledger": rows("SELECT id, body FROM ledger"),
            "commands": rows("SELECT id, state FROM command"),
            "documents": rows("SELECT kind, count(*) FROM book GROUP BY kind"),
            "record": column("SELECT body FROM book WHERE kind = 'mode-line' ORDER BY id"),
            "audit": rows("SELECT who, what FROM audit ORDER BY id"),
        }
    )
)
