-- What was given for which money, exactly once; and the messages that tell others of it.

-- One row a rule and payment. Developers' triggers may sit here, so it is written in their role. Amounts are minor units.
create table payments.fulfillments (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    account_id text not null default '',
    rule text not null check (rule <> ''),   -- what is given: orders, credits, …
    payment_key text not null,               -- the money: in_…, pi_…, cs_… (nothing was to pay) or ch_…
    key text,                                -- the developer's own: an order's id
    -- granted; reversed: nothing of its money is left; quarantined: it does not fit what was expected, and an operator
    -- decides; released: an operator said yes, its event grants at its next run
    status text not null check (status in ('granted', 'reversed', 'quarantined', 'released')),
    reason text,
    subject_type text,
    subject_id text,
    event_id text not null,
    event_type text not null,
    checkout_session_id uuid,                -- our row
    expected_amount bigint,
    expected_currency text,
    expected_items jsonb,                    -- {price id: quantity}
    amount bigint,                           -- what was bought, before discounts, taxes and shipping
    currency text,
    items jsonb,                             -- {price id: quantity}, null when not known
    amount_paid bigint not null default 0,
    amount_kept bigint not null default 0,   -- paid - refunded - lost in disputes; a grant begins with all of it
    share_kept numeric not null generated always as (
        case when amount_paid > 0 then amount_kept::numeric / amount_paid
             when status = 'reversed' then 0 else 1 end) stored,
    granted_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (payment_key, rule, environment)
);
create unique index fulfillments_key on payments.fulfillments (key, rule, environment) where status = 'granted' and key is not null;
create index fulfillments_created on payments.fulfillments (environment, created_at);
create trigger trg_payments_fulfillments_updated_at before update on payments.fulfillments
    for each row execute function system.update_updated_at();
grant select on payments.fulfillments to paygres_service;
grant select, insert, update on payments.fulfillments to payments_trigger;
grant trigger on payments.fulfillments to project_admin;

-- Payments whose fulfillments keep another amount than their rows say, by an API read or after a failed trigger.
create table payments.reversal_queue (
    environment text not null,
    payment_key text not null,
    attempts integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    leased_until timestamptz,
    last_error text,
    created_at timestamptz not null default now(),
    primary key (payment_key, environment)
);
revoke all on payments.reversal_queue from project_admin;
grant select, insert, update, delete on payments.reversal_queue to paygres_service;

-- Who is told of fulfillments outside the transaction: a URL (signed), or a function registered by its name.
create table payments.destinations (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    kind text not null check (kind in ('webhook', 'after_commit')),
    name text not null,                      -- the function's name, or what an operator calls the URL
    url text,
    types text[] not null,                   -- fulfillment.granted, .reversed, .restored, .quarantined
    active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (environment, kind, name)
);
create trigger trg_payments_destinations_updated_at before update on payments.destinations
    for each row execute function system.update_updated_at();
grant select, insert, update, delete on payments.destinations to paygres_service;

-- One row a message and destination, written in the transaction that changed the fulfillment. The id is stable over all
-- attempts. Delivered ones stay as a record.
create table payments.outbox (
    id uuid primary key default gen_random_uuid(),
    destination_id uuid not null references payments.destinations (id) on delete cascade,
    environment text not null,
    type text not null,
    fulfillment_id uuid not null,
    content jsonb not null,
    attempts integer not null default 0,
    next_attempt_at timestamptz default now(),  -- null: delivered, or given up
    leased_until timestamptz,
    delivered_at timestamptz,
    last_error text,
    created_at timestamptz not null default now()
);
create index outbox_due on payments.outbox (next_attempt_at) where next_attempt_at is not null;
create index outbox_fulfillment on payments.outbox (fulfillment_id);
revoke all on payments.outbox from project_admin;
grant select, insert, update, delete on payments.outbox to paygres_service;
