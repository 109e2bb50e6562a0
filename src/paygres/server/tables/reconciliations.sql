Comparisons of the mirror with Stripe: how each went, and what it found.

-- name: end_dead_ones
update payments.reconciliations set status = 'interrupted', finished_at = clock_timestamp(),
    error = 'The server that ran it ended before it was done'
where environment = $1 and status = 'running' and (alive_until < clock_timestamp() or $2);

-- name: forget_working_memory
delete from payments.reconciliation_objects o
where not exists (select from payments.reconciliations r where r.id = o.reconciliation_id and r.status = 'running');

-- name: forget_old_ones
delete from payments.reconciliations where environment = $1 and status <> 'running'
    and (started_at < now() - interval '90 days' or id not in (
        select r.id from payments.reconciliations r where r.environment = $1 order by r.started_at desc limit 20));

-- name: insert
insert into payments.reconciliations (
    id, environment, account_id, fix, confirm, objects, since, requested_by)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: beat
update payments.reconciliations set alive_until = clock_timestamp() + interval '30 seconds', counts = $2::jsonb
where id = $1 and status = 'running' returning id;

-- name: insert_findings
insert into payments.reconciliation_findings (
    reconciliation_id, class, table_name, key, object_type, object_id, columns, payment_key, amount, currency)
select $1, r.class, r.table_name, r.key, r.object_type, r.object_id, coalesce(r.columns, '{}'), r.payment_key, r.amount,
       r.currency
from jsonb_to_recordset($2::jsonb) as r (
    class text, table_name text, key text, object_type text, object_id text, columns jsonb, payment_key text,
    amount bigint, currency text)
on conflict (reconciliation_id, class, table_name, key) do nothing;

-- name: select_to_fix
-- Of what a repair is for, after the place given.
select nth, class, table_name, key, object_type, object_id, payment_key from payments.reconciliation_findings
where reconciliation_id = $1 and class = any ($2) and nth > $3 order by nth limit $4;

-- name: mark_fixed
update payments.reconciliation_findings set fixed = true where reconciliation_id = $1 and nth = any ($2);

-- name: finish
with found as (
    select f.class, f.payment_key, f.currency, max(f.amount) as amount
    from payments.reconciliation_findings f where f.reconciliation_id = $1 group by 1, 2, 3
), money as (
    select class, jsonb_object_agg(currency, total) as total from (
        select class, currency, sum(amount) as total from found
        where currency is not null and amount is not null group by 1, 2) m
    group by class
), classes as (
    select f.class, count(*) as rows, count(*) filter (where f.fixed) as fixed
    from payments.reconciliation_findings f where f.reconciliation_id = $1 group by 1
)
update payments.reconciliations r set
    status = $2, error = $3, counts = $4::jsonb, unconfirmed = $5::jsonb, finished_at = clock_timestamp(),
    classes = coalesce((
        select jsonb_object_agg(c.class, jsonb_build_object(
            'rows', c.rows, 'fixed', c.fixed, 'money', coalesce(m.total, '{}')))
        from classes c left join money m on m.class = c.class), '{}'),
    money = coalesce((
        select jsonb_object_agg(t.currency, t.total) from (
            select once.currency, sum(once.amount) as total from (
                select f.payment_key, f.currency, max(f.amount) as amount from found f
                where f.class in ('missing', 'stale', 'extra') and f.currency is not null and f.amount is not null
                group by 1, 2) once
            group by 1) t), '{}')
where r.id = $1 and r.status = 'running' returning r.id;

-- name: select_report
-- The one with this id, else the newest.
select r.id, r.environment, r.account_id,
       case when r.status = 'running' and r.alive_until < clock_timestamp() then 'interrupted' else r.status end as status,
       r.fix, r.confirm, r.objects, r.since, r.counts, r.classes, r.money, r.unconfirmed, r.error, r.requested_by,
       payments.iso(r.started_at) as started_at, payments.iso(r.finished_at) as finished_at
from payments.reconciliations r
where r.environment = $1 and ($2::uuid is null or r.id = $2)
order by r.started_at desc limit 1;

-- name: select_findings
select nth, class, table_name, key, object_type, object_id, columns, payment_key, amount, currency, fixed
from payments.reconciliation_findings
where reconciliation_id = $1 and ($2::text is null or class = $2) and nth > $3 order by nth limit $4;
