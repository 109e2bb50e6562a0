-- Roles and schemas. Roles belong to the whole cluster, so each is created only where it is missing.
-- anon, authenticated, project_admin: the callers. paygres_service: the server's own statements.
-- payments_trigger: the role developers' triggers run as; developers grant to it what those need.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['anon', 'authenticated', 'project_admin', 'paygres_service', 'payments_trigger'] loop
        begin
            if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
                execute format('create role %I nologin', wanted);
            end if;
        exception when duplicate_object or unique_violation then
            null; -- another migration of the same cluster was faster
        end;
    end loop;
end $$;

create schema if not exists payments;
create schema if not exists auth;
create schema if not exists system;

grant usage on schema payments to anon, authenticated, project_admin, paygres_service, payments_trigger;
grant usage on schema system to paygres_service;
grant usage on schema auth to public;

alter default privileges in schema payments grant select on tables to project_admin;

-- Every table's updated_at.
create or replace function system.update_updated_at() returns trigger
language plpgsql as $$
begin
    new.updated_at := now();
    return new;
end $$;

create table system.installation (
    only_row boolean primary key default true check (only_row),
    id uuid not null default gen_random_uuid(),
    created_at timestamptz not null default now()
);
insert into system.installation default values;

-- Stripe keys and signing secrets, sealed by the server (v1.<kid>.<nonce>.<ciphertext>).
create table system.secrets (
    id uuid primary key default gen_random_uuid(),
    key text not null unique,
    value_ciphertext text not null,
    is_active boolean not null default true,
    is_reserved boolean not null default false,
    last_used_at timestamptz,
    expires_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create trigger trg_system_secrets_updated_at before update on system.secrets
    for each row execute function system.update_updated_at();

-- API keys are kept as SHA-256 only; anon keys are public and stay readable by admins.
create table system.api_keys (
    id uuid primary key default gen_random_uuid(),
    kind text not null check (kind in ('api', 'anon')),
    hash text not null unique,
    value text check (kind = 'anon' or value is null),
    created_at timestamptz not null default now(),
    expires_at timestamptz
);

grant select on system.installation, system.migrations to paygres_service;
grant select, insert, update, delete on system.secrets, system.api_keys to paygres_service;
