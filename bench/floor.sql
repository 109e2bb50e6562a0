-- What bench/floor.py stores in; made by the superuser in the same database as ours.
create schema bench;
create table bench.events (
    id text primary key,
    type text not null,
    payload jsonb not null,
    received_at timestamptz not null default now()
);
create table bench.checkouts (
    id uuid primary key,
    session_id text not null unique,
    raw jsonb not null,
    created_at timestamptz not null default now()
);
create table bench.orders (
    id uuid primary key,
    status text not null default 'pending'
);
grant usage on schema bench to paygres_server;
grant select, insert, update on all tables in schema bench to paygres_server;
