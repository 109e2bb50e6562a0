Folding the ledger anew: what it holds, page by page, and what the tables say beside it.

-- name: kinds_in_ledger
-- Which kinds of objects the ledger has, with the range of their ids. $1 environment.
select s.object_type, min(s.object_id) as first, max(s.object_id) as last, count(*) as snapshots
from payments.stripe_snapshots s where s.environment = $1
group by s.object_type;

-- name: objects_page
-- The next objects of a kind: those of the next $5 tellings, $6 at most. $3 exclusive, $4 inclusive.
select distinct found.object_id from (
    select s.object_id from payments.stripe_snapshots s
    where s.environment = $1 and s.object_type = $2 and s.object_id > $3 and s.object_id <= $4
    order by s.object_id limit $5
) found
order by found.object_id limit $6;

-- name: select_snapshots
-- Everything told of some objects, in the order it was heard.
select s.object_id, s.source, s.as_of, s.event_id, s.account_id, coalesce(r.payload, s.payload) as payload
from payments.stripe_snapshots s
left join payments.event_renderings r on r.event_id = s.event_id and r.environment = s.environment
where s.object_id = any($3) and s.object_type = $2 and s.environment = $1
order by s.object_id, s.seq;

-- name: lock_payments
select payment_intent_id, invoice_id from payments.rebuild_locks($1, $2);

-- name: select_stamped
-- Settled objects, those of a payment together, whose first stamp is not of this installation ($2), with what tells whose
-- they are; and whose customer they speak of.
select o.object_type, o.object_id, o.payment_key, coalesce(o.raw -> 'customer' ->> 'id', o.raw ->> 'customer') as customer,
       jsonb_build_object('metadata', o.raw -> 'metadata', 'parent', o.raw -> 'parent',
                          'subscription_details', o.raw -> 'subscription_details') as stamps
