Events chosen to run again, and what would fire when they do.

-- name: select_events
-- The oldest events of a selection behind number $9. $2 type, $3 beginning of types, $4 objects, $5 from, $6 to,
-- $7 status, $8 ids, $10 limit.
select s.event_id, s.seq
from payments.stripe_snapshots s
left join payments.event_queue q on q.event_id = s.event_id and q.environment = s.environment
left join payments.webhook_events w
    on w.provider = 'stripe' and w.environment = s.environment and w.provider_event_id = s.event_id
where s.environment = $1::text and s.event_id is not null
  and ($2::text is null or s.event_type = $2) and ($3::text is null or starts_with(s.event_type, $3))
  and ($4::text[] is null or s.object_id = any($4))
  and s.received_at >= coalesce($5::timestamptz, '-infinity') and s.received_at < coalesce($6::timestamptz, 'infinity')
  and ($7::text is null or $7 in (
      coalesce(q.status, w.processing_status, 'processed'),
      payments.event_state(q.status, q.reason, q.next_attempt_at)))
  and ($8::text[] is null or s.event_id = any($8))
  and s.seq > $9::bigint
order by s.seq
limit $10::integer;

-- name: keep_first_attempts
-- How done events ended so far, unless that is on record.
insert into payments.event_attempts (environment, event_id, attempt, at, outcome, error)
select w.environment, w.provider_event_id, greatest(w.attempt_count, 1), coalesce(w.processed_at, w.updated_at),
       w.processing_status, w.last_error
from payments.webhook_events w
where w.provider = 'stripe' and w.environment = $1 and w.provider_event_id = any($2::text[])
  and not exists (select from payments.event_queue q where q.event_id = w.provider_event_id and q.environment = $1)
  and not exists (select from payments.event_attempts a where a.event_id = w.provider_event_id and a.environment = $1);

-- name: queue_events
-- Due at once, in the order given. One that somebody is at stays theirs.
insert into payments.event_queue as q (environment, event_id, status, attempts, next_attempt_at, replayed)
select $1, chosen.event_id, 'pending', greatest(coalesce(w.attempt_count, 1), 1),
       clock_timestamp() + chosen.nth * interval '1 microsecond', true
from unnest($2::text[]) with ordinality as chosen (event_id, nth)
left join payments.webhook_events w
    on w.provider = 'stripe' and w.environment = $1 and w.provider_event_id = chosen.event_id
on conflict (environment, event_id) do update set next_attempt_at = excluded.next_attempt_at, replayed = true;

-- name: select_triggers
-- Triggers of developers on our tables. Ours call functions of our schemas.
select n.nspname || '.' || c.relname as "table", t.tgname as name, fn.nspname || '.' || f.proname as function,
       case when t.tgtype & 2 > 0 then 'before' else 'after' end as timing,
       t.tgtype & 4 > 0 as on_insert, t.tgtype & 16 > 0 as on_update
from pg_catalog.pg_trigger t
join pg_catalog.pg_class c on c.oid = t.tgrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_proc f on f.oid = t.tgfoid
join pg_catalog.pg_namespace fn on fn.oid = f.pronamespace
where n.nspname = 'payments' and not t.tgisinternal and t.tgenabled in ('O', 'A')
  and fn.nspname not in ('payments', 'system')
order by 1, 2;
