Events that nobody tries any more, on the operators' list.

-- name: watch_dead
-- An open item for every event that nobody tries any more, while that is so.
with dead as (
    select q.environment, s.account_id, q.event_id, s.event_type, q.last_error, q.attempts
    from payments.event_queue q
    join payments.stripe_snapshots s on s.event_id = q.event_id and s.environment = q.environment
    where q.next_attempt_at is null
), closed as (
    update payments.attention a set closed_at = now()
    where a.reason = 'dead_event' and a.closed_at is null
      and not exists (select from dead d where d.event_id = a.object_id and d.environment = a.environment)
)
insert into payments.attention (environment, account_id, reason, object_type, object_id, message, details)
select d.environment, d.account_id, 'dead_event', 'event', d.event_id,
       format('The event %s (%s) is not tried any more after %s attempts; remove its cause, then replay it.',
              d.event_id, d.event_type, d.attempts),
       jsonb_build_object('eventType', d.event_type, 'lastError', d.last_error)
from dead d
on conflict (object_id, reason, environment) where closed_at is null do nothing
returning environment, object_id, details ->> 'eventType' as event_type, details ->> 'lastError' as last_error;
