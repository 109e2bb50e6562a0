-- Events that could not be finished when they came: what they were taken on under, and in which words they can be read.

-- connected_at of the environment when the event was taken on (Unix seconds): a later change of account must not turn an
-- event that is only retried into one from before the connection.
alter table payments.event_queue add column watermark bigint;

-- The text of an event in a version that is read here, where the ledger has it in one that is not: a sweep lists events in
-- the account's version, and Stripe may deliver the same event in ours afterwards.
create table payments.event_renderings (
    environment text not null,
    event_id text not null,
    payload text not null,
    received_at timestamptz not null default now(),
    primary key (environment, event_id)
);
revoke all on payments.event_renderings from project_admin;
grant select, insert on payments.event_renderings to paygres_service;

-- Somebody asked again while the object was being read: what was read then is not the answer.
alter table payments.refetch_queue add column hinted_at timestamptz;

drop function if exists payments.open_event(
    text, text, text, text, text, text, bigint, text, bigint, text[], text[]);
