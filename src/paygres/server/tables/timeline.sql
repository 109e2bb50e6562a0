Everything that concerns one order, subject, event or customer, wherever it is kept. $1 environment, $2 ids of Stripe
objects, $3 rows of checkouts.

-- name: expand
-- What these objects and checkouts belong together with: the members of their payments, the sessions, subscriptions and
-- customers of those. A customer's other payments are not, nor a subscription's other invoices.
with keys as (
    select o.payment_key as id from payments.stripe_objects o
    where o.object_id = any($2::text[]) and o.environment = $1 and o.payment_key is not null
    union
    select unnest($2)
), rows as (
    select t.* from payments.transactions t
    where t.provider = 'stripe' and t.environment = $1
      and t.provider_object_type = any(array['payment_intent', 'invoice', 'checkout_session', 'charge', 'refund'])
      and t.provider_object_id = any(array(select id from keys))
), sessions as (
    select c.* from payments.stripe_checkout_sessions c
    where c.environment = $1 and (c.id = any($3::uuid[]) or c.checkout_session_id = any($2))
)
select found.id, found.checkout from (
    select id, null::uuid as checkout from keys
    union
    select o.object_id, null from payments.stripe_objects o
    where o.payment_key = any(array(select id from keys)) and o.environment = $1
    union
    select i.invoice_id, null from payments.payment_invoices i
    where i.payment_intent_id = any($2) and i.environment = $1 and i.invoice_id <> ''
    union
    select unnest(array[
        r.provider_object_id, r.provider_parent_object_id, r.provider_customer_id,
        r.related_object_ids ->> 'payment_intent', r.related_object_ids ->> 'checkout_session',
        r.related_object_ids ->> 'charge', r.related_object_ids ->> 'invoice', r.related_object_ids ->> 'refund',
        r.related_object_ids ->> 'subscription']), null
    from rows r
    union
    select unnest(array[s.checkout_session_id, s.payment_intent_id, s.subscription_id, s.customer_id]), null
    from sessions s
    union
    select null, s.id from sessions s
) found
where found.id is not null or found.checkout is not null
limit $4::integer;

-- name: objects_of_customer
select found.id from (
    select $2::text as id
    union
    select t.provider_object_id from payments.transactions t
    where t.provider = 'stripe' and t.environment = $1 and t.provider_customer_id = $2
    union
    select b.subscription_id from payments.stripe_subscriptions b where b.environment = $1 and b.customer_id = $2
    union
    select c.checkout_session_id from payments.stripe_checkout_sessions c
    where c.environment = $1 and c.customer_id = $2
) found
where found.id is not null
limit $3::integer;

-- name: payments_of_subscription
select t.provider_object_id as id
from payments.stripe_subscriptions b
join payments.transactions t
    on t.provider = 'stripe' and t.environment = b.environment and t.provider_customer_id = b.customer_id
where b.environment = $1 and b.subscription_id = $2 and t.related_object_ids ->> 'subscription' = $2
limit $3::integer;

-- name: checkouts_of_subject
select c.id from payments.stripe_checkout_sessions c
where c.environment = $1 and c.subject_type = $2 and c.subject_id = $3
order by c.created_at desc limit $4::integer;

-- name: is_known
select exists (
    select from payments.stripe_snapshots s where s.object_id = $2 and s.environment = $1)
    or exists (
    select from payments.stripe_checkout_sessions c where c.environment = $1 and c.checkout_session_id = $2)
    or exists (
    select from payments.transactions t
    where t.provider = 'stripe' and t.environment = $1
      and t.provider_object_type = any(array['payment_intent', 'invoice', 'checkout_session', 'charge', 'refund'])
      and t.provider_object_id = $2);

-- name: find_row
-- A row of ours by its id: a checkout, or what was fulfilled.
select c.id as checkout, null as payment_key from payments.stripe_checkout_sessions c
where c.id = $2 and c.environment = $1
union all
select f.checkout_session_id, f.payment_key from payments.fulfillments f where f.id = $2 and f.environment = $1;

