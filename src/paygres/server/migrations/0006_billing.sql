-- Subscriptions, invoices, refunds and disputes: what their projections need beside the contract's tables,
-- the operators' list of what needs attention, and the record of who did what.

-- Which invoice a payment intent pays. One row an intent; '' says Stripe was asked and it pays none.
-- Until a row is here, an unstamped intent with a customer is no transaction of its own: it may be a renewal.
create table payments.payment_invoices (
    environment text not null,
    payment_intent_id text not null,
    invoice_id text not null,
    invoice_payment_id text not null default '',
    primary key (payment_intent_id, environment)
);

-- Money that went away by disputes, in minor units: still open or lost, and lost for good.
alter table payments.transactions
    add column amount_disputed bigint not null default 0,
    add column amount_lost bigint not null default 0,
    -- The subject was found through the customer, and follows when more is known of who the customer is.
    add column subject_by_customer boolean not null default false;

alter table payments.stripe_subscriptions
    add column started_at timestamptz;  -- Stripe's created: the earliest of several live ones is the subject's own

-- Brand and last four digits of the card that would be charged; events carry only its id, which is how they are kept.
alter table payments.customers
    add column payment_method_id text,
    add column payment_method_brand text,
    add column payment_method_last4 text,
    add column country_code text;

-- What proved that a subject pays as a customer: its earliest completed session, subscription or invoice.
alter table payments.subject_customers rename column checkout_session_id to evidence_id;

-- Not needed any more once the object is known by another road.
alter table payments.refetch_queue add column only_if_unknown boolean not null default false;

-- A sibling of this open session was completed: the worker expires it at Stripe.
alter table payments.stripe_checkout_sessions add column superseded_by uuid;
create index stripe_checkout_sessions_superseded on payments.stripe_checkout_sessions (superseded_by)
    where superseded_by is not null;

-- What an operator should look at. One open row an object and reason; closed when the reason is gone.
create table payments.attention (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    account_id text not null default '',
    reason text not null,           -- second_subscription · second_customer · …
    object_type text not null,      -- Stripe's: subscription, customer, …
    object_id text not null,
    subject_type text,
    subject_id text,
    message text not null,          -- one sentence a person can act on
    details jsonb not null default '{}',
    opened_at timestamptz not null default now(),
    closed_at timestamptz
);
create unique index attention_open on payments.attention (object_id, reason, environment) where closed_at is null;
create index attention_subject on payments.attention (subject_id, subject_type, environment);

-- Who did what. Actors are token subjects or key names; details never hold a secret.
create table system.audit_log (
    seq bigint generated always as identity primary key,
    at timestamptz not null default now(),
    actor text not null,
    action text not null,           -- noun.verb: refund.create, config.set, event.replay
    environment text,
    target text,                    -- the object's id
    reason text,
    details jsonb not null default '{}',
    request_id text
);
create index audit_log_at on system.audit_log (at desc);

grant select, insert, update, delete on payments.payment_invoices, payments.attention to paygres_service;
revoke all on payments.payment_invoices from project_admin;
grant select on payments.attention to project_admin, payments_trigger;
grant select, insert on system.audit_log to paygres_service;

-- Functions whose parameters changed; their new forms are in functions/.
drop function if exists payments.known(text, text, text, bigint, text, text, text);
drop function if exists payments.open_event(text, text, text, text, text, text, bigint, text, bigint[], text);
drop function if exists payments.open_read(text, text, text, bigint, bigint[], text);
