-- The sandbox's state. Bodies are complete API objects as JSON, packed (packing.py); `hidden` is what Stripe knows
-- and never tells.
CREATE TABLE IF NOT EXISTS dictionaries (number INTEGER PRIMARY KEY, sort TEXT NOT NULL UNIQUE, body BLOB NOT NULL);

CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    created INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL,
    hidden BLOB
);
-- Lists are in the order of `created`, and may be narrowed by it. Seeded objects are older than their row numbers say.
DROP INDEX IF EXISTS objects_by_kind;
CREATE INDEX IF NOT EXISTS objects_by_time ON objects (account, kind, created, seq) WHERE deleted = 0;
-- Which accounts have any of these is asked over all accounts. Written as no other query writes it: SQLite would look
-- at the value of every `kind = ?` to see whether this index fits, and compile the statement anew each time.
CREATE INDEX IF NOT EXISTS rare_objects ON objects (kind || '', account)
    WHERE kind || '' = 'webhook_endpoint' OR kind || '' = 'test_helpers.test_clock';

-- One row per field that lists can be narrowed by.
CREATE TABLE IF NOT EXISTS links (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (name, value, seq)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS idempotency (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    created INTEGER NOT NULL,
    status INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (account, key)
) WITHOUT ROWID;

-- state: pending (to be tried at `due`), delivered, failed (no try left)
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL,
    last_status INTEGER,
    last_error TEXT,
    last_tried REAL
);
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
CREATE INDEX IF NOT EXISTS deliveries_pending ON deliveries (endpoint, due, seq) WHERE state = 'pending';

-- What happens by itself later: a charge settles, a session expires.
CREATE TABLE IF NOT EXISTS timers (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    due REAL NOT NULL,
    name TEXT NOT NULL,
    subject TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS timers_by_due ON timers (due);

-- The same for what lives in the time of a test clock: nothing happens before the clock is advanced.
CREATE TABLE IF NOT EXISTS clock_timers (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    clock TEXT NOT NULL,
    due REAL NOT NULL,
    name TEXT NOT NULL,
    subject TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS clock_timers_by_due ON clock_timers (clock, due, seq);
