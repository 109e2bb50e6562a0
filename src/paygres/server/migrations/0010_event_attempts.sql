-- What an operator may ask of the ledger: how an event came to be what it is, and that it be run once more.

-- Attempts that did not go right at first, and what ended them. Append-only. An event that went right at its first
-- attempt has no row here: that is the road of nearly every event, and it writes as little as it can.
create table payments.event_attempts (
    seq bigint generated always as identity primary key,
    environment text not null,
    event_id text not null,
    attempt integer not null,
    at timestamptz not null default clock_timestamp(),
    outcome text not null,          -- processed, ignored, failed, dead, parked, pending (kept for the worker)
    error text,
    duration_ms integer             -- from the transaction's begin; null for what was only kept
);
create index event_attempts_event on payments.event_attempts (event_id, environment);

-- An operator asked for this event: it fulfills even when it is older than the connection (the watermark).
alter table payments.event_queue add column replayed boolean not null default false;

-- Newest first, by type. It begins with the type, which no statement of the event road filters by: none can be
-- tempted to read it. API reads have no type and stand at its end.
create index stripe_snapshots_type on payments.stripe_snapshots (event_type, environment, received_at);

revoke all on payments.event_attempts from project_admin;
grant select, insert on payments.event_attempts to paygres_service;
