How far Stripe's own list of events has been compared with the ledger; who is comparing now.

-- name: insert_sweep
insert into payments.sweeps (environment, account_id, complete_from, complete_through) values ($1, $2, $3::bigint, $3::bigint - 1)
on conflict do nothing;

-- name: claim
-- Nobody else sweeps, and it is time.
update payments.sweeps
set holder = $3, leased_until = clock_timestamp() + $4::interval
where environment = $1 and account_id = $2 and coalesce(leased_until < clock_timestamp(), true)
  and least(short_due, long_due) <= clock_timestamp()
returning complete_from, complete_through, wanted_since, long_due <= clock_timestamp() as long;

-- name: exists_sweep
select exists (select from payments.sweeps where environment = $1 and account_id = $2);

-- name: extend
update payments.sweeps set leased_until = clock_timestamp() + $4::interval
where environment = $1 and account_id = $2 and holder = $3 returning true;

-- name: publish
-- Everything listed from $4 to $5 is stored. Moves forward only, and never over a second that is not complete.
update payments.sweeps
set complete_through = case when $4 <= complete_through + 1 then greatest(complete_through, $5) else complete_through end
where environment = $1 and account_id = $2 and holder = $3
returning complete_through;

-- name: begin_anew
-- What was before $4 cannot be listed any more.
update payments.sweeps set complete_from = $4::bigint, complete_through = $4::bigint - 1
where environment = $1 and account_id = $2 and holder = $3 returning true;

-- name: finish
update payments.sweeps
set holder = null, leased_until = null, error = null, swept_at = clock_timestamp(),
    -- Asked for meanwhile: once more, at once.
    short_due = case when wanted_since is not distinct from $4 then clock_timestamp() + $5::interval else short_due end,
    long_due = case when $7 then clock_timestamp() + $6::interval else long_due end,
    wanted_since = case when wanted_since is not distinct from $4 then null else wanted_since end,
    listed = listed + $8, missing = missing + $9
where environment = $1 and account_id = $2 and holder = $3;

-- name: fail
update payments.sweeps
set holder = null, leased_until = null, error = $4, short_due = clock_timestamp() + $5::interval,
    long_due = greatest(long_due, clock_timestamp() + $5::interval)
where environment = $1 and account_id = $2 and holder = $3;

-- name: want
update payments.sweeps set short_due = clock_timestamp(), wanted_since = least(wanted_since, $3)
where environment = $1 and account_id = $2;

-- name: select_unknown
-- In the ledger is whatever came, by whichever road, done or not.
select wanted.id
from unnest($2::text[]) as wanted (id)
where not exists (
    select from payments.stripe_snapshots s where s.event_id = wanted.id and s.environment = $1);

-- name: queue_refetch
-- While the object is being read, what is read may be older than what is asked about: then it is read once more.
insert into payments.refetch_queue as q (environment, object_type, object_id, reason) values ($1, $2, $3, $4)
on conflict (environment, object_type, object_id) do update
set hinted_at = clock_timestamp(), leased_until = null, next_attempt_at = clock_timestamp() + interval '2 s'
where q.leased_until > clock_timestamp();

-- name: open_attention
insert into payments.attention (environment, account_id, reason, object_type, object_id, message, details)
values ($1, $2, $3, $4, $5, $6, $7::jsonb)
on conflict (object_id, reason, environment) where closed_at is null do update
set account_id = excluded.account_id, message = excluded.message, details = excluded.details;

-- name: close_attention
update payments.attention set closed_at = now()
where environment = $1 and reason = $2 and closed_at is null;

-- name: select_progress
-- Of the connected accounts. Null before a first sweep.
select c.environment, w.complete_from, case when w.complete_through >= w.complete_from then w.complete_through end
           as complete_through,
       w.missing, (select count(*) from payments.chain_gaps g where g.environment = c.environment) as gaps,
       (select count(*) from payments.refetch_queue r where r.environment = c.environment) as refetches
from payments.provider_connections c
join payments.sweeps w on w.environment = c.environment and w.account_id = c.provider_account_id
where c.provider = 'stripe'
order by c.environment desc;
