-- Defaults for checkouts that the strict request body does not know, and the indexes of the operators' list.

-- One row a price, and one with price_id null for the whole environment; a price's own words win. Null: not said here.
create table payments.checkout_options (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    price_id text,
    allow_promotion_codes boolean,
    automatic_tax boolean,
    tax_id_collection boolean,
    phone_number_collection boolean,
    billing_address_collection text check (billing_address_collection in ('auto', 'required')),
    locale text,
    adjustable_quantity boolean,
    expires_after_minutes integer check (expires_after_minutes between 30 and 1440),
    trial_period_days integer check (trial_period_days between 1 and 730),             -- subscriptions only
    payment_method_collection text check (payment_method_collection in ('always', 'if_required')),  -- these too
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique nulls not distinct (environment, price_id)
);
create trigger trg_payments_checkout_options_updated_at before update on payments.checkout_options
    for each row execute function system.update_updated_at();
grant select, insert, update, delete on payments.checkout_options to paygres_service;
grant select on payments.checkout_options to project_admin;

-- Sessions of a status, newest first: also what the list of all statuses is merged from.
drop index payments.stripe_checkout_sessions_status;
create index stripe_checkout_sessions_status
    on payments.stripe_checkout_sessions (environment, status, created_at desc, id desc);
-- Subscriptions are few among many payments.
create index stripe_checkout_sessions_subscriptions
    on payments.stripe_checkout_sessions (environment, created_at desc, id desc) where mode = 'subscription';

-- Only what the worker still has to expire.
drop index payments.stripe_checkout_sessions_superseded;
create index stripe_checkout_sessions_superseded on payments.stripe_checkout_sessions (created_at)
    where superseded_by is not null and status = 'open';
