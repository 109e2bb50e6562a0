One row per Stripe environment: which account, which webhook endpoint, how the last sync went.

-- name: select_environment
select c.provider_account_id as account_id,
       floor(extract(epoch from c.connected_at))::bigint as connected_at,
       coalesce((
           select json_object_agg(s.key, s.value_ciphertext)
           from system.secrets s
           where s.key = any($2::text[]) and s.is_active and (s.expires_at is null or s.expires_at > now())
       ), '{}'::json) as sealed
from (select $1::text as environment) wanted
left join payments.provider_connections c on c.provider = 'stripe' and c.environment = wanted.environment;

-- name: select_shown
select e.environment, coalesce(c.status, 'unconfigured') as status, c.provider_account_id, c.account_email,
       c.account_livemode, c.webhook_endpoint_id, c.webhook_endpoint_url,
       payments.iso(c.webhook_configured_at) as webhook_configured_at, s.value_ciphertext as masked_key,
       payments.iso(c.last_synced_at) as last_synced_at, c.last_sync_status, c.last_sync_error,
       coalesce(c.last_sync_counts, '{}') as last_sync_counts, coalesce(c.webhook_status, 'unknown') as webhook_status,
       coalesce(c.webhook_problems, '[]') as webhook_problems, payments.iso(c.webhook_checked_at) as webhook_checked_at,
       payments.iso(payments.unix(w.complete_from)) as complete_from,
       case when w.complete_through >= w.complete_from then payments.iso(payments.unix(w.complete_through)) end
           as complete_through,
       payments.iso(w.swept_at) as swept_at, w.error as sweep_error
from unnest($1::text[], $2::text[]) with ordinality as e (environment, mask, nth)
left join payments.provider_connections c on c.provider = 'stripe' and c.environment = e.environment
left join system.secrets s on s.key = e.mask and s.is_active
left join payments.sweeps w on w.environment = c.environment and w.account_id = c.provider_account_id
order by e.nth;

-- name: select_account_for_update
select provider_account_id from payments.provider_connections
where provider = 'stripe' and environment = $1
for update;

-- name: upsert_account
insert into payments.provider_connections as c (
    environment, provider, status, provider_account_id, account_email, account_livemode, raw, connected_at)
values ($1, 'stripe', 'connected', $2, $3, $1 = 'live', $4::jsonb, coalesce(to_timestamp(nullif($5::bigint, 0)), now()))
on conflict (provider, environment) do update
set status = 'connected', provider_account_id = excluded.provider_account_id,
    account_email = excluded.account_email, account_livemode = excluded.account_livemode, raw = excluded.raw,
    connected_at = case when c.provider_account_id is distinct from excluded.provider_account_id
                        then excluded.connected_at else coalesce(c.connected_at, excluded.connected_at) end;

-- name: forget_endpoint_and_sync
update payments.provider_connections
set webhook_endpoint_id = null, webhook_endpoint_url = null, webhook_configured_at = null, webhook_error = null,
    webhook_status = null, webhook_problems = '[]', webhook_checked_at = null, webhook_check_due = null,
    webhook_checked_for = null, last_synced_at = null, last_sync_status = null, last_sync_error = null, last_sync_counts = '{}'
where provider = 'stripe' and environment = $1;

-- name: select_customers_to_settle
-- Customers proved at this account whose subject maps to none of its customers (yet), after the last one seen.
select distinct s.customer_id
from payments.subject_customers s
left join payments.customer_mappings m on m.provider = 'stripe' and m.environment = s.environment
    and m.subject_type = s.subject_type and m.subject_id = s.subject_id
where s.environment = $1 and s.account_id in ('', $2) and s.customer_id > $3 and m.account_id is distinct from $2
order by s.customer_id
limit $4;

-- name: settle_mappings
select payments.settle_mappings_of_customers($1, $2, $3);

-- name: select_endpoint
select webhook_endpoint_id as id, webhook_endpoint_url as url, payments.iso(webhook_configured_at) as configured_at,
       webhook_error as error, webhook_checked_for as checked_for
from payments.provider_connections where provider = 'stripe' and environment = $1;

