Updates that do not follow from what was known before them.

-- name: lease_gaps
-- The first look asks for a sweep, the second one ends it: a minute after it was noticed.
update payments.chain_gaps g
set looks = looks + 1, look_at = greatest(noticed_at + interval '60 seconds', clock_timestamp() + interval '5 seconds')
from (
    select event_id, environment from payments.chain_gaps where look_at <= clock_timestamp()
    order by look_at limit $1 for update skip locked
) due
where g.event_id = due.event_id and g.environment = due.environment
returning g.environment, g.object_type, g.object_id, g.event_id, g.as_of, g.before_as_of, g.looks;

-- name: select_around_gap
-- The update itself and what may be the state before it: the other events of its second, and those of the newest
-- second before. `read_since`: Stripe was asked for the object afterwards.
select s.event_id, s.payload, exists (
    select from payments.stripe_snapshots r
    where r.environment = $1 and r.object_type = $2 and r.object_id = $3 and r.source = 'api' and r.as_of >= $4
) as read_since
from payments.stripe_snapshots s
where s.environment = $1 and s.object_type = $2 and s.object_id = $3 and s.source = 'event'
  and (s.as_of = $4 or s.as_of = (
      select max(p.as_of) from payments.stripe_snapshots p
      where p.environment = $1 and p.object_type = $2 and p.object_id = $3 and p.source = 'event' and p.as_of < $4));

-- name: delete_gap
delete from payments.chain_gaps where environment = $1 and event_id = $2;
