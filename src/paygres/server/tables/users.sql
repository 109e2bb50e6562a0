Rows of auth.users: people who sign in with e-mail and password. E-mail addresses are in lower case.

-- name: insert_user
insert into auth.users (email, password, email_verified, profile, metadata)
values ($1, $2, $3, $4::jsonb, '{}'::jsonb)
on conflict (email) do nothing
returning id::text, email, email_verified, payments.iso(created_at) as created_at,
          payments.iso(updated_at) as updated_at, password is not null as has_password, profile, metadata;

-- name: is_known
select exists (select from auth.users where email = $1);

-- name: select_user
select id::text, email, email_verified, payments.iso(created_at) as created_at,
       payments.iso(updated_at) as updated_at, password is not null as has_password, profile, metadata
from auth.users where id = $1;

-- name: select_by_email
select id::text, email, email_verified, payments.iso(created_at) as created_at,
       payments.iso(updated_at) as updated_at, password is not null as has_password, profile, metadata, password
from auth.users where email = $1;

-- name: replace_hash
-- The same password, hashed anew; not if it was changed meanwhile.
update auth.users set password = $3 where id = $1 and password = $2;
