Sign-ins (system.sign_ins): one row a chain of refresh tokens, of which only hashes are kept.

-- name: insert_sign_in
insert into system.sign_ins (id, kind, sub, token_hash, credential, expires_at)
values ($1, $2, $3, $4, $5, now() + $6::interval);

-- name: rotate
select system.rotate_sign_in($1, $2, $3, $4, $5, $6::interval);

-- name: select_presented
-- How a presented token stands in its chain: the current one, or so many steps before it and for how long.
select sub, kind, token_hash, credential, revoked_at is null and expires_at > now() as live,
       token_hash = $2 as current, place,
       coalesce(clock_timestamp() - replaced_at[place] <= $3::interval, false) as in_grace
from system.sign_ins cross join lateral array_position(replaced_hashes, $2) as place
where id = $1;

-- name: revoke
update system.sign_ins
set revoked_at = now(), revoked_because = $2, expires_at = least(expires_at, now() + interval '1 day')
where id = $1 and revoked_at is null
returning sub;

-- name: revoke_all
update system.sign_ins
set revoked_at = now(), revoked_because = $3, expires_at = least(expires_at, now() + interval '1 day')
where kind = $1 and sub = $2 and revoked_at is null
returning id;

-- name: delete_ended
delete from system.sign_ins
where id in (select id from system.sign_ins where expires_at < now() order by expires_at limit $1 for update skip locked)
returning id;

-- name: count_attempt
select system.count_sign_in($1::text[], $2::integer[], $3::interval[]);

-- name: forgive
delete from system.sign_in_counts where key = any($1::text[]);

-- name: delete_counts
delete from system.sign_in_counts
where key in (select key from system.sign_in_counts where until < now() order by until limit $1 for update skip locked)
returning key;
