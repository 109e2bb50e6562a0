payments.listeners: functions in developers' Python, by name; and those that run after the commit, which are destinations.

-- name: register_listener
select payments.register_listener($1, $2, $3);

-- name: register_after_commit
select payments.register_after_commit($1, $2, $3);

-- name: seen
update payments.listeners set last_seen_at = now() where name = any ($1);

-- name: select_all
-- `waiting`: events that wait for a process that has it.
select l.name, l.environment, l.event_types, payments.iso(l.last_seen_at) as last_seen_at,
       payments.iso(l.created_at) as created_at,
       (select count(*) from payments.event_queue q where l.name = any (q.waits_for)) as waiting
from payments.listeners l order by l.name;

-- name: forget
select payments.forget_listener($1);
