-- Comparisons of the mirror with Stripe: what each found, row by row, and what it has seen on the way.

create table payments.reconciliations (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    account_id text not null,
    status text not null default 'running' check (status in ('running', 'succeeded', 'failed', 'interrupted')),
    fix boolean not null,                       -- false: a dry run
    confirm boolean not null,                   -- an operator said: whatever Stripe does not have is to be asked about
    objects text[] not null,                    -- products, prices, customers, …
    since bigint,                               -- only objects made at this Unix second or later; null: all
    counts jsonb not null default '{}',         -- objects listed, by noun
    classes jsonb not null default '{}',        -- {class: {rows, fixed, money: {currency: minor units}}}
    money jsonb not null default '{}',          -- at stake by missing, stale and extra rows, each payment once
    unconfirmed jsonb not null default '{}',    -- rows that were not listed, by noun: too many to ask about unasked
    error text,
    requested_by text not null,
    alive_until timestamptz not null default now() + interval '30 seconds', -- who is later than this has died
    started_at timestamptz not null default now(),
    finished_at timestamptz
);
create unique index reconciliations_running on payments.reconciliations (environment) where status = 'running';
create index reconciliations_started on payments.reconciliations (environment, started_at desc);

create table payments.reconciliation_findings (
    reconciliation_id uuid not null references payments.reconciliations (id) on delete cascade,
    nth bigint generated always as identity,
    class text not null check (class in ('missing', 'stale', 'extra', 'unmapped', 'foreign')),
    table_name text not null,                   -- customers, transactions, stripe_objects, …; '' for a foreign object
    key text not null,                          -- of the row in that table
    object_type text not null,                  -- Stripe's
    object_id text not null,
    columns jsonb not null default '{}',        -- of a stale row: {column: {"ours", "stripe"}}
    payment_key text,                           -- which payment, or which live subscription; counted once in money
    amount bigint,                              -- minor units
    currency text,
    fixed boolean not null default false,
    primary key (reconciliation_id, nth)
);
create unique index reconciliation_findings_row
    on payments.reconciliation_findings (reconciliation_id, class, table_name, key);

-- Working memory of the one that runs: what Stripe listed; payload where our rows say something else.
create unlogged table payments.reconciliation_objects (
    reconciliation_id uuid not null,
    object_type text not null,
    object_id text not null,
    payment_key text,
    as_of bigint not null,
    payload text,
    primary key (reconciliation_id, object_type, object_id)
);
create index reconciliation_objects_payment
    on payments.reconciliation_objects (reconciliation_id, payment_key) where payment_key is not null;
create index reconciliation_objects_different
    on payments.reconciliation_objects (reconciliation_id, object_type, object_id) where payload is not null;

grant select, insert, update, delete on payments.reconciliations, payments.reconciliation_findings,
    payments.reconciliation_objects to paygres_service;
grant select on payments.reconciliations, payments.reconciliation_findings to project_admin;
revoke all on payments.reconciliation_objects from project_admin;
