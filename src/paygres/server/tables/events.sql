The event ledger, its queue and the marks on payments.webhook_events; the functions are in migrations/functions.

-- name: open_event
-- Called, not selected from: PostgreSQL would copy the row through a store of its own.
select payments.open_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: close_event
select payments.close_event($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: project_event
select status, error from payments.project_event($1, $2, $3, $4);

-- name: wait_for
-- Only a process with these listeners finishes the event; one that has them takes it at once.
update payments.event_queue set waits_for = $3, next_attempt_at = clock_timestamp()
where event_id = $2 and environment = $1;

-- name: mark_event
select payments.mark_event($1, $2, $3, $4, $5, $6);

-- name: keep_event
select payments.keep_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: lease_events
with due as (
    select q.environment, q.event_id from payments.event_queue q
    where q.next_attempt_at <= clock_timestamp() and coalesce(q.leased_until < clock_timestamp(), true)
      and (q.waits_for is null or q.waits_for <@ $3::text[])
    order by q.next_attempt_at
    limit $1
    for update skip locked
)
update payments.event_queue q
set leased_until = clock_timestamp() + $2::interval
from due
join payments.stripe_snapshots s on s.environment = due.environment and s.event_id = due.event_id
left join payments.event_renderings r on r.environment = due.environment and r.event_id = due.event_id
where (q.environment, q.event_id) = (due.environment, due.event_id)
returning q.environment, s.account_id, coalesce(r.payload, s.payload) as payload, q.attempts;

-- name: keep_rendering
insert into payments.event_renderings (environment, event_id, payload)
select $1, $2, $3 from payments.stripe_snapshots s
where s.event_id = $2 and s.environment = $1 and s.payload <> $3
on conflict do nothing;

-- name: put_off
select payments.queue_event($1, $2, 'failed', $3, $4, $5);

-- name: count_queue
select count(*) filter (where status = 'pending') as pending,
       count(*) filter (where status = 'failed' and next_attempt_at is not null) as failed,
       count(*) filter (where next_attempt_at is null) as dead
from payments.event_queue;
