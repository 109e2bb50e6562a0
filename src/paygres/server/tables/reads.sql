Objects read at Stripe's API, and the queue of those that must be.

-- name: take_locks
select payments.take_locks($1);

-- name: open_read
select head, rivals, family from payments.open_read($1, $2, $3, $4, $5, $6);

-- name: close_read
select payments.close_read($1, $2, $3, $4, $5, $6, $7);

-- name: lease_refetches
with due as (
    select environment, object_type, object_id from payments.refetch_queue
    where next_attempt_at <= clock_timestamp() and coalesce(leased_until < clock_timestamp(), true)
    order by next_attempt_at limit $1 for update skip locked
)
update payments.refetch_queue q set leased_until = clock_timestamp() + $2::interval, attempts = q.attempts + 1
from due where (q.environment, q.object_type, q.object_id) = (due.environment, due.object_type, due.object_id)
returning q.environment, q.object_type, q.object_id, q.attempts;

-- name: postpone_refetch
update payments.refetch_queue
set next_attempt_at = clock_timestamp() + $4::interval, leased_until = null, last_error = $5
where environment = $1 and object_type = $2 and object_id = $3;

-- name: drop_refetch
delete from payments.refetch_queue where environment = $1 and object_type = $2 and object_id = $3;
