-- Puts finished purchases into the tables, as if they had been received long ago.
-- name: unfold
create temp table bought as
select n, nth, replace(told, 'stored0', 'stored' || lpad(n::text, 7, '0')) as payload,
       'evt_stored_' || n || '_' || nth as event_id
from unnest($1::text[]) with ordinality as told (told, nth), generate_series(1, $2::integer) as n;
-- name: snapshots
insert into payments.stripe_snapshots (
    environment, account_id, object_type, object_id, as_of, source, event_id, event_type, payload)
select 'test', '', e #>> '{data,object,object}', e #>> '{data,object,id}', (e ->> 'created')::bigint, 'event',
       event_id, e ->> 'type', payload
from bought, lateral (select payload::jsonb as e) as parsed;
-- name: events
insert into payments.webhook_events (
    environment, provider, provider_event_id, event_type, livemode, object_type, object_id, processing_status,
    attempt_count, payload, processed_at)
select 'test', 'stripe', event_id, e ->> 'type', false, e #>> '{data,object,object}', e #>> '{data,object,id}',
       'processed', 1, e, now()
from bought, lateral (select payload::jsonb as e) as parsed;
-- name: objects
insert into payments.stripe_objects (
    environment, account_id, object_type, object_id, as_of, source, event_id, payment_key, paid_at, raw)
select distinct on (n, e #>> '{data,object,object}')
       'test', '', e #>> '{data,object,object}', e #>> '{data,object,id}', (e ->> 'created')::bigint, 'event',
       event_id, coalesce(e #>> '{data,object,payment_intent}', e #>> '{data,object,id}'), (e ->> 'created')::bigint,
       e #> '{data,object}'
from bought, lateral (select payload::jsonb as e) as parsed
order by n, e #>> '{data,object,object}', nth desc;
-- name: transactions
insert into payments.transactions (
    environment, provider, type, status, provider_object_type, provider_object_id, amount, currency, paid_at,
    provider_created_at, raw)
select 'test', 'stripe', 'one_time_payment', 'succeeded', object_type, object_id, 2500, 'usd',
       payments.unix(paid_at), payments.unix(as_of), raw
from payments.stripe_objects where object_type = 'payment_intent' and object_id like 'pi_stored%';
-- name: checkouts
insert into payments.stripe_checkout_sessions (
    environment, mode, status, payment_status, success_url, cancel_url, checkout_session_id, payment_intent_id,
    currency, amount_subtotal, raw, caller_scope)
select 'test', 'payment', 'completed', 'paid', raw ->> 'success_url', raw ->> 'cancel_url', object_id,
       raw ->> 'payment_intent', 'usd', 2500, raw, 'guest:127.0.0.0/24'
from payments.stripe_objects where object_type = 'checkout.session' and object_id like 'cs_test_stored%';
-- name: forget
drop table bought;
