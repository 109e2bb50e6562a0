-- Syncs of whole Stripe accounts, and how far each has come: a page is applied and its window moved on in one
-- transaction, so that whoever continues after a crash begins exactly where the rows end.

create table payments.syncs (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    account_id text not null,
    status text not null default 'running' check (status in ('running', 'succeeded', 'failed')),
    objects text[] not null,                    -- products, prices, customers, …
    confirm_missing boolean not null default false, -- an operator said: what Stripe does not have any more is deleted
    counts jsonb not null default '{}',         -- objects listed, by name
    missing jsonb not null default '{}',        -- kept rows that Stripe did not list, by name: too many to delete unasked
    error text,
    requested_by text not null default '',
    holder uuid not null,                       -- the run that carries it on; a paused one that wakes up finds another
    started_at timestamptz not null default now(),
    finished_at timestamptz
);
create unique index syncs_running on payments.syncs (environment) where status = 'running';
create index syncs_started on payments.syncs (environment, started_at desc);

-- A stretch of one list, by the objects' own time (Unix seconds); null: open at that end. Stripe lists newest first,
-- so a window is read from created_to down to created_from; reached is the created of the object at last_id.
create table payments.sync_windows (
    sync_id uuid not null references payments.syncs (id) on delete cascade,
    listing text not null,
    nth integer not null,
    created_from bigint,
    created_to bigint,
    last_id text,                               -- Stripe's starting_after
    reached bigint,
    seen integer not null default 0,
    pages integer not null default 0,
    done boolean not null default false,
    as_of bigint,                               -- when its first page was true
    primary key (sync_id, listing, nth)
);

grant select, insert, update, delete on payments.syncs, payments.sync_windows to paygres_service;
grant select on payments.syncs to project_admin;
revoke all on payments.sync_windows from project_admin;

-- lz4 costs a tenth of what PostgreSQL's default does, which shows when thousands of objects arrive at once.
do $$
begin
    alter table payments.stripe_products alter column raw set compression lz4;
    alter table payments.stripe_prices alter column raw set compression lz4;
    alter table payments.stripe_subscriptions alter column raw set compression lz4;
    alter table payments.stripe_subscription_items alter column raw set compression lz4;
exception when feature_not_supported then
    null;
end $$;