from payments.stripe_objects o
where o.environment = $1
  and coalesce(o.raw #>> '{metadata,insforge_installation_id}',
               o.raw #>> '{parent,subscription_details,metadata,insforge_installation_id}',
               o.raw #>> '{subscription_details,metadata,insforge_installation_id}') <> $2
order by o.payment_key, o.object_type, o.object_id;

-- name: take_out_strangers
select payments.take_out_strangers($1, $2, $3, $4);

-- name: rebuild_standing_alone
-- Intents of which Stripe said that they pay no invoice; all, or some.
insert into payments.payment_invoices (environment, payment_intent_id, invoice_id)
select distinct s.environment, s.object_id, ''
from payments.stripe_snapshots s
where s.object_type = 'payment_intent.invoice' and s.environment = $1 and s.source = 'api'
  and ($2::text[] is null or s.object_id = any($2))
on conflict do nothing;

-- name: rebuild_links
select payments.rebuild_links($1, $2);

-- name: rebuild_evidence
select payments.rebuild_evidence($1, $2, $3);

-- name: rebuild_objects
select payments.rebuild_objects($1, $2, $3, $4);

-- name: customers_page
select s.customer_id, max(s.account_id) as account_id
from payments.subject_customers s
where s.environment = $1 and s.customer_id > $2
group by s.customer_id order by s.customer_id limit $3;

-- name: rebuild_mappings
select payments.rebuild_mappings($1, $2, $3);

-- name: payments_page
select distinct o.payment_key from payments.stripe_objects o
where o.environment = $1 and o.payment_key > $2
order by o.payment_key limit $3;

-- name: select_families
select payment_key, account_id, family, alone from payments.families($1, $2);

-- name: rebuild_payments
select payments.rebuild_payments($1, $2, $3);

-- name: select_images
-- Rows that some ids name, without what every write changes; JSON of Stripe's as a digest. $2: ids.
select found."table", found.key, found.content
from (
    select 'payments.stripe_objects' as "table",
           jsonb_build_object('objectType', t.object_type, 'objectId', t.object_id) as key, to_jsonb(t) as content
    from payments.stripe_objects t where t.object_id = any($2::text[]) and t.environment = $1
    union all
    select 'payments.customers', jsonb_build_object('providerCustomerId', t.provider_customer_id), to_jsonb(t)
    from payments.customers t
    where t.provider = 'stripe' and t.environment = $1 and t.provider_customer_id = any($2)
    union all
    select 'payments.stripe_products', jsonb_build_object('productId', t.product_id), to_jsonb(t)
    from payments.stripe_products t where t.environment = $1 and t.product_id = any($2)
    union all
    select 'payments.stripe_prices', jsonb_build_object('priceId', t.price_id), to_jsonb(t)
    from payments.stripe_prices t where t.environment = $1 and t.price_id = any($2)
    union all
    select 'payments.stripe_subscriptions', jsonb_build_object('subscriptionId', t.subscription_id), to_jsonb(t)
    from payments.stripe_subscriptions t where t.environment = $1 and t.subscription_id = any($2)
    union all
    select 'payments.stripe_subscription_items',
           jsonb_build_object('subscriptionId', t.subscription_id, 'subscriptionItemId', t.subscription_item_id),
           to_jsonb(t)
    from payments.stripe_subscription_items t where t.environment = $1 and t.subscription_id = any($2)
    union all
    select 'payments.stripe_checkout_sessions', jsonb_build_object('id', t.id), to_jsonb(t)
    from payments.stripe_checkout_sessions t where t.environment = $1 and t.checkout_session_id = any($2)
    union all
    select 'payments.transactions',
           jsonb_build_object('objectType', t.provider_object_type, 'objectId', t.provider_object_id), to_jsonb(t)
    from payments.transactions t
    where t.provider = 'stripe' and t.environment = $1
      and t.provider_object_type = any(array['payment_intent', 'invoice', 'checkout_session', 'charge', 'refund'])
      and t.provider_object_id = any($2)
    union all
    select 'payments.subject_customers',
           jsonb_build_object('subjectType', t.subject_type, 'subjectId', t.subject_id, 'customerId', t.customer_id),
           to_jsonb(t)
    from payments.subject_customers t where t.customer_id = any($2) and t.environment = $1
    union all
    select 'payments.customer_mappings',
           jsonb_build_object('subjectType', t.subject_type, 'subjectId', t.subject_id), to_jsonb(t)
    from payments.customer_mappings t
    where t.provider = 'stripe' and t.environment = $1 and t.provider_customer_id = any($2)
    union all
    select 'payments.payment_invoices', jsonb_build_object('paymentIntentId', t.payment_intent_id), to_jsonb(t)
    from payments.payment_invoices t where t.payment_intent_id = any($2) and t.environment = $1
    union all
    select 'payments.attention', jsonb_build_object('objectId', t.object_id, 'reason', t.reason),
           to_jsonb(t) - 'opened_at'
    from payments.attention t where t.object_id = any($2) and t.environment = $1 and t.closed_at is null
) rows
cross join lateral (
    select rows."table", rows.key,
           (rows.content - array['id', 'created_at', 'updated_at', 'synced_at', 'raw'])
           || case when rows.content ? 'raw' then jsonb_build_object('raw', md5((rows.content -> 'raw')::text))
                   else '{}' end as content
) found;

-- name: select_extra
-- Rows about objects of which the ledger has never heard. Ours (checkouts, operators' words) are not among them. At
-- most $3 of each table; transactions are only looked at when their payments have just been rebuilt ($2).
(select 'payments.stripe_objects' as "table", json_build_object('objectType', t.object_type, 'objectId', t.object_id) as key
 from payments.stripe_objects t
 where t.environment = $1 and not exists (
    select from payments.stripe_snapshots s
    where s.object_id = t.object_id and s.object_type = t.object_type and s.environment = t.environment)
 limit $3::integer)
union all
(select 'payments.customers', json_build_object('providerCustomerId', t.provider_customer_id)
 from payments.customers t
 where t.provider = 'stripe' and t.environment = $1 and not exists (
    select from payments.stripe_snapshots s
    where s.object_id = t.provider_customer_id and s.object_type = 'customer' and s.environment = t.environment)
 limit $3)
union all
(select 'payments.stripe_products', json_build_object('productId', t.product_id)
 from payments.stripe_products t
 where t.environment = $1 and not exists (
    select from payments.stripe_snapshots s
    where s.object_id = t.product_id and s.object_type = 'product' and s.environment = t.environment)
 limit $3)
union all
(select 'payments.stripe_prices', json_build_object('priceId', t.price_id)
 from payments.stripe_prices t
 where t.environment = $1 and not exists (
    select from payments.stripe_snapshots s
    where s.object_id = t.price_id and s.object_type = 'price' and s.environment = t.environment)
 limit $3)
union all
(select 'payments.stripe_subscriptions', json_build_object('subscriptionId', t.subscription_id)
 from payments.stripe_subscriptions t
 where t.environment = $1 and not exists (
    select from payments.stripe_snapshots s
    where s.object_id = t.subscription_id and s.object_type = 'subscription' and s.environment = t.environment)
 limit $3)
union all
(select 'payments.stripe_subscription_items', json_build_object('subscriptionItemId', t.subscription_item_id)
 from payments.stripe_subscription_items t
 where t.environment = $1 and not exists (
    select from payments.stripe_snapshots s
    where s.object_id = t.subscription_id and s.object_type = 'subscription' and s.environment = t.environment)
 limit $3)
union all
(select 'payments.transactions', json_build_object('objectType', t.provider_object_type, 'objectId', t.provider_object_id)
 from payments.transactions t
 where t.provider = 'stripe' and t.environment = $1 and $2::boolean
   and not payments.is_told(t.environment, t.provider_object_type, t.provider_object_id)
 limit $3)
union all
(select 'payments.subject_customers',
        json_build_object('subjectType', t.subject_type, 'subjectId', t.subject_id, 'customerId', t.customer_id)
 from payments.subject_customers t
 where t.environment = $1 and not t.by_operator and not exists (
    select from payments.stripe_snapshots s where s.object_id = t.evidence_id and s.environment = t.environment)
 limit $3)
union all
(select 'payments.customer_mappings', json_build_object('subjectType', t.subject_type, 'subjectId', t.subject_id)
 from payments.customer_mappings t
 where t.provider = 'stripe' and t.environment = $1 and not exists (
    select from payments.subject_customers k
    where k.subject_id = t.subject_id and k.subject_type = t.subject_type and k.environment = t.environment
      and k.customer_id = t.provider_customer_id)
 limit $3)
union all
(select 'payments.payment_invoices', json_build_object('paymentIntentId', t.payment_intent_id)
 from payments.payment_invoices t
 where t.environment = $1 and t.invoice_id <> '' and not exists (
    select from payments.stripe_snapshots s
    where s.object_id in (t.invoice_id, t.invoice_payment_id) and s.environment = t.environment)
 limit $3);

-- name: transactions_page
-- Names of payments' rows, in order; for a rehearsal, which knows what they should be.
select t.id, t.provider_object_type, t.provider_object_id from payments.transactions t
where t.provider = 'stripe' and t.environment = $1 and t.id > $2
order by t.id limit $3;

-- name: remove_extra
select payments.remove_extra($1);
