What a write at Stripe must know of the mirror, before and after.

-- name: known
select o.as_of, o.raw from payments.stripe_objects o
where o.object_id = $3 and o.object_type = $2 and o.environment = $1;

-- name: read_again
insert into payments.refetch_queue (environment, object_type, object_id, reason, next_attempt_at)
values ($1, $2, $3, 'written within a second of its last change', to_timestamp($4::bigint))
on conflict (environment, object_type, object_id) do update
    set next_attempt_at = greatest(refetch_queue.next_attempt_at, excluded.next_attempt_at);