-- name: update_endpoint
update payments.provider_connections
set status = 'connected', webhook_endpoint_id = $3, webhook_endpoint_url = $4, webhook_error = null,
    webhook_configured_at = case when webhook_endpoint_id = $3 then webhook_configured_at else now() end,
    webhook_status = 'ok', webhook_problems = '[]', webhook_checked_at = now(),
    webhook_check_due = clock_timestamp() + $5::interval, webhook_checked_for = $6
where provider = 'stripe' and environment = $1 and provider_account_id = $2 and status <> 'unconfigured'
returning environment;

-- name: select_unknown_events
select wanted.id
from unnest($2::text[]) with ordinality as wanted (id, nth)
where not exists (
    select from payments.webhook_events e
    where e.provider = 'stripe' and e.environment = $1 and e.provider_event_id = wanted.id)
order by wanted.nth;

-- name: forget_endpoint
update payments.provider_connections
set webhook_endpoint_id = null, webhook_endpoint_url = null, webhook_configured_at = null, webhook_error = $3,
    webhook_status = 'unknown', webhook_problems = jsonb_build_array($3::text), webhook_checked_at = now(),
    webhook_check_due = clock_timestamp() + $4::interval
where provider = 'stripe' and environment = $1 and provider_account_id = $2;

-- name: update_webhook_error
update payments.provider_connections
set webhook_error = $2, webhook_status = $3, webhook_problems = jsonb_build_array($2::text), webhook_checked_at = now(),
    webhook_check_due = clock_timestamp() + $4::interval
where provider = 'stripe' and environment = $1 and status <> 'unconfigured';

-- name: claim_webhook_checks
update payments.provider_connections
set webhook_check_due = clock_timestamp() + $2::interval
where provider = 'stripe' and status <> 'unconfigured' and environment = any($1::text[])
  and ($4 or webhook_check_due is null or webhook_check_due < clock_timestamp() or webhook_checked_for is distinct from
       ($3::json ->> environment))
returning environment, clock_timestamp() as began;

-- name: update_webhook_health
update payments.provider_connections
set webhook_status = $3, webhook_problems = $4::jsonb, webhook_checked_at = $2,
    webhook_checked_for = coalesce($5, webhook_checked_for)
where provider = 'stripe' and environment = $1 and status <> 'unconfigured'
  and (webhook_checked_at is null or webhook_checked_at < $2);

-- name: disconnect
update payments.provider_connections
set status = 'unconfigured', webhook_endpoint_id = null, webhook_endpoint_url = null, webhook_configured_at = null,
    webhook_error = null, webhook_status = null, webhook_problems = '[]', webhook_checked_at = null,
    webhook_check_due = null, webhook_checked_for = null, last_synced_at = null, last_sync_status = 'failed',
    last_sync_error = $2, last_sync_counts = '{}'
where provider = 'stripe' and environment = $1
returning provider_account_id;

-- name: update_sync_succeeded
update payments.provider_connections
set status = 'connected', account_email = $3, raw = $4::jsonb, last_synced_at = now(), last_sync_status = 'succeeded',
    last_sync_error = null, last_sync_counts = $5::jsonb
where provider = 'stripe' and environment = $1 and provider_account_id = $2 and status <> 'unconfigured';

-- name: update_sync_failed
update payments.provider_connections
set status = 'error', last_sync_status = 'failed', last_sync_error = $2
where provider = 'stripe' and environment = $1 and status <> 'unconfigured';

-- name: claim_lease
insert into payments.provider_connections as c (environment, provider, sync_leased_until)
values ($1, 'stripe', now() + $2::interval)
on conflict (provider, environment) do update set sync_leased_until = excluded.sync_leased_until
where c.sync_leased_until is null or c.sync_leased_until < now()
returning sync_leased_until;

-- name: extend_lease
update payments.provider_connections set sync_leased_until = now() + $3::interval
where provider = 'stripe' and environment = $1 and sync_leased_until = $2
returning sync_leased_until;

-- name: release_lease
update payments.provider_connections set sync_leased_until = null
where provider = 'stripe' and environment = $1 and sync_leased_until = $2;
