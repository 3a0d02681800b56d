//! What linli keeps: outbox, history, journal in one SQLite file.
