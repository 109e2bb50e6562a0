The rows an event concerns, whoever wrote them last. $1 environment, $2 ids that its object names, $3 rows of checkout
sessions it names.

-- name: select_concerned
with named as (
    select unnest($2::text[]) as id
    union
    -- an intent does not say which invoice it pays; its settled object knows its payment
    select o.payment_key from payments.stripe_objects o
    where o.object_id = any($2) and o.environment = $1 and o.payment_key is not null
), touched as (
    select t.* from payments.transactions t
    where t.provider = 'stripe' and t.environment = $1
      and t.provider_object_type = any(array['payment_intent', 'invoice', 'checkout_session', 'charge', 'refund'])
      and t.provider_object_id = any(array(select id from named))
), known as (
    select array(select id from named
                 union
                 select jsonb_path_query(t.related_object_ids, 'strict $.** ? (@.type() == "string")') #>> '{}'
                 from touched t) as ids
)
select 'payments.stripe_objects' as "table",
       json_build_object('objectType', o.object_type, 'objectId', o.object_id) as key,
       json_build_object('asOf', payments.iso(payments.unix(o.as_of)), 'source', o.source, 'eventId', o.event_id,
                         'deleted', o.deleted, 'undecided', o.undecided) as summary
from payments.stripe_objects o where o.object_id = any((select ids from known)::text[]) and o.environment = $1
union all
select 'payments.transactions', json_build_object('objectType', t.provider_object_type, 'objectId', t.provider_object_id),
       json_build_object('type', t.type, 'status', t.status, 'amount', t.amount, 'amountRefunded', t.amount_refunded,
                         'currency', t.currency, 'subjectType', t.subject_type, 'subjectId', t.subject_id,
                         'paidAt', payments.iso(t.paid_at), 'failedAt', payments.iso(t.failed_at),
                         'refundedAt', payments.iso(t.refunded_at))
from touched t
union all
select 'payments.stripe_checkout_sessions', json_build_object('id', c.id),
       json_build_object('checkoutSessionId', c.checkout_session_id, 'mode', c.mode, 'status', c.status,
                         'paymentStatus', c.payment_status, 'subjectType', c.subject_type, 'subjectId', c.subject_id)
from payments.stripe_checkout_sessions c
where c.environment = $1 and (c.checkout_session_id = any((select ids from known)::text[]) or c.id = any($3::uuid[]))
union all
select 'payments.stripe_subscriptions', json_build_object('subscriptionId', b.subscription_id),
       json_build_object('status', b.status, 'customerId', b.customer_id, 'subjectType', b.subject_type,
                         'subjectId', b.subject_id, 'currentPeriodEnd', payments.iso(b.current_period_end),
                         'cancelAtPeriodEnd', b.cancel_at_period_end)
from payments.stripe_subscriptions b
where b.environment = $1 and b.subscription_id = any((select ids from known)::text[])
union all
select 'payments.stripe_subscription_items', json_build_object('subscriptionItemId', i.subscription_item_id),
       json_build_object('subscriptionId', i.subscription_id, 'productId', i.product_id, 'priceId', i.price_id,
                         'quantity', i.quantity)
from payments.stripe_subscription_items i
where i.environment = $1 and i.subscription_id = any((select ids from known)::text[])
union all
select 'payments.customers', json_build_object('providerCustomerId', k.provider_customer_id),
       json_build_object('email', k.email, 'name', k.name, 'deleted', k.deleted)
from payments.customers k
where k.provider = 'stripe' and k.environment = $1 and k.provider_customer_id = any((select ids from known)::text[])
union all
select 'payments.customer_mappings', json_build_object('subjectType', m.subject_type, 'subjectId', m.subject_id),
       json_build_object('providerCustomerId', m.provider_customer_id)
from payments.customer_mappings m
where m.provider = 'stripe' and m.environment = $1 and m.provider_customer_id = any((select ids from known)::text[])
union all
select 'payments.stripe_products', json_build_object('productId', p.product_id),
       json_build_object('name', p.name, 'active', p.active, 'deleted', p.deleted)
from payments.stripe_products p where p.environment = $1 and p.product_id = any($2)
union all
select 'payments.stripe_prices', json_build_object('priceId', p.price_id),
       json_build_object('productId', p.product_id, 'active', p.active, 'unitAmount', p.unit_amount,
                         'currency', p.currency, 'deleted', p.deleted)
from payments.stripe_prices p where p.environment = $1 and p.price_id = any($2)
union all
select 'payments.attention', json_build_object('objectId', a.object_id, 'reason', a.reason),
       json_build_object('message', a.message, 'openedAt', payments.iso(a.opened_at),
                         'closedAt', payments.iso(a.closed_at))
from payments.attention a
where a.environment = $1 and a.object_id = any((select ids from known)::text[]) and a.closed_at is null
union all
select 'payments.refetch_queue', json_build_object('objectType', r.object_type, 'objectId', r.object_id),
       json_build_object('reason', r.reason)
from payments.refetch_queue r
where r.environment = $1 and r.object_id = any((select ids from known)::text[]);

-- name: select_written
-- Rows that this session wrote so far, by table; developers' tables included.
select v.schemaname || '.' || v.relname as "table", v.n_tup_ins as inserted, v.n_tup_upd as updated,
       v.n_tup_del as deleted
from pg_catalog.pg_stat_xact_user_tables v
where v.n_tup_ins + v.n_tup_upd + v.n_tup_del > 0;
