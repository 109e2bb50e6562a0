The event ledger, its queue and the marks on payments.webhook_events; the functions are in migrations/functions.

-- name: open_event
select state, attempts, head, rivals, family, invoice, event
from payments.open_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: close_event
select status, error, event from payments.close_event($1, $2, $3, $4, $5, $6, $7, $8);

-- name: mark_event
select payments.mark_event($1, $2, $3, $4, $5, $6);

-- name: keep_event
select payments.keep_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: lease_events
with due as (
    select q.environment, q.event_id from payments.event_queue q
    where q.next_attempt_at <= clock_timestamp() and coalesce(q.leased_until < clock_timestamp(), true)
    order by q.next_attempt_at
    limit $1
    for update skip locked
)
update payments.event_queue q
set leased_until = clock_timestamp() + $2::interval
from due, payments.stripe_snapshots s
where (q.environment, q.event_id) = (due.environment, due.event_id)
  and s.environment = q.environment and s.event_id = q.event_id
returning q.environment, s.account_id, s.payload, q.replayed;

-- name: count_queue
select count(*) filter (where status = 'pending') as pending,
       count(*) filter (where status = 'failed' and next_attempt_at is not null) as failed,
       count(*) filter (where next_attempt_at is null) as dead
from payments.event_queue;
