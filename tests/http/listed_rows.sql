-- A few rows for the tests of lists: ties, two accounts, guests, namesakes, a formula typed by a buyer.
insert into payments.provider_connections (environment, provider, status, provider_account_id)
values ('test', 'stripe', 'connected', 'acct_1Ours');

insert into payments.customers (
    environment, account_id, provider, provider_customer_id, email, name, deleted, provider_created_at,
    payment_method_brand, payment_method_last4, country_code, metadata)
values
    ('test', 'acct_1Ours', 'stripe', 'cus_ada', 'Ada@example.com', 'Ada', false, '2026-01-01T00:00:00Z', 'visa', '4242',
     'GB', '{"tier": "gold"}'),
    ('test', 'acct_1Ours', 'stripe', 'cus_bob', 'bob@example.com', '=cmd()', false, '2026-01-02T00:00:00Z', null, null,
     null, '{}'),
    ('test', 'acct_1Ours', 'stripe', 'cus_twin1', 'twin@example.com', null, false, '2026-01-03T00:00:00Z', null, null,
     null, '{}'),
    ('test', 'acct_1Ours', 'stripe', 'cus_twin2', 'TWIN@example.com', null, false, '2026-01-03T00:00:00Z', null, null,
     null, '{}'),
    ('test', 'acct_1Ours', 'stripe', 'cus_gone', 'aaa@example.com', null, true, null, null, null, null, '{}'),
    ('test', 'acct_1Theirs', 'stripe', 'cus_theirs', 'them@example.com', null, false, now(), null, null, null, '{}');

insert into payments.customer_mappings (environment, account_id, provider, subject_type, subject_id, provider_customer_id)
values ('test', 'acct_1Ours', 'stripe', 'user', 'u_ada', 'cus_ada');

insert into payments.transactions (
    environment, account_id, provider, type, status, subject_type, subject_id, provider_customer_id,
    customer_email_snapshot, provider_object_type, provider_object_id, provider_parent_object_type,
    provider_parent_object_id, related_object_ids, amount, amount_refunded, currency, description, paid_at,
    provider_created_at)
values
    ('test', 'acct_1Ours', 'stripe', 'one_time_payment', 'partially_refunded', 'user', 'u_ada', 'cus_ada',
     'ada@example.com', 'payment_intent', 'pi_1', null, null, '{"charge": "ch_1", "payment_intent": "pi_1"}', 2000, 500,
     'usd', '=1+1', '2026-02-01T10:00:01Z', '2026-02-01T10:00:00Z'),
    ('test', 'acct_1Ours', 'stripe', 'refund', 'refunded', 'user', 'u_ada', 'cus_ada', 'ada@example.com', 'refund',
     're_1', 'payment_intent', 'pi_1', '{"refund": "re_1"}', 500, 500, 'usd', null, null, '2026-02-02T10:00:00Z'),
    ('test', 'acct_1Ours', 'stripe', 'one_time_payment', 'succeeded', null, null, null, 'ADA@example.com',
     'checkout_session', 'cs_2', null, null, '{}', 700, 0, 'usd', null, '2026-03-01T10:00:00Z', '2026-03-01T10:00:00Z'),
    ('test', 'acct_1Ours', 'stripe', 'failed_payment', 'failed', null, null, 'cus_bob', 'bob@example.com',
     'payment_intent', 'pi_3', null, null, '{}', 999, 0, 'eur', null, null, '2026-03-02T10:00:00Z'),
    ('test', 'acct_1Ours', 'stripe', 'subscription_invoice', 'succeeded', 'team', 't_1', 'cus_bob', 'bob@example.com',
     'invoice', 'in_4', null, null, '{}', 1000, 0, 'usd', null, null, '2026-03-03T10:00:00Z'),
    ('test', 'acct_1Ours', 'stripe', 'subscription_invoice', 'refunded', 'team', 't_1', 'cus_bob', 'bob@example.com',
     'invoice', 'in_5', null, null, '{}', 1000, 1000, 'eur', null, null, '2026-03-03T10:00:00Z'),
    ('test', 'acct_1Ours', 'stripe', 'one_time_payment', 'succeeded', null, null, null, 'twin@example.com',
     'payment_intent', 'pi_6', null, null, '{}', 100, 0, 'usd', null, null, '2026-03-03T10:00:00Z'),
    ('test', 'acct_1Theirs', 'stripe', 'one_time_payment', 'succeeded', null, null, 'cus_ada', null, 'payment_intent',
     'pi_theirs', null, null, '{}', 100000, 0, 'usd', null, null, '2026-04-01T10:00:00Z'),
    ('live', '', 'stripe', 'one_time_payment', 'succeeded', null, null, null, null, 'payment_intent', 'pi_live', null,
     null, '{}', 5, 0, 'usd', null, null, '2026-04-01T10:00:00Z');

insert into payments.stripe_objects (environment, account_id, object_type, object_id, as_of, source, payment_key, raw)
values ('test', 'acct_1Ours', 'payment_intent', 'pi_1', 1, 'api', 'pi_1', '{}'),
       ('test', 'acct_1Ours', 'charge', 'ch_1', 1, 'api', 'pi_1', '{}'),
       ('test', 'acct_1Ours', 'refund', 're_1', 1, 'api', 'pi_1', '{}');

insert into payments.stripe_subscriptions (
    environment, account_id, subscription_id, customer_id, subject_type, subject_id, status, current_period_start,
    current_period_end, started_at, updated_at, metadata)
select 'test', case n when 9 then 'acct_1Theirs' else 'acct_1Ours' end, 'sub_' || n, 'cus_' || n, 'team', 't_' || n % 2,
       case when n % 3 = 0 then 'canceled' else 'active' end, '2026-01-01Z', '2026-02-01Z',
       timestamptz '2026-01-01Z' + n / 4 * interval '1 day', timestamptz '2026-05-01Z' - n * interval '1 hour', '{"a": "b"}'
from generate_series(1, 9) n;

insert into payments.stripe_subscription_items (
    environment, account_id, subscription_item_id, subscription_id, product_id, price_id, quantity, raw)
select 'test', 'acct_1Ours', 'si_' || n || '_' || k, 'sub_' || n, 'prod_1', 'price_' || k, k,
       jsonb_build_object('created', 1767225600 + n)
from generate_series(1, 9) n, generate_series(1, 2) k where n > 1;
