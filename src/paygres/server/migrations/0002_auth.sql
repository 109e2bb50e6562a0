-- schema auth: what policies may ask about the caller. None of these ever raises:
-- a subject that is not a UUID makes auth.uid() null, not an error.
create or replace function auth.jwt() returns jsonb
language sql stable as $$
    select nullif(current_setting('request.jwt.claims', true), '')::jsonb
$$;

create or replace function auth.uid() returns uuid
language sql stable as $$
    select case
        when auth.jwt() ->> 'sub' ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
        then (auth.jwt() ->> 'sub')::uuid
    end
$$;

create or replace function auth.role() returns text
language sql stable as $$ select auth.jwt() ->> 'role' $$;

create or replace function auth.email() returns text
language sql stable as $$ select auth.jwt() ->> 'email' $$;

create table auth.users (
    id uuid primary key default gen_random_uuid(),
    email text not null unique,
    password text,
    email_verified boolean not null default false,
    profile jsonb,
    metadata jsonb,
    is_project_admin boolean not null default false,
    is_anonymous boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index auth_users_lower_email on auth.users (lower(email));
create trigger trg_auth_users_updated_at before update on auth.users
    for each row execute function system.update_updated_at();
grant select, insert, update, delete on auth.users to paygres_service;
