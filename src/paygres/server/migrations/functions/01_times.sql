-- Stripe's seconds and the contract's timestamps (ISO 8601, UTC, milliseconds).
create or replace function payments.unix(seconds bigint) returns timestamptz
language sql immutable strict as $$ select to_timestamp(seconds) $$;

create or replace function payments.iso(moment timestamptz) returns text
language sql stable strict as $$
    select to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