-- name: find_key
-- A developer's own key: what was fulfilled for it.
select f.payment_key, f.checkout_session_id as checkout from payments.fulfillments f
where f.environment = $1 and f.key = $2
limit 100;

-- name: find_value
-- A developer's own key: checkouts whose metadata has it.
select c.id as checkout from payments.stripe_checkout_sessions c
where c.environment = $1 and jsonb_path_exists(c.metadata, '$.* ? (@ == $wanted)', jsonb_build_object('wanted', $2::text))
order by c.created_at desc limit 100;

-- name: select_tellings
-- Deliveries and reads, as they came.
select s.seq, s.object_type, s.object_id, s.as_of, payments.iso(payments.unix(s.as_of)) as happened_at, s.source,
       s.event_id, s.event_type, s.payload, s.received_at, payments.iso(s.received_at) as received,
       coalesce(q.status, w.processing_status, 'processed') as status,
       case when q.event_id is null then w.last_error else coalesce(q.last_error, w.last_error) end as error,
       greatest(w.attempt_count, q.attempts, 1) as attempts, payments.iso(w.processed_at) as processed_at
from payments.stripe_snapshots s
left join payments.event_queue q on q.event_id = s.event_id and q.environment = s.environment
left join payments.webhook_events w
    on w.provider = 'stripe' and w.environment = s.environment and w.provider_event_id = s.event_id
where s.object_id = any($2::text[]) and s.environment = $1
order by s.seq desc limit $3::integer;

-- name: select_attempts
select a.event_id, a.attempt, payments.iso(a.at) as at, a.outcome, a.error, a.duration_ms
from payments.event_attempts a
where a.event_id = any($2::text[]) and a.environment = $1
order by a.seq limit $3::integer;

-- name: select_settled
-- Which telling each object stands on, and which payment it is about.
select o.object_type, o.object_id, o.as_of, o.source, o.event_id, o.payment_key
from payments.stripe_objects o where o.object_id = any($2::text[]) and o.environment = $1;

-- name: select_links
select i.payment_intent_id, i.invoice_id from payments.payment_invoices i
where i.payment_intent_id = any($2::text[]) and i.environment = $1;

-- name: select_evidence
select k.subject_type, k.subject_id, k.customer_id, k.evidence_id from payments.subject_customers k
where k.customer_id = any($2::text[]) and k.environment = $1;

-- name: select_checkouts
select c.id, c.created_at, payments.iso(c.created_at) as created, c.mode, c.status, c.created_by, c.caller_scope,
       c.subject_type, c.subject_id, c.line_items, c.generation, coalesce(a.attempt, 1) as attempt,
       c.checkout_session_id, c.last_error, payments.iso(c.updated_at) as updated
from payments.stripe_checkout_sessions c left join payments.checkout_attempts a using (id)
where c.environment = $1 and (c.id = any($3::uuid[]) or c.checkout_session_id = any($2::text[]));

-- name: select_fulfillments
select f.id, f.created_at, f.updated_at, f.granted_at, f.share_kept, payments.fulfillment_json(f) as content
from payments.fulfillments f
where f.payment_key = any($2::text[]) and f.environment = $1
order by f.created_at, f.id limit $3::integer;

-- name: select_messages
select m.id, m.created_at, payments.iso(m.created_at) as created, m.type, m.fulfillment_id, m.attempts, m.last_error,
       payments.iso(m.delivered_at) as delivered, payments.iso(m.next_attempt_at) as next_attempt, d.kind, d.name
from payments.outbox m
join payments.destinations d on d.id = m.destination_id
where m.fulfillment_id = any($2::uuid[]) and m.environment = $1
order by m.created_at, m.id limit $3::integer;

-- name: select_acts
select a.seq, a.at, payments.iso(a.at) as done, a.actor, a.action, a.target, a.reason, a.details
from system.audit_log a
where a.target = any($2::text[]) and (a.environment = $1 or a.environment is null)
order by a.seq limit $3::integer;
