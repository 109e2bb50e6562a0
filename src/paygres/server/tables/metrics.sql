What /metrics asks of the database, a row an environment.

-- name: select_backlog
select e.environment, q.pending, q.parked, q.failed, q.dead, q.oldest, a.attention,
       extract(epoch from s.last_synced_at)::double precision as synced_at
from (values ('test'), ('live')) as e (environment)
cross join lateral (
    select count(*) filter (where k.state = 'pending') as pending, count(*) filter (where k.state = 'parked') as parked,
           count(*) filter (where k.state = 'failed') as failed, count(*) filter (where k.state = 'dead') as dead,
           coalesce(extract(epoch from clock_timestamp() - min(k.created_at) filter (where k.state = 'pending')), 0)
               ::double precision as oldest
    from (select payments.event_state(q.status, q.reason, q.next_attempt_at) as state, q.created_at
          from payments.event_queue q where q.environment = e.environment) k
) q
cross join lateral (
    select count(*) as attention from payments.attention t
    where t.environment = e.environment and t.closed_at is null
) a
left join payments.provider_connections s
    on s.provider = 'stripe' and s.environment = e.environment and s.last_sync_status = 'succeeded';

-- name: count_unmapped
select e.environment, u.subscriptions
from (values ('test'), ('live')) as e (environment)
cross join lateral (
    select count(*) as subscriptions from payments.stripe_subscriptions b
    where b.environment = e.environment and b.subject_type is null
      and b.status = any(array['trialing', 'active', 'past_due', 'unpaid', 'paused'])
) u;
