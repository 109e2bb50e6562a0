-- Sign-ins of users and admins: one row a chain of refresh tokens. They are kept here and not in schema auth, which
-- may belong to a platform (PAYGRES_AUTH=external) where our admins sign in all the same.
create table system.sign_ins (
    id uuid primary key,
    kind text not null check (kind in ('user', 'admin')),
    sub text not null,                    -- the id of a row in auth.users, or local:<name of an admin>
    token_hash bytea not null,            -- SHA-256 of the refresh token that is good now
    replaced_hashes bytea[] not null default '{}',       -- of those before it, newest first
    replaced_at timestamptz[] not null default '{}',
    credential bytea,                     -- admins: names the pair of the settings they signed in with
    created_at timestamptz not null default now(),
    used_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoked_because text check (revoked_because in ('signed_out', 'reused', 'by_admin', 'user_deleted'))
);
create index sign_ins_sub on system.sign_ins (sub) where revoked_at is null;
create index sign_ins_expires_at on system.sign_ins (expires_at);

-- Attempts to sign in and up; losing the counts in a crash costs nothing.
create unlogged table system.sign_in_counts (
    key text primary key,                 -- what is limited: a network, an account (as a hash), both together
    until timestamptz not null,
    attempts integer not null
);
create index sign_in_counts_until on system.sign_in_counts (until);

grant select, insert, update, delete on system.sign_ins, system.sign_in_counts to paygres_service;
