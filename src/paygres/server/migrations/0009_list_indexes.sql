-- What lists are read through: each filter they offer leads an index, and the rows behind it are in the lists' order.
-- The contract's indexes are widened rather than doubled (what used them still does): an index more is work for every
-- event, a wider one hardly.

-- Sorted by since the first list; Stripe's objects all have it.
update payments.transactions set provider_created_at = created_at where provider_created_at is null;
alter table payments.transactions
    alter column provider_created_at set default now(),
    alter column provider_created_at set not null;

drop index payments.transactions_created, payments.transactions_customer, payments.transactions_status,
    payments.transactions_subject;
create index transactions_created on payments.transactions (provider, environment, provider_created_at desc, id desc);
create index transactions_customer
    on payments.transactions (provider, environment, provider_customer_id, provider_created_at desc, id desc)
    where provider_customer_id is not null;
create index transactions_status
    on payments.transactions (provider, environment, status, provider_created_at desc, id desc);
create index transactions_subject
    on payments.transactions (provider, environment, subject_type, subject_id, provider_created_at desc, id desc)
    where subject_type is not null;
create index transactions_type
    on payments.transactions (provider, environment, type, provider_created_at desc, id desc);
create index transactions_currency
    on payments.transactions (provider, environment, currency, provider_created_at desc, id desc);
-- Guests pay without a customer: their payments are found, and given to a customer, by e-mail address.
-- Not partial, or PostgreSQL would keep no statistics of the addresses; nor is the one of customers.
create index transactions_email on payments.transactions (environment, lower(customer_email_snapshot));

update payments.stripe_subscriptions set started_at = created_at where started_at is null;
alter table payments.stripe_subscriptions
    alter column started_at set default now(),
    alter column started_at set not null;

drop index payments.stripe_subscriptions_customer, payments.stripe_subscriptions_status,
    payments.stripe_subscriptions_subject;
create index stripe_subscriptions_customer
    on payments.stripe_subscriptions (environment, customer_id, started_at desc, id desc);
create index stripe_subscriptions_status
    on payments.stripe_subscriptions (environment, status, started_at desc, id desc);
create index stripe_subscriptions_subject
    on payments.stripe_subscriptions (environment, subject_type, subject_id, started_at desc, id desc)
    where subject_type is not null;
create index stripe_subscriptions_started on payments.stripe_subscriptions (environment, started_at desc, id desc);
create index stripe_subscriptions_updated on payments.stripe_subscriptions (environment, updated_at desc, id desc);

-- The subscriptions of one price, in order, without a look at all the others.
alter table payments.stripe_subscription_items
    add column provider_created_at timestamptz not null generated always as (
        coalesce(case when jsonb_typeof(raw -> 'created') = 'number'
                      then to_timestamp((raw ->> 'created')::double precision) end, created_at)) stored;
drop index payments.stripe_subscription_items_price;
create index stripe_subscription_items_price
    on payments.stripe_subscription_items (environment, price_id, provider_created_at desc, id desc)
    where price_id is not null;

-- The contract's order of customers; and newest first, where a deleted one may have nothing but its id.
drop index payments.customers_deleted;
create index customers_deleted on payments.customers (
    environment, deleted, coalesce(email, name, provider_customer_id), provider_customer_id);
create index customers_listed
    on payments.customers (environment, coalesce(provider_created_at, created_at) desc, id desc);
create index customers_gone on payments.customers (environment, coalesce(provider_created_at, created_at) desc, id desc)
    where deleted;
-- By address, whatever the database sorts texts by: beginnings of addresses are ranges of it.
create index customers_address on payments.customers (environment, (lower(email) collate "C"), id);
