payments.outbox: messages about fulfillments, one a destination; written by payments.announce_fulfillment.

-- name: lease
-- The oldest due ones of each destination that this process serves and is not busy with. $3: busy destinations; $4:
-- functions that run after the commit and that this process has.
update payments.outbox o
set leased_until = clock_timestamp() + $2::interval
from (
    select d.environment, d.kind, d.name, d.url, due.id
    from payments.destinations d
    cross join lateral (
        select m.id from payments.outbox m
        where m.destination_id = d.id and m.next_attempt_at <= clock_timestamp()
          and coalesce(m.leased_until < clock_timestamp(), true)
        order by m.next_attempt_at
        limit $1
        for update skip locked
    ) due
    where d.active and d.id <> all ($3::uuid[]) and (d.kind = 'webhook' or d.name = any ($4::text[]))
) found
where o.id = found.id
returning o.id, o.destination_id, found.environment, found.kind, found.name, found.url, o.type, o.content,
          payments.iso(o.created_at) as created_at, o.attempts;

-- name: delivered
update payments.outbox
set delivered_at = now(), next_attempt_at = null, leased_until = null, attempts = attempts + 1, last_error = null
where id = $1;

-- name: failed
-- $3 null: given up, which an operator is told once a destination.
with failed as (
    update payments.outbox
    set next_attempt_at = clock_timestamp() + $3::interval, leased_until = null, attempts = attempts + 1,
        last_error = $2
    where id = $1
    returning environment, destination_id, type, next_attempt_at, attempts
)
insert into payments.attention (environment, reason, object_type, object_id, message, details)
select f.environment, 'message_undelivered', 'destination', f.destination_id::text,
       format('%s could not be delivered to %s in %s attempts: %s. Mend the receiver, then send it again.', f.type,
              d.name, f.attempts, $2),
       jsonb_build_object('messageId', $1, 'type', f.type)
from failed f join payments.destinations d on d.id = f.destination_id
where f.next_attempt_at is null
on conflict do nothing;

-- name: page
select o.created_at as at, o.id, o.type, o.fulfillment_id, o.content, o.attempts,
       payments.iso(o.next_attempt_at) as next_attempt_at, payments.iso(o.delivered_at) as delivered_at, o.last_error,
       payments.iso(o.created_at) as created_at
from payments.outbox o
where o.environment = $1 and o.destination_id = $5::uuid
  and ($2::timestamptz is null or (o.created_at, o.id) < ($2, $3::uuid))
  and ($6::text is null or $6 = case when o.delivered_at is not null then 'delivered'
                                     when o.next_attempt_at is null then 'given_up' else 'pending' end)
  and ($7::timestamptz is null or o.created_at >= $7) and ($8::timestamptz is null or o.created_at < $8)
order by o.created_at desc, o.id desc limit $4;

-- name: send_again
update payments.outbox
set next_attempt_at = clock_timestamp(), attempts = 0, delivered_at = null, leased_until = null
where id = $3 and destination_id = $2 and environment = $1
returning id, type, fulfillment_id, content, attempts, payments.iso(next_attempt_at) as next_attempt_at,
          payments.iso(delivered_at) as delivered_at, last_error, payments.iso(created_at) as created_at;

-- name: count_undelivered
-- `oldest` in seconds. Reversals: payments whose fulfillments keep another amount than their rows say.
select e.environment, o.undelivered, o.oldest,
       (select count(*) from payments.reversal_queue q where q.environment = e.environment) as reversals
from (values ('test'), ('live')) as e (environment)
cross join lateral (
    select count(*) as undelivered,
           coalesce(extract(epoch from clock_timestamp() - min(m.created_at)), 0)::double precision as oldest
    from payments.outbox m where m.environment = e.environment and m.next_attempt_at is not null
) o;
