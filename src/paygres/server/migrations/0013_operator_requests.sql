-- What operators asked of Stripe (refunds, cancellations, changes of plan): one row a request, so that a repeated one
-- is the same one, also after a crash.
create table payments.operator_requests (
    id uuid primary key default gen_random_uuid(),
    environment text not null check (environment in ('test', 'live')),
    account_id text not null default '',
    idempotency_key text not null,
    action text not null,           -- refund.create · subscription.cancel · subscription.resume · subscription.change
    target text not null,           -- the id at Stripe
    request_hash text not null,
    attempt integer not null default 1,   -- a definite refusal ends an attempt; the next has its own key at Stripe
    status text not null default 'started' check (status in ('started', 'succeeded', 'failed')),
    answer jsonb,
    last_error text,
    actor text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index operator_requests_key on payments.operator_requests (environment, idempotency_key);
create trigger trg_payments_operator_requests_updated_at before update on payments.operator_requests
    for each row execute function system.update_updated_at();
grant select, insert, update on payments.operator_requests to paygres_service;

-- Lists of what needs attention, newest first.
create index attention_listed on payments.attention (environment, opened_at desc, id desc);
create index customer_mappings_listed on payments.customer_mappings (environment, created_at desc, id desc);

-- An operator said whose customer it is: stronger than anything that was paid.
alter table payments.subject_customers add column by_operator boolean not null default false;
