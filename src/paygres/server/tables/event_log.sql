The event log for operators: payments.stripe_snapshots has every event, payments.event_queue what is unfinished,
payments.webhook_events what developers see, payments.event_attempts what did not go right at first.
The page_of_… queries find a page's ids by the three ways a filter can be served, with the same parameters:
$1 environment, $2 type, $3 beginning of types, $4 object type, $5 objects, $6 from, $7 to, $8 and $9 time and number of
the last event of the page before, $10 limit, $11 status.

-- name: page_of_types
-- Every type is walked by itself, newest first: a rare type, or an environment with few events, is as fast as others.
-- Without $11: the status of what is done is looked at afterwards, or types that never have it would be read to the end.
with recursive types as (
    select min(s.event_type) as event_type from payments.stripe_snapshots s
    union all
    select (select min(s.event_type) from payments.stripe_snapshots s where s.event_type > t.event_type)
    from types t where t.event_type is not null
)
select found.event_id, found.received_at, found.seq
from types t
cross join lateral (
    select s.event_id, s.received_at, s.seq
    from payments.stripe_snapshots s
    where s.event_type = t.event_type and s.environment = $1::text
      and ($4::text is null or s.object_type = $4) and ($5::text[] is null or s.object_id = any($5))
      and s.received_at >= coalesce($6::timestamptz, '-infinity') and s.received_at < coalesce($7::timestamptz, 'infinity')
      and s.received_at <= coalesce($8::timestamptz, 'infinity')
      and (s.received_at, s.seq) < (coalesce($8::timestamptz, 'infinity'), coalesce($9::bigint, 0))
    order by s.received_at desc, s.seq desc
    limit $10::integer
) found
where t.event_type is not null and ($2::text is null or t.event_type = $2)
  and ($3::text is null or starts_with(t.event_type, $3))
order by found.received_at desc, found.seq desc
limit $10::integer;

-- name: page_of_objects
select s.event_id, s.received_at, s.seq
from payments.stripe_snapshots s
left join payments.event_queue q on q.event_id = s.event_id and q.environment = s.environment
left join payments.webhook_events w
    on w.provider = 'stripe' and w.environment = s.environment and w.provider_event_id = s.event_id
where s.object_id = any($5::text[]) and s.environment = $1::text and s.source = 'event'
  and ($4::text is null or s.object_type = $4)
  and ($2::text is null or s.event_type = $2) and ($3::text is null or starts_with(s.event_type, $3))
  and s.received_at >= coalesce($6::timestamptz, '-infinity') and s.received_at < coalesce($7::timestamptz, 'infinity')
  and (s.received_at, s.seq) < (coalesce($8::timestamptz, 'infinity'), coalesce($9::bigint, 0))
  and ($11::text is null or q.event_id is null and coalesce(w.processing_status, 'processed') = $11)
order by s.received_at desc, s.seq desc
limit $10::integer;

-- name: page_of_queue
select s.event_id, s.received_at, s.seq
from payments.event_queue q
join payments.stripe_snapshots s on s.event_id = q.event_id and s.environment = q.environment
where q.environment = $1::text
  and ($11::text in (q.status, payments.event_state(q.status, q.reason, q.next_attempt_at)))
  and ($2::text is null or s.event_type = $2) and ($3::text is null or starts_with(s.event_type, $3))
  and ($4::text is null or s.object_type = $4) and ($5::text[] is null or s.object_id = any($5))
  and s.received_at >= coalesce($6::timestamptz, '-infinity') and s.received_at < coalesce($7::timestamptz, 'infinity')
  and (s.received_at, s.seq) < (coalesce($8::timestamptz, 'infinity'), coalesce($9::bigint, 0))
order by s.received_at desc, s.seq desc
limit $10::integer;

-- name: objects_of_subject
-- What a subject's events are about: its payments with all their objects, subscriptions, sessions and customers.
select found.object_id from (
    select t.provider_object_id as object_id from payments.transactions t
    where t.provider = 'stripe' and t.environment = $1 and t.subject_type = $2 and t.subject_id = $3
    union
    select jsonb_path_query(t.related_object_ids, 'strict $.** ? (@.type() == "string")') #>> '{}'
    from payments.transactions t
    where t.provider = 'stripe' and t.environment = $1 and t.subject_type = $2 and t.subject_id = $3
    union
    select unnest(array[b.subscription_id, b.latest_invoice_id]) from payments.stripe_subscriptions b
    where b.environment = $1 and b.subject_type = $2 and b.subject_id = $3
    union
    select unnest(array[c.checkout_session_id, c.payment_intent_id]) from payments.stripe_checkout_sessions c
    where c.environment = $1 and c.subject_type = $2 and c.subject_id = $3
    union
    select k.customer_id from payments.subject_customers k
    where k.subject_id = $3 and k.subject_type = $2 and k.environment = $1
    union
    select m.provider_customer_id from payments.customer_mappings m
    where m.provider = 'stripe' and m.environment = $1 and m.subject_type = $2 and m.subject_id = $3
) found
where found.object_id is not null
limit $4;

