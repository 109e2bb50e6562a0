-- Nothing is lost: how far Stripe's own list of events has been compared with the ledger, and the places where an
-- object's history has a hole.

-- One row an environment and account. Everything Stripe listed with a created time from complete_from up to
-- complete_through (Unix seconds, both included) is in the ledger; before the first sweep the second is one less than
-- the first. A sweep goes in small steps, and each step is published when all of it is stored.
create table payments.sweeps (
    environment text not null check (environment in ('test', 'live')),
    account_id text not null,
    complete_from bigint not null,
    complete_through bigint not null,
    wanted_since bigint,                        -- somebody suspects a hole after this second: the next sweep looks there
    short_due timestamptz not null default now() + interval '1 minute',
    long_due timestamptz not null default now() + interval '1 hour',
    holder uuid,                                -- the run that sweeps now
    leased_until timestamptz,
    swept_at timestamptz,                       -- when a sweep ended well
    error text,                                 -- why the last one did not
    listed bigint not null default 0,           -- events listed, of all sweeps
    missing bigint not null default 0,          -- events that had not come by themselves
    primary key (environment, account_id)
);

-- An update that does not follow from what we knew: an event between the second before_as_of and it is missing.
-- Looked at after a pause, for most are only late.
create table payments.chain_gaps (
    environment text not null,
    object_type text not null,
    object_id text not null,
    event_id text not null,
    as_of bigint not null,
    before_as_of bigint not null,
    noticed_at timestamptz not null default now(),
    look_at timestamptz not null default now() + interval '15 seconds',
    looks integer not null default 0,
    primary key (event_id, environment)
);
create index chain_gaps_due on payments.chain_gaps (look_at);

grant select, insert, update, delete on payments.sweeps, payments.chain_gaps to paygres_service;
grant select on payments.sweeps to project_admin;
revoke all on payments.chain_gaps from project_admin;

-- Its parameters changed; the new form is in functions/04_events.sql.
drop function if exists payments.open_event(text, text, text, text, text, text, bigint, text, bigint, text[]);
