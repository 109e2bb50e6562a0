-- Functions in developers' Python that run inside an event's transaction: known by name, so that an event is never
-- finished by a process that lacks one.

create table payments.listeners (
    name text primary key,                   -- dotted: app.billing.fulfill
    environment text check (environment in ('test', 'live')),  -- null: both
    event_types text[] not null,
    last_seen_at timestamptz not null default now(),
    created_at timestamptz not null default now()
);
grant select, insert, update, delete on payments.listeners to paygres_service;

-- An event that only a process with all of these listeners can finish; null for any process.
alter table payments.event_queue add column waits_for text[];

-- What is due of one destination, oldest first.
create index outbox_destination on payments.outbox (destination_id, next_attempt_at) where next_attempt_at is not null;
create index outbox_messages on payments.outbox (destination_id, created_at, id);
create index reversal_queue_due on payments.reversal_queue (next_attempt_at);

-- Filters of the operators' list.
create index fulfillments_status on payments.fulfillments (environment, status, created_at);
create index fulfillments_subject on payments.fulfillments (subject_id, subject_type, environment, created_at)
    where subject_id is not null;
create index fulfillments_given_key on payments.fulfillments (key, environment) where key is not null;

-- Its answer has one column more; the new form is in functions/04_events.sql.
drop function if exists payments.open_event(
    text, text, text, text, text, text, bigint, text, bigint, text[], text[]);
