-- Fills a ledger with copies of one history, as if it had been received long ago.
-- name: copy
insert into payments.stripe_snapshots (
    environment, account_id, object_type, object_id, as_of, source, event_id, event_type, payload)
select s.environment, s.account_id, s.object_type, replace(s.object_id, $3, own.name), s.as_of, s.source,
       replace(s.event_id, $3, own.name), s.event_type, replace(s.payload, $3, own.name)
from generate_series($1::integer, $2::integer) as n
cross join lateral (select 'c' || lpad(n::text, 7, '0') as name) own
cross join payments.stripe_snapshots s
where s.seq <= $4
order by n, s.seq;