-- name: show_events
-- Events by id, in the order asked for. In the ledger but not in webhook_events: a developer's trigger keeps it out.
select s.event_id, s.seq, s.event_type, s.account_id, s.object_type, s.object_id, s.as_of,
       coalesce(w.livemode, (s.payload::json ->> 'livemode')::boolean, false) as livemode,
       coalesce(q.status, w.processing_status, 'processed') as status,
       greatest(w.attempt_count, q.attempts, 1) as attempts,
       case when q.event_id is null then w.last_error else coalesce(q.last_error, w.last_error) end as last_error,
       payments.iso(s.received_at) as received_at, payments.iso(w.processed_at) as processed_at,
       payments.iso(coalesce(w.created_at, s.received_at)) as created_at,
       payments.iso(coalesce(w.updated_at, s.received_at)) as updated_at,
       w.id is not null as marked,
       payments.event_state(q.status, q.reason, q.next_attempt_at) as state,
       payments.iso(q.next_attempt_at) as next_attempt_at, q.reason, payments.iso(q.deadline) as deadline,
       q.attempts as queue_attempts, coalesce(q.replayed, false) as replayed
from unnest($2::text[]) with ordinality as wanted (event_id, place)
join payments.stripe_snapshots s on s.event_id = wanted.event_id and s.environment = $1
left join payments.event_queue q on q.event_id = s.event_id and q.environment = s.environment
left join payments.webhook_events w
    on w.provider = 'stripe' and w.environment = s.environment and w.provider_event_id = s.event_id
order by wanted.place;

-- name: select_payload
select coalesce(r.payload, s.payload) as payload, s.account_id
from payments.stripe_snapshots s
left join payments.event_renderings r on r.event_id = s.event_id and r.environment = s.environment
where s.event_id = $2 and s.environment = $1;

-- name: select_attempts
select a.attempt, payments.iso(a.at) as at, a.outcome, a.error, a.duration_ms
from payments.event_attempts a
where a.event_id = $2 and a.environment = $1
order by a.seq desc
limit $3;

-- name: select_previous
-- The telling of the same object just before this event's.
select p.source, p.event_id, p.event_type, p.as_of, payments.iso(payments.unix(p.as_of)) as at, p.payload
from payments.stripe_snapshots s
join payments.stripe_snapshots p
    on p.object_id = s.object_id and p.object_type = s.object_type and p.environment = s.environment
    and (p.as_of, p.seq) < (s.as_of, s.seq)
where s.event_id = $2 and s.environment = $1
order by p.as_of desc, p.seq desc
limit 1;

-- name: queue_again
-- For an operator. Leased to who asks, for $3; a done event starts where its attempts ended.
insert into payments.event_queue as q (environment, event_id, status, attempts, next_attempt_at, leased_until, replayed)
select s.environment, s.event_id, 'pending', greatest(coalesce(w.attempt_count, 1), 1), clock_timestamp(),
       now() + $3::interval, true
from payments.stripe_snapshots s
left join payments.webhook_events w
    on w.provider = 'stripe' and w.environment = s.environment and w.provider_event_id = s.event_id
where s.event_id = $2 and s.environment = $1
on conflict (environment, event_id) do update
set next_attempt_at = clock_timestamp(), replayed = true,
    leased_until = case when q.leased_until > clock_timestamp() then q.leased_until else excluded.leased_until end
returning q.xmax = 0 as was_done, q.leased_until = now() + $3::interval as ours;

-- name: keep_first_attempt
-- Before a done event is run again: how it ended so far, unless that is on record.
insert into payments.event_attempts (environment, event_id, attempt, at, outcome, error)
select w.environment, w.provider_event_id, greatest(w.attempt_count, 1), coalesce(w.processed_at, w.updated_at),
       w.processing_status, w.last_error
from payments.webhook_events w
where w.provider = 'stripe' and w.environment = $1 and w.provider_event_id = $2
  and not exists (select from payments.event_attempts a where a.event_id = $2 and a.environment = $1);

-- name: give_back
update payments.event_queue set leased_until = null where event_id = $2 and environment = $1;

-- name: retry_queued
-- Unfinished events of a selection, oldest first, due at once.
with chosen as (
    select q.event_id from payments.event_queue q
    join payments.stripe_snapshots s on s.event_id = q.event_id and s.environment = q.environment
    where q.environment = $1 and $2::text in (q.status, payments.event_state(q.status, q.reason, q.next_attempt_at))
      and ($3::text is null or s.event_type = $3) and ($4::text is null or starts_with(s.event_type, $4))
      and s.received_at >= coalesce($5::timestamptz, '-infinity')
      and s.received_at < coalesce($6::timestamptz, 'infinity')
    order by s.received_at, s.seq
    limit $7
    for update of q skip locked
)
update payments.event_queue q set next_attempt_at = clock_timestamp()
from chosen
where q.event_id = chosen.event_id and q.environment = $1
returning q.event_id;

-- name: newest_position
select coalesce((select max(seq) from payments.stripe_snapshots), 0) as ledger,
       coalesce((select max(seq) from payments.event_attempts), 0) as attempts;

-- name: changes_since
-- Ids of events that came ($2: ledger) or were tried again ($3: attempts) after a position.
select found.event_id, found.ledger, found.attempts from (
    (select s.event_id, s.seq as ledger, null::bigint as attempts
     from payments.stripe_snapshots s
     where s.seq > $2 and s.environment = $1 and s.event_id is not null
     order by s.seq limit $4)
    union all
    (select a.event_id, null, a.seq
     from payments.event_attempts a
     where a.seq > $3 and a.environment = $1
     order by a.seq limit $4)
) found
order by found.ledger nulls last, found.attempts;
