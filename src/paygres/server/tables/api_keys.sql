API keys (only their SHA-256) and anonymous keys (public, so their text is kept). A revoked key is one that has run out:
its hash stays, so that a setting that still names it does not bring it back.

-- name: select_live
select kind, hash, value, expires_at
from system.api_keys
where expires_at is null or expires_at > now()
order by created_at desc, hash;

-- name: insert_key
insert into system.api_keys (kind, hash, value)
values ($1, $2, $3)
on conflict (hash) do nothing
returning id;

-- name: expire_others
update system.api_keys
set expires_at = now() + $3::interval
where kind = $1 and hash <> $2 and expires_at is null;

-- name: select_all
select id::text, kind, left(hash, 12) as fingerprint, value, payments.iso(created_at) as created_at,
       payments.iso(expires_at) as expires_at, coalesce(expires_at <= now(), false) as expired
from system.api_keys
order by kind, created_at desc, id
limit $1;

-- name: add_key
insert into system.api_keys (kind, hash, value, expires_at)
values ($1, $2, $3, now() + $4::interval)
returning id::text, kind, left(hash, 12) as fingerprint, value, payments.iso(created_at) as created_at,
          payments.iso(expires_at) as expires_at, false as expired;

-- name: shorten_others
-- A rotation: the earlier keys of the kind hold for the grace period, none longer than it did.
update system.api_keys
set expires_at = least(expires_at, now() + $3::interval)
where kind = $1 and hash <> $2 and (expires_at is null or expires_at > now())
returning id;

-- name: lock_live
-- Before one is revoked: nobody revokes another meanwhile.
select id::text, kind from system.api_keys
where expires_at is null or expires_at > now()
order by id
for update;

-- name: revoke_key
update system.api_keys set expires_at = least(expires_at, now())
where id = $1
returning id::text, kind, left(hash, 12) as fingerprint, value, payments.iso(created_at) as created_at,
          payments.iso(expires_at) as expires_at, true as expired;
