-- The private side of the mirror; developers have no TRIGGER grant here, so their code cannot lose an event.
-- Only our own functions write here, several rows an event: no CHECKs and no partial indexes, which PostgreSQL
-- prepares anew for every statement. Indexes begin with the id: on a table that was never analyzed, one that begins
-- with the environment looks as good as any and reads everything.

-- Append-only: every snapshot of a Stripe object that reached us, by event or by API read, as received.
create table payments.stripe_snapshots (
    seq bigint generated always as identity primary key,
    environment text not null,
    account_id text not null,
    object_type text not null,
    object_id text not null,
    as_of bigint not null,          -- Unix seconds: event.created, or the API answer's Date minus elapsed
    source text not null,           -- event or api; an event has an event_id
    event_id text,
    event_type text,
    payload text not null,          -- the event, or the object, as JSON text
    received_at timestamptz not null default now()
);
create unique index stripe_snapshots_event on payments.stripe_snapshots (event_id, environment);
create index stripe_snapshots_object on payments.stripe_snapshots (object_id, object_type, environment, as_of);

-- The newest settled snapshot of every object. The three marks are minima and maxima over ALL snapshots.
create table payments.stripe_objects (
    environment text not null,
    account_id text not null,
    object_type text not null,
    object_id text not null,
    as_of bigint not null,
    source text not null,           -- event or api
    event_id text,
    deleted boolean not null default false,
    undecided boolean not null default false,  -- the order inside a second is open; the worker refetches
    payment_key text,               -- which payment the object is about: pi_…, else cs_… or ch_…
    paid_at bigint,                 -- earliest second in which a snapshot said paid
    failed_at bigint,               -- latest second in which a snapshot said failed
    refunded_at bigint,             -- latest second in which a snapshot said refunded
    raw jsonb not null,
    updated_at timestamptz not null default now(),
    primary key (object_id, object_type, environment)
);
create index stripe_objects_payment on payments.stripe_objects (payment_key, environment);

-- Events that still need work. An event in the ledger without a row here is done.
-- pending: not yet applied, or parked (reason and deadline). failed: a projection or a trigger raised;
-- without a next attempt it is dead and needs an operator.
create table payments.event_queue (
    environment text not null,
    event_id text not null,
    status text not null,           -- pending or failed
    attempts integer not null default 0,
    next_attempt_at timestamptz,
    leased_until timestamptz,
    last_error text,
    reason text,
    deadline timestamptz,
    created_at timestamptz not null default now(),
    primary key (event_id, environment)
);
create index event_queue_due on payments.event_queue (next_attempt_at) where next_attempt_at is not null;

-- Objects whose newest state we could not decide, or know to be incomplete: the worker reads them at Stripe.
create table payments.refetch_queue (
    environment text not null,
    object_type text not null,
    object_id text not null,
    reason text not null,
    attempts integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    leased_until timestamptz,
    last_error text,
    created_at timestamptz not null default now(),
    primary key (object_id, object_type, environment)
);
create index refetch_queue_due on payments.refetch_queue (next_attempt_at);

-- Every customer a subject has completed a checkout with. The earliest session names the mapping;
-- the others stay recorded beside it.
create table payments.subject_customers (
    environment text not null,
    account_id text not null,
    subject_type text not null,
    subject_id text not null,
    customer_id text not null,
    since bigint not null,           -- created (Unix seconds) of the earliest completed session
    checkout_session_id text not null,
    primary key (subject_id, subject_type, environment, customer_id)
);
create index subject_customers_customer on payments.subject_customers (customer_id, environment);

-- Guest checkouts per minute; losing the counts in a crash costs nothing.
create unlogged table payments.guest_counts (
    minute timestamptz not null,
    network text not null,
    checkouts integer not null,
    primary key (minute, network)
);

do $$
declare
    named text;
begin
    foreach named in array array['stripe_snapshots', 'stripe_objects', 'event_queue', 'refetch_queue',
                                 'subject_customers', 'guest_counts'] loop
        execute format('revoke all on payments.%I from project_admin', named);
        execute format('grant select, insert, update, delete on payments.%I to paygres_service', named);
    end loop;
    revoke update, delete on payments.stripe_snapshots from paygres_service;
    -- lz4 halves the cost of storing payloads; builds without it keep PostgreSQL's default.
    begin
        alter table payments.stripe_snapshots alter column payload set compression lz4;
        alter table payments.stripe_objects alter column raw set compression lz4;
        alter table payments.webhook_events alter column payload set compression lz4;
        alter table payments.transactions alter column raw set compression lz4;
        alter table payments.customers alter column raw set compression lz4;
        alter table payments.stripe_checkout_sessions alter column raw set compression lz4;
    exception when feature_not_supported then
        null;
    end;
end $$;
