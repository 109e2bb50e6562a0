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
       coalesce(c.last_sync_counts, '{}') as last_sync_counts
from unnest($1::text[], $2::text[]) with ordinality as e (environment, mask, nth)
left join payments.provider_connections c on c.provider = 'stripe' and c.environment = e.environment
left join system.secrets s on s.key = e.mask and s.is_active
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
    last_synced_at = null, last_sync_status = null, last_sync_error = null, last_sync_counts = '{}'
where provider = 'stripe' and environment = $1;

-- name: select_endpoint
select webhook_endpoint_id from payments.provider_connections where provider = 'stripe' and environment = $1;

-- name: update_endpoint
update payments.provider_connections
set status = 'connected', webhook_endpoint_id = $3, webhook_endpoint_url = $4, webhook_error = null,
    webhook_configured_at = case when webhook_endpoint_id = $3 then webhook_configured_at else now() end
where provider = 'stripe' and environment = $1 and provider_account_id = $2 and status <> 'unconfigured'
returning environment;

-- name: update_webhook_error
update payments.provider_connections set webhook_error = $2
where provider = 'stripe' and environment = $1;

-- name: disconnect
update payments.provider_connections
set status = 'unconfigured', webhook_endpoint_id = null, webhook_endpoint_url = null, webhook_configured_at = null,
    webhook_error = null, last_synced_at = null, last_sync_status = 'failed', last_sync_error = $2,
    last_sync_counts = '{}'
where provider = 'stripe' and environment = $1;

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
