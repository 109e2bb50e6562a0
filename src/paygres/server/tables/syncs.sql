Syncs of whole Stripe accounts and the windows they read, which are their checkpoints.

-- name: select_running
select id, holder, environment, account_id, objects, confirm_missing, requested_by,
       floor(extract(epoch from clock_timestamp() - started_at))::bigint as age
from payments.syncs where environment = $1 and status = 'running';

-- name: select_abandoned
-- Running, as the row says, but nobody holds the environment.
select s.environment from payments.syncs s
left join payments.provider_connections c on c.provider = 'stripe' and c.environment = s.environment
where s.status = 'running' and coalesce(c.sync_leased_until < clock_timestamp(), true);

-- name: insert_sync
insert into payments.syncs (id, holder, environment, account_id, objects, confirm_missing, requested_by)
values ($1, $2, $3, $4, $5, $6, $7);

-- name: take_over
update payments.syncs set holder = $2 where id = $1 and status = 'running';

-- name: insert_windows
insert into payments.sync_windows (sync_id, listing, nth) select $1, listing, 0 from unnest($2::text[]) as listing;

-- name: select_windows
select listing, nth, created_from, created_to, last_id, reached, seen, pages, done, as_of
from payments.sync_windows where sync_id = $1 order by listing, nth;

-- name: update_window
-- Nothing when another process carries the sync on: its rows decide from now on.
update payments.sync_windows w
set created_from = $5, created_to = $6, last_id = $7, reached = $8, seen = $9, pages = $10, done = $11, as_of = $12
from payments.syncs s
where s.id = $1 and s.holder = $2 and s.status = 'running' and w.sync_id = s.id and w.listing = $3 and w.nth = $4
returning w.nth;

-- name: insert_window
insert into payments.sync_windows (sync_id, listing, nth, created_from, created_to) values ($1, $2, $3, $4, $5);

-- name: finish_sync
update payments.syncs
set status = $3, error = $4, counts = $5::jsonb, missing = $6::jsonb, finished_at = clock_timestamp()
where id = $1 and holder = $2 and status = 'running'
returning id;

-- name: forget_old_windows
-- Checkpoints of finished syncs are of no use; the syncs themselves are kept for a while.
delete from payments.sync_windows w using payments.syncs s
where s.id = w.sync_id and s.environment = $1 and s.status <> 'running';

-- name: forget_old_syncs
delete from payments.syncs where environment = $1 and status <> 'running' and started_at < now() - interval '90 days';

-- name: analyze_new_tables
select payments.analyze_new_tables();

-- name: update_counts
update payments.provider_connections set last_sync_counts = last_sync_counts || $3::jsonb
where provider = 'stripe' and environment = $1 and provider_account_id = $2;

-- name: count_unmapped
select count(*) from payments.stripe_subscriptions
where environment = $1 and account_id = $2 and subject_id is null;

-- name: count_kept
-- Rows of the account that are not deleted, and those of them that were neither listed nor told of since the sync began.
select count(*) as kept, count(*) filter (where r.synced_at < s.started_at) as missing
from payments.syncs s
join (
    select 'products' as name, environment, account_id, deleted, synced_at from payments.stripe_products
    union all select 'prices', environment, account_id, deleted, synced_at from payments.stripe_prices
    union all select 'customers', environment, account_id, deleted, synced_at from payments.customers
    -- one that has ended may go: it changes nothing
    union all select 'subscriptions', environment, account_id, status in ('canceled', 'incomplete_expired'), synced_at
    from payments.stripe_subscriptions
) r on r.environment = s.environment and r.account_id = s.account_id
where s.id = $1 and r.name = $2 and not r.deleted;

-- name: select_missing
select r.id
from payments.syncs s
join (
    select 'products' as name, product_id as id, environment, account_id, deleted, synced_at
    from payments.stripe_products
    union all select 'prices', price_id, environment, account_id, deleted, synced_at from payments.stripe_prices
    union all select 'customers', provider_customer_id, environment, account_id, deleted, synced_at
    from payments.customers
    union all select 'subscriptions', subscription_id, environment, account_id,
                     status in ('canceled', 'incomplete_expired'), synced_at
    from payments.stripe_subscriptions
) r on r.environment = s.environment and r.account_id = s.account_id
where s.id = $1 and r.name = $2 and not r.deleted and r.synced_at < s.started_at and r.id > $3
order by r.id limit $4;

-- name: open_attention
insert into payments.attention (environment, account_id, reason, object_type, object_id, message, details)
values ($1, $2, 'sync_missing', $3, $3, $4, $5::jsonb)
on conflict (object_id, reason, environment) where closed_at is null do update
set account_id = excluded.account_id, message = excluded.message, details = excluded.details;

-- name: close_attention
update payments.attention set closed_at = now()
where environment = $1 and reason = 'sync_missing' and object_id = $2 and closed_at is null;
