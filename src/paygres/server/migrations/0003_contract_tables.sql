-- The tables of the contract: columns, checks and indexes that policies, triggers and reports rely on.
-- No foreign keys between mirrored tables (a child may arrive before its parent); money is bigint minor units.
create table payments.provider_connections (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    provider text not null check (provider ~ '^[a-z][a-z0-9_]*$'),
    status text not null default 'unconfigured' check (status in ('unconfigured', 'connected', 'error')),
    provider_account_id text,
    account_email text,
    account_name text,
    account_livemode boolean,
    webhook_endpoint_id text,
    webhook_endpoint_url text,
    webhook_configured_at timestamptz,
    last_synced_at timestamptz,
    last_sync_status text check (last_sync_status in ('succeeded', 'failed')),
    last_sync_error text,
    last_sync_counts jsonb not null default '{}',
    raw jsonb not null default '{}',
    connected_at timestamptz,       -- the watermark: older events are projected, but fulfill nothing
    webhook_error text,             -- why the managed endpoint could not be set up, else null
    sync_leased_until timestamptz,  -- one sync at a time; a lease, so that a crash frees it
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (provider, environment)
);

create table payments.stripe_products (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    account_id text not null default '',
    product_id text not null,
    name text not null,
    description text,
    active boolean not null,
    default_price_id text,
    metadata jsonb not null default '{}',
    raw jsonb not null default '{}',
    deleted boolean not null default false,
    synced_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index stripe_products_key on payments.stripe_products (environment, product_id);
create index stripe_products_active on payments.stripe_products (environment, active);
create index stripe_products_default_price on payments.stripe_products (environment, default_price_id)
    where default_price_id is not null;

create table payments.stripe_prices (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    account_id text not null default '',
    price_id text not null,
    product_id text,
    active boolean not null,
    currency text not null,
    unit_amount bigint,
    unit_amount_decimal text,
    type text not null,
    lookup_key text,
    billing_scheme text,
    tax_behavior text,
    recurring_interval text,
    recurring_interval_count integer,
    metadata jsonb not null default '{}',
    raw jsonb not null default '{}',
    deleted boolean not null default false,
    synced_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index stripe_prices_key on payments.stripe_prices (environment, price_id);
create index stripe_prices_product on payments.stripe_prices (environment, product_id);
create index stripe_prices_lookup_key on payments.stripe_prices (environment, lookup_key) where lookup_key is not null;

create table payments.stripe_checkout_sessions (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    mode text not null check (mode in ('payment', 'subscription')),
    status text not null default 'initialized'
        check (status in ('initialized', 'open', 'completed', 'expired', 'failed')),
    payment_status text check (payment_status in ('paid', 'unpaid', 'no_payment_required')),
    subject_type text,
    subject_id text,
    customer_email text,
    line_items jsonb not null default '[]' check (jsonb_typeof(line_items) = 'array'),
    success_url text not null,
    cancel_url text not null,
    idempotency_key text,
    request_hash text,
    metadata jsonb not null default '{}',
    checkout_session_id text,
    customer_id text,
    payment_intent_id text,
    subscription_id text,
    url text,
    last_error text,
    raw jsonb not null default '{}',
    -- ours
    account_id text not null default '',
    created_by text,                      -- the token's sub; null for guests
    caller_scope text not null default '',  -- whose idempotency key it is
    generation integer not null default 1,  -- one caller key, one row a generation
    currency text,                        -- as Stripe answered at creation
    amount_subtotal bigint,               -- minor units, as Stripe answered at creation
    stripe_params jsonb,                  -- exactly what was sent, so that a crash can be resumed
    attempt integer not null default 1,
    leased_until timestamptz,             -- who is at Stripe with this row, until when
    expires_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index stripe_checkout_sessions_idempotency
    on payments.stripe_checkout_sessions (environment, caller_scope, idempotency_key, generation)
    where idempotency_key is not null;
create unique index stripe_checkout_sessions_stripe_id
    on payments.stripe_checkout_sessions (environment, checkout_session_id) where checkout_session_id is not null;
create index stripe_checkout_sessions_status on payments.stripe_checkout_sessions (environment, status);
create index stripe_checkout_sessions_subject
    on payments.stripe_checkout_sessions (environment, subject_type, subject_id) where subject_type is not null;
create index stripe_checkout_sessions_customer
    on payments.stripe_checkout_sessions (environment, customer_id) where customer_id is not null;

create table payments.stripe_customer_portal_sessions (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    status text not null default 'initialized' check (status in ('initialized', 'created', 'failed')),
    subject_type text not null,
    subject_id text not null,
    customer_id text,
    return_url text,
    configuration_id text,
    url text,
    last_error text,
    raw jsonb not null default '{}',
    account_id text not null default '',
    created_by text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index stripe_customer_portal_sessions_status on payments.stripe_customer_portal_sessions (environment, status);
create index stripe_customer_portal_sessions_subject
    on payments.stripe_customer_portal_sessions (environment, subject_type, subject_id);
create index stripe_customer_portal_sessions_customer
    on payments.stripe_customer_portal_sessions (environment, customer_id) where customer_id is not null;

create table payments.customer_mappings (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    account_id text not null default '',
    provider text not null check (provider ~ '^[a-z][a-z0-9_]*$'),
    subject_type text not null,
    subject_id text not null,
    provider_customer_id text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (provider, environment, subject_type, subject_id),
    unique (provider, environment, provider_customer_id)
);

create table payments.customers (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    account_id text not null default '',
    provider text not null check (provider ~ '^[a-z][a-z0-9_]*$'),
    provider_customer_id text not null,
    email text,
    name text,
    phone text,
    deleted boolean not null default false,
    metadata jsonb not null default '{}',
    raw jsonb not null default '{}',
    provider_created_at timestamptz,
    synced_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index customers_key on payments.customers (provider, environment, provider_customer_id);
create index customers_deleted on payments.customers (environment, deleted);
create index customers_email on payments.customers (environment, email) where email is not null;
create index customers_environment on payments.customers (provider, environment);
create index customers_created on payments.customers (provider, environment, provider_created_at desc);

create table payments.stripe_subscriptions (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    account_id text not null default '',
    subscription_id text not null,
    customer_id text not null,
    subject_type text,
    subject_id text,
    status text not null,
    current_period_start timestamptz,
    current_period_end timestamptz,
    cancel_at_period_end boolean not null default false,
    cancel_at timestamptz,
    canceled_at timestamptz,
    trial_start timestamptz,
    trial_end timestamptz,
    latest_invoice_id text,
    metadata jsonb not null default '{}',
    raw jsonb not null default '{}',
    synced_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index stripe_subscriptions_key on payments.stripe_subscriptions (environment, subscription_id);
create index stripe_subscriptions_customer on payments.stripe_subscriptions (environment, customer_id);
create index stripe_subscriptions_status on payments.stripe_subscriptions (environment, status);
create index stripe_subscriptions_subject
    on payments.stripe_subscriptions (environment, subject_type, subject_id) where subject_type is not null;

create table payments.stripe_subscription_items (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    account_id text not null default '',
    subscription_item_id text not null,
    subscription_id text not null,
    product_id text,
    price_id text,
    quantity bigint,
    metadata jsonb not null default '{}',
    raw jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index stripe_subscription_items_key on payments.stripe_subscription_items (environment, subscription_item_id);
create index stripe_subscription_items_subscription on payments.stripe_subscription_items (environment, subscription_id);
create index stripe_subscription_items_price
    on payments.stripe_subscription_items (environment, price_id) where price_id is not null;

create table payments.transactions (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    account_id text not null default '',
    provider text not null check (provider ~ '^[a-z][a-z0-9_]*$'),
    type text not null check (type in ('one_time_payment', 'subscription_invoice', 'refund', 'failed_payment')),
    status text not null check (status in ('succeeded', 'failed', 'pending', 'refunded', 'partially_refunded')),
    subject_type text,
    subject_id text,
    provider_customer_id text,
    customer_email_snapshot text,
    provider_object_type text,
    provider_object_id text,
    provider_parent_object_type text,
    provider_parent_object_id text,
    related_object_ids jsonb not null default '{}',
    amount bigint,
    amount_refunded bigint not null default 0,
    currency text,
    description text,
    paid_at timestamptz,
    failed_at timestamptz,
    refunded_at timestamptz,
    provider_created_at timestamptz,
    raw jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index transactions_object
    on payments.transactions (provider, environment, provider_object_type, provider_object_id)
    where provider_object_type is not null and provider_object_id is not null;
create index transactions_created on payments.transactions (provider, environment, provider_created_at desc);
create index transactions_customer on payments.transactions (provider, environment, provider_customer_id)
    where provider_customer_id is not null;
create index transactions_status on payments.transactions (provider, environment, status);
create index transactions_subject on payments.transactions (provider, environment, subject_type, subject_id)
    where subject_type is not null;

create table payments.webhook_events (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    provider text not null check (provider ~ '^[a-z][a-z0-9_]*$'),
    provider_event_id text not null,
    event_type text not null,
    livemode boolean not null,
    provider_account_id text,
    object_type text,
    object_id text,
    processing_status text not null default 'pending'
        check (processing_status in ('pending', 'processed', 'failed', 'ignored')),
    attempt_count integer not null default 0,
    last_error text,
    payload jsonb not null,
    received_at timestamptz not null default now(),
    processed_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index webhook_events_key on payments.webhook_events (provider, environment, provider_event_id);
create index webhook_events_object on payments.webhook_events (environment, object_type, object_id)
    where object_id is not null;
create index webhook_events_status on payments.webhook_events (environment, processing_status);

do $$
declare
    named text;
begin
    for named in select tablename from pg_catalog.pg_tables where schemaname = 'payments' loop
        execute format(
            'create trigger trg_payments_%s_updated_at before update on payments.%I '
            'for each row execute function system.update_updated_at()', named, named);
        execute format('grant select, insert, update, delete on payments.%I to paygres_service', named);
        execute format('grant select on payments.%I to project_admin, payments_trigger', named);
    end loop;
end $$;

-- What developers' triggers sit on is written in their role, so that their code never has ours.
grant insert, update on payments.webhook_events, payments.customers to payments_trigger;
grant update on payments.stripe_checkout_sessions, payments.stripe_customer_portal_sessions to payments_trigger;

grant select, insert on payments.stripe_checkout_sessions, payments.stripe_customer_portal_sessions
    to anon, authenticated, project_admin;
grant trigger on payments.stripe_checkout_sessions, payments.stripe_customer_portal_sessions,
    payments.webhook_events, payments.customers to project_admin;
