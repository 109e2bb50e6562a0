payments.fulfillments as operators see them, payments.fulfill_event for Python, and payments.reversal_queue. Filters that
are null are not there (see transactions.sql).

-- name: fulfill_event
select payments.fulfill_event($1, $2, $3, $4, $5, $6, $7, $8);

-- name: page
select payments.fulfillment_json(f) as fulfillment, f.created_at as at, f.id
from payments.fulfillments f
where f.environment = $1
  and case when $2::timestamptz is null then true
           when $5::boolean then (f.created_at, f.id) > ($2, $3::uuid)
           else (f.created_at, f.id) < ($2, $3) end
  and ($6::text is null or f.status = $6)
  and ($7::text is null or f.rule = $7)
  and ($8::text is null or f.key = $8)
  and ($9::text is null or f.subject_type = $9 and f.subject_id = $10::text)
  and ($11::text is null or f.payment_key = any (
        select $11::text union
        select o.payment_key from payments.stripe_objects o where o.object_id = $11 and o.environment = $1))
  and ($12::timestamptz is null or f.created_at >= $12)
  and ($13::timestamptz is null or f.created_at < $13)
order by case when not $5 then f.created_at end desc, case when not $5 then f.id end desc,
         case when $5 then f.created_at end, case when $5 then f.id end
limit $4;

-- name: select_one
select payments.fulfillment_json(f) from payments.fulfillments f where f.id = $2 and f.environment = $1;

-- name: release
-- The event that will run again; null when it is not quarantined.
select payments.release_fulfillment($1, $2);

-- name: grant_again
select payments.grant_again($1, $2);

-- name: lease_reversals
with due as (
    select q.environment, q.payment_key from payments.reversal_queue q
    where q.next_attempt_at <= clock_timestamp() and coalesce(q.leased_until < clock_timestamp(), true)
    order by q.next_attempt_at
    limit $1
    for update skip locked
)
update payments.reversal_queue q
set leased_until = clock_timestamp() + $2::interval
from due
where (q.environment, q.payment_key) = (due.environment, due.payment_key)
returning q.environment, q.payment_key, q.attempts;

-- name: lock_payment
select payments.lock_payment($1, $2);

-- name: settle_reversal
select payments.settle_reversal($1, $2);

-- name: put_off_reversal
update payments.reversal_queue
set attempts = attempts + 1, last_error = $3, next_attempt_at = clock_timestamp() + $4::interval, leased_until = null
where payment_key = $2 and environment = $1;
