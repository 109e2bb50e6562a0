Comparing the mirror with Stripe: pages of objects, payments, and rows that Stripe did not list.

-- name: known_objects
select nth, known, recent, deleted, account_id, payment_key, misplaced, raw
from payments.known_objects($1, $2, $3, $4, $5, $6, $7, $8);

-- name: compare_rows
select table_name, key, object_id, ours, stripes from payments.compare_rows($1, $2, $3, $4, $5, $6);

-- name: insert_seen
insert into payments.reconciliation_objects (reconciliation_id, object_type, object_id, payment_key, as_of, payload)
select $1, $2, u.object_id, u.payment_key, $3, u.payload
from unnest($4::text[], $5::text[], $6::text[]) as u (object_id, payment_key, payload)
on conflict (reconciliation_id, object_type, object_id) do nothing;

-- name: select_kept
-- Which of some objects have a settled state here.
select o.object_id from payments.stripe_objects o
where o.object_id = any ($3) and o.object_type = $2 and o.environment = $1;

-- name: select_different
-- Objects that a page told otherwise than our rows do.
select object_type, object_id, as_of, payload from payments.reconciliation_objects
where reconciliation_id = $1 and payload is not null and (object_type, object_id) > ($2, $3)
  and object_type = any ($4)
order by object_type, object_id limit $5;

-- name: update_looked
-- What the second look says of them; our rows may say the same by now.
update payments.reconciliation_objects s
set payment_key = u.payment_key, payload = case when u.differs then s.payload end
from unnest($3::text[], $4::text[], $5::boolean[]) as u (object_id, payment_key, differs)
where s.reconciliation_id = $1 and s.object_type = $2 and s.object_id = u.object_id;

-- name: select_payments
select payment_key from payments.reconciliation_objects
where reconciliation_id = $1 and payment_key > $2 group by payment_key order by payment_key limit $3;

-- name: lock_payments
select payments.lock_payments($1, $2);

-- name: payment_families
select payment_key, stands_alone, members from payments.payment_families($1, $2, $3);

-- name: apply_rows
select payments.apply_rows($1, $2, $3);

-- name: revive
select payments.revive($1, $2, $3, $4);

-- name: settle_mappings
select payments.settle_mappings_of_customers($1, $2, payments.customers_of($3));

-- name: leave_payment
select payments.leave_payment($1, $2, $3);

-- name: count_unlisted
-- (objects of a type that are kept here, those of them that Stripe did not list)
with kept as materialized (
    select distinct u.object_id from payments.standing_rows($2, $3, $4) u
    where ($5::bigint is null or u.made >= $5) and coalesce(u.made < $6, true)
)
select count(*) as kept, count(*) filter (where not exists (
    select from payments.reconciliation_objects s
    where s.reconciliation_id = $1 and s.object_type = $4 and s.object_id = k.object_id)) as missing
from kept k;

-- name: select_unlisted
-- Rows of objects that Stripe did not list, object by object.
with listed as materialized (
    select distinct u.object_id from payments.standing_rows($2, $3, $4) u
    where ($5::bigint is null or u.made >= $5) and coalesce(u.made < $6, true) and u.object_id > $7
      and not exists (
          select from payments.reconciliation_objects s
          where s.reconciliation_id = $1 and s.object_type = $4 and s.object_id = u.object_id)
    order by u.object_id limit $8
)
select u.object_id, u.table_name, u.key, u.payment_key, u.amount, u.currency
from listed n join payments.standing_rows($2, $3, $4) u on u.object_id = n.object_id
order by u.object_id, u.table_name, u.key;

-- name: select_listed
select s.object_type, s.object_id from unnest($2::text[], $3::text[]) as u (object_type, object_id)
join payments.reconciliation_objects s
    on s.reconciliation_id = $1 and s.object_type = u.object_type and s.object_id = u.object_id;

-- name: unmapped_subscriptions
insert into payments.reconciliation_findings (
    reconciliation_id, class, table_name, key, object_type, object_id, payment_key, amount, currency)
select $1, 'unmapped', 'stripe_subscriptions', s.subscription_id, 'subscription', s.subscription_id,
       s.subscription_id, sold.amount, sold.currency
from payments.stripe_subscriptions s
left join lateral payments.sold_by(s.environment, s.subscription_id) sold on true
where s.environment = $2 and s.account_id in ('', $3) and s.subject_id is null and payments.is_live(s.status)
on conflict do nothing;

-- name: unmapped_customers
-- One row a customer and currency; the money is that of all their payments for nobody.
insert into payments.reconciliation_findings (
    reconciliation_id, class, table_name, key, object_type, object_id, columns, payment_key, amount, currency)
select $1, 'unmapped', 'customers', concat_ws(':', t.provider_customer_id, t.currency), 'customer',
       t.provider_customer_id, jsonb_build_object('payments', count(*)),
       concat_ws(':', t.provider_customer_id, t.currency), sum(t.amount), t.currency
from payments.transactions t
where t.provider = 'stripe' and t.environment = $2 and t.account_id in ('', $3) and t.subject_id is null
  and t.provider_customer_id is not null and t.type <> 'refund'
  and t.status in ('succeeded', 'partially_refunded')
  and not exists (
      select from payments.subject_customers k
      where k.customer_id = t.provider_customer_id and k.environment = t.environment)
group by t.provider_customer_id, t.currency
on conflict do nothing;
