-- As many rows in each listed table as `paygres.rows` says, skewed on purpose: what is rare is old, so that a plan which
-- walks the newest rows until it finds some would walk through them all. `paygres.pad`: bytes of payload a row.
set session_replication_role = replica;

insert into payments.provider_connections (environment, provider, status, provider_account_id)
values ('test', 'stripe', 'connected', 'acct_1Many')
on conflict (provider, environment) do update set provider_account_id = 'acct_1Many';

insert into payments.customers (
    environment, account_id, provider, provider_customer_id, email, name, deleted, provider_created_at, raw)
select 'test', 'acct_1Many', 'stripe', 'cus_' || n, 'user' || n || '@example.com', 'User ' || n, n % 200 = 199,
       timestamptz '2024-01-01Z' + n * interval '1 minute', jsonb_build_object('id', 'cus_' || n, 'pad', repeat('x', current_setting('paygres.pad')::int))
from generate_series(1, current_setting('paygres.rows')::int) n;

insert into payments.customer_mappings (
    environment, account_id, provider, subject_type, subject_id, provider_customer_id)
select 'test', 'acct_1Many', 'stripe', 'user', 'user_' || n, 'cus_' || n
from generate_series(1, current_setting('paygres.rows')::int, 3) n;

insert into payments.transactions (
    environment, account_id, provider, type, status, subject_type, subject_id, provider_customer_id,
    customer_email_snapshot, provider_object_type, provider_object_id, amount, amount_refunded, currency, paid_at,
    provider_created_at, raw)
select 'test', 'acct_1Many', 'stripe',
       case when n <= 40 then 'failed_payment' when n % 20 = 7 then 'refund' when n % 2 = 0 then 'subscription_invoice'
            else 'one_time_payment' end,
       case when n <= 40 then 'failed' when n % 20 = 7 then 'refunded' when n % 50 = 9 then 'pending'
            else 'succeeded' end,
       case when n % 3 > 0 then 'team' end, case when n % 3 > 0 then 'team_' || n % 1000 end,
       case when n % 5 > 0 then 'cus_' || 1 + n / 5 end, 'user' || 1 + n / 5 || '@example.com',
       case when n % 20 = 7 then 'refund' else 'payment_intent' end,
       case when n % 20 = 7 then 're_' else 'pi_' end || n,
       100 + n % 5000, 0, case when n <= 100 then 'jpy' when n % 10 = 0 then 'eur' else 'usd' end,
       timestamptz '2024-01-01Z' + n * interval '1 minute', timestamptz '2024-01-01Z' + n * interval '1 minute',
       jsonb_build_object('id', 'pi_' || n, 'pad', repeat('x', current_setting('paygres.pad')::int))
from generate_series(1, current_setting('paygres.rows')::int) n;

insert into payments.stripe_subscriptions (
    environment, account_id, subscription_id, customer_id, subject_type, subject_id, status, started_at, updated_at, raw)
select 'test', 'acct_1Many', 'sub_' || n, 'cus_' || n, 'team', 'team_' || n % 100000,
       case when n <= 40 then 'past_due' when n % 4 = 1 then 'canceled' else 'active' end,
       timestamptz '2024-01-01Z' + n * interval '1 minute',
       timestamptz '2024-01-01Z' + (n * 7919 % 600000) * interval '1 minute',
       jsonb_build_object('id', 'sub_' || n, 'pad', repeat('x', current_setting('paygres.pad')::int))
from generate_series(1, current_setting('paygres.rows')::int) n;

insert into payments.stripe_subscription_items (
    environment, account_id, subscription_item_id, subscription_id, product_id, price_id, quantity, raw)
select 'test', 'acct_1Many', 'si_' || n, 'sub_' || n, 'prod_1',
       case when n <= current_setting('paygres.rows')::int / 10 then 'price_retired' else 'price_' || n % 3 end, 1,
       jsonb_build_object('id', 'si_' || n, 'created', 1704067200 + n * 60)
from generate_series(1, current_setting('paygres.rows')::int) n;

set session_replication_role = origin;
vacuum (analyze) payments.customers, payments.transactions, payments.stripe_subscriptions,
    payments.stripe_subscription_items, payments.provider_connections, payments.customer_mappings;
