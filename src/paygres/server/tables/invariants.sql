What must always be true: the last look at it, and a new one.

-- name: look
select payments.check_invariants();

-- name: oldest_look
select extract(epoch from clock_timestamp() - min(checked_at))::double precision from payments.invariant_checks;

-- name: turn
-- One process at a time looks; the lock ends with the transaction.
select pg_try_advisory_xact_lock(hashtextextended('payments.invariants', 7130));

-- name: wait_for_turn
select pg_advisory_xact_lock(hashtextextended('payments.invariants', 7130));

-- name: select_checks
select c.environment, c.name, c.violations, c.samples, payments.iso(c.since) as since,
       payments.iso(c.checked_at) as checked_at
from payments.invariant_checks c
where c.environment = coalesce($1, c.environment)
order by c.violations desc, c.name;
