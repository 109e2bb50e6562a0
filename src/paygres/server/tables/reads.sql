Objects read at Stripe's API, and the queue of those that must be.

-- name: take_locks
select payments.take_locks($1);

-- name: open_read
select head, rivals, family, invoice from payments.open_read($1, $2, $3, $4, $5);

-- name: close_read
select payments.close_read($1, $2, $3, $4, $5, $6, $7);

-- name: open_page
select nth, same, head, rivals from payments.open_page($1, $2, $3, $4, $5, $6, $7);

-- name: close_page
select payments.close_page($1, $2, $3, $4, $5, $6, $7);

-- name: lease_refetches
-- What became known by another road meanwhile is dropped.
with satisfied as (
    delete from payments.refetch_queue q
    where q.only_if_unknown and q.next_attempt_at <= clock_timestamp()
      and case q.object_type
          when 'payment_intent.invoice' then exists (
              select from payments.payment_invoices i
              where i.payment_intent_id = q.object_id and i.environment = q.environment and i.invoice_id <> '')
          else exists (
              select from payments.stripe_objects o
              where o.object_id = q.object_id and o.object_type = q.object_type and o.environment = q.environment)
          end
    returning q.environment, q.object_type, q.object_id
), due as (
    select environment, object_type, object_id from payments.refetch_queue q
    where next_attempt_at <= clock_timestamp() and coalesce(leased_until < clock_timestamp(), true)
      and not exists (select from satisfied s where (s.environment, s.object_type, s.object_id)
                      = (q.environment, q.object_type, q.object_id))
    order by next_attempt_at limit $1 for update skip locked
)
update payments.refetch_queue q set leased_until = clock_timestamp() + $2::interval, attempts = q.attempts + 1
from due where (q.environment, q.object_type, q.object_id) = (due.environment, due.object_type, due.object_id)
returning q.environment, q.object_type, q.object_id, q.attempts,
    (select o.account_id from payments.stripe_objects o
     where o.object_id = q.object_id and o.environment = q.environment limit 1) as account_id;

-- name: postpone_refetch
update payments.refetch_queue
set next_attempt_at = clock_timestamp() + $4::interval, leased_until = null, last_error = $5
where environment = $1 and object_type = $2 and object_id = $3;

-- name: drop_refetch
delete from payments.refetch_queue where environment = $1 and object_type = $2 and object_id = $3;

-- name: wake_parked
-- Events about the object that wait because they cannot be read.
update payments.event_queue q set next_attempt_at = clock_timestamp()
where q.environment = $1 and q.reason like 'parked:%' and q.next_attempt_at > clock_timestamp()
  and exists (select from payments.stripe_snapshots s
              where s.event_id = q.event_id and s.environment = q.environment and s.object_id = $3
                and s.object_type = $2)
returning q.event_id;

-- name: settle_standing_alone
-- The ledger keeps Stripe's answer too: a rebuild must not have to ask again.
with settled as (
    insert into payments.payment_invoices (environment, payment_intent_id, invoice_id) values ($1, $2, '')
    on conflict do nothing
    returning payment_intent_id
)
insert into payments.stripe_snapshots (environment, account_id, object_type, object_id, as_of, source, payload)
select $1, '', 'payment_intent.invoice', settled.payment_intent_id, floor(extract(epoch from now()))::bigint, 'api',
       '{"object": "list", "data": []}'
from settled;
