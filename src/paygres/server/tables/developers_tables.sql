The tables that are the developer's own, read as their owner, for comparisons of what their code leaves behind.

-- name: list_columns
-- Every column of every ordinary table outside our schemas and extensions. `part_of_key`: of the primary key.
-- `generated`: filled by the database with a new value for every row.
select n.nspname as schema, c.relname as name, a.attname as column, format_type(a.atttypid, null) as type,
       a.attnum = any (k.conkey) is true as part_of_key,
       a.attidentity <> '' or coalesce(pg_get_expr(d.adbin, d.adrelid), '') ~ '(nextval|uuid|random)' as generated
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
left join pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
  and n.nspname not in ('payments', 'auth', 'system', 'information_schema') and n.nspname not like 'pg\_%'
  and not exists (select from pg_depend e
                  where e.objid = c.oid and e.classid = 'pg_class'::regclass and e.deptype = 'e')
order by n.nspname, c.relname, a.attnum;

-- name: add_checkout
insert into payments.stripe_checkout_sessions (
    id, environment, account_id, mode, status, subject_type, subject_id, line_items, success_url, cancel_url, metadata,
    checkout_session_id, created_by, currency, amount_subtotal, created_at)
values ($1, 'test', '', $2, 'open', $3, $4, $5, 'https://shop.example.com/thanks', 'https://shop.example.com/cart', $6,
        $7, $4, $8, $9, to_timestamp($10));

-- name: unfinished
-- Events in the queue, and payments whose reversal is due: (event id, null) or (null, payment key).
select q.event_id, null as payment_key, q.last_error from payments.event_queue q
union all
select null, r.payment_key, null from payments.reversal_queue r
order by 1, 2;

-- name: settle_reversal
select payments.settle_reversal($1, $2);
