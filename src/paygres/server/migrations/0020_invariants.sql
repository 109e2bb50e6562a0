-- What must always be true, and whether it was at the last look.

create table payments.invariant_checks (
    environment text not null check (environment in ('test', 'live')),
    name text not null,
    violations bigint not null,
    samples jsonb not null,                  -- at most five of them
    since timestamptz,                       -- when violations were first seen; null: there are none
    checked_at timestamptz not null,
    primary key (environment, name)
);
grant select, insert, update, delete on payments.invariant_checks to paygres_service;
