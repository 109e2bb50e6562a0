-- PostgreSQL reads and prepares the predicate of a partial index anew for every statement that writes to its table: in the
-- tables that every event writes, that costs more than leaving out the few rows without a value spares.
drop index payments.transactions_object;
create unique index transactions_object
    on payments.transactions (provider, environment, provider_object_type, provider_object_id);
drop index payments.transactions_customer;
create index transactions_customer
    on payments.transactions (provider, environment, provider_customer_id, provider_created_at desc, id desc);
drop index payments.transactions_subject;
create index transactions_subject
    on payments.transactions (provider, environment, subject_type, subject_id, provider_created_at desc, id desc);
drop index payments.webhook_events_object;
create index webhook_events_object on payments.webhook_events (environment, object_type, object_id);
drop index payments.customers_email;
create index customers_email on payments.customers (environment, email);
drop index payments.stripe_subscriptions_subject;
create index stripe_subscriptions_subject
    on payments.stripe_subscriptions (environment, subject_type, subject_id, started_at desc, id desc);
drop index payments.stripe_subscription_items_price;
create index stripe_subscription_items_price
    on payments.stripe_subscription_items (environment, price_id, provider_created_at desc, id desc);
drop index payments.stripe_checkout_sessions_stripe_id;
create unique index stripe_checkout_sessions_stripe_id
    on payments.stripe_checkout_sessions (environment, checkout_session_id);

-- Of two indexes that begin alike, a plan made while the table was small may have taken the wrong one and read all of it.
alter table payments.customer_mappings
    drop constraint customer_mappings_provider_environment_subject_type_subject_key,
    drop constraint customer_mappings_provider_environment_provider_customer_id_key,
    add constraint customer_mappings_subject unique (subject_id, subject_type, environment, provider),
    add constraint customer_mappings_customer unique (provider_customer_id, environment, provider);
