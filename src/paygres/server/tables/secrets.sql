What is kept under a name: sealed Stripe keys and signing secrets, and a few marks that are no secrets
(the mask of a key, the hash of the last value taken from the environment).

-- name: select_live
select key, value_ciphertext
from system.secrets
where key = any($1::text[]) and is_active and (expires_at is null or expires_at > now());

-- name: select_expiries
select key, payments.iso(expires_at) as expires_at
from system.secrets
where key = any($1::text[]) and is_active and (expires_at is null or expires_at > now());

-- name: select_any
select value_ciphertext from system.secrets where key = $1;

-- name: upsert
insert into system.secrets (key, value_ciphertext, is_active, is_reserved, expires_at)
values ($1, $2, true, true, now() + $3::interval)
on conflict (key) do update
set value_ciphertext = excluded.value_ciphertext, is_active = true, is_reserved = true,
    expires_at = excluded.expires_at
returning id;

-- name: deactivate
update system.secrets set is_active = false where key = any($1::text[]) and is_active returning key;

-- name: insert_missing
-- The first of several processes that start at once decides.
insert into system.secrets (key, value_ciphertext, is_active, is_reserved)
values ($1, $2, true, true)
on conflict (key) do nothing;
