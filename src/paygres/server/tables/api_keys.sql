API keys (only their SHA-256) and anonymous keys (public, so their text is kept).

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
