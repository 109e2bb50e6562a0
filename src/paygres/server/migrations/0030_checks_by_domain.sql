-- A table's CHECKs are read from their text and prepared anew by every statement that writes to it, what a domain demands
-- once a session: it was up to a tenth of PostgreSQL's instructions for an event. So the tables that every event and
-- checkout writes have one CHECK, by domains. The columns stay text: another type would take developers' triggers and
-- views with it.
create domain payments.environment_name as text check (value in ('test', 'live'));
create domain payments.provider_name as text check (value ~ '^[a-z][a-z0-9_]*$');
create domain payments.processing_status as text check (value in ('pending', 'processed', 'failed', 'ignored'));
create domain payments.transaction_type as text
    check (value in ('one_time_payment', 'subscription_invoice', 'refund', 'failed_payment'));
create domain payments.transaction_status as text
    check (value in ('succeeded', 'failed', 'pending', 'refunded', 'partially_refunded'));
create domain payments.checkout_mode as text check (value in ('payment', 'subscription'));
create domain payments.checkout_status as text
    check (value in ('initialized', 'open', 'completed', 'expired', 'failed'));
create domain payments.checkout_payment_status as text check (value in ('paid', 'unpaid', 'no_payment_required'));

alter table payments.webhook_events
    drop constraint webhook_events_environment_check,
    drop constraint webhook_events_provider_check,
    drop constraint webhook_events_processing_status_check,
    add constraint webhook_events_check check (
        environment::payments.environment_name is not null and provider::payments.provider_name is not null
        and processing_status::payments.processing_status is not null);
alter table payments.transactions
    drop constraint transactions_environment_check,
    drop constraint transactions_provider_check,
    drop constraint transactions_type_check,
    drop constraint transactions_status_check,
    add constraint transactions_check check (
        environment::payments.environment_name is not null and provider::payments.provider_name is not null
        and type::payments.transaction_type is not null and status::payments.transaction_status is not null);
alter table payments.customers
    drop constraint customers_environment_check,
    drop constraint customers_provider_check,
    add constraint customers_check check (
        environment::payments.environment_name is not null and provider::payments.provider_name is not null);
alter table payments.customer_mappings
    drop constraint customer_mappings_environment_check,
    drop constraint customer_mappings_provider_check,
    add constraint customer_mappings_check check (
        environment::payments.environment_name is not null and provider::payments.provider_name is not null);
alter table payments.stripe_subscriptions
    drop constraint stripe_subscriptions_environment_check,
    add constraint stripe_subscriptions_check check (environment::payments.environment_name is not null);
alter table payments.stripe_subscription_items
    drop constraint stripe_subscription_items_environment_check,
    add constraint stripe_subscription_items_check check (environment::payments.environment_name is not null);
alter table payments.stripe_checkout_sessions
    drop constraint stripe_checkout_sessions_environment_check,
    drop constraint stripe_checkout_sessions_mode_check,
    drop constraint stripe_checkout_sessions_status_check,
    drop constraint stripe_checkout_sessions_payment_status_check,
    drop constraint stripe_checkout_sessions_line_items_check,
    add constraint stripe_checkout_sessions_check check (
        environment::payments.environment_name is not null and mode::payments.checkout_mode is not null
        and status::payments.checkout_status is not null
        and (payment_status is null or payment_status::payments.checkout_payment_status is not null)
        and jsonb_typeof(line_items) = 'array');
