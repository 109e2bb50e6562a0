-- Counts an attempt under each key until one of them has had more than its most. Seconds to wait, 0 for none. Keys come
-- from the widest to the narrowest, so that callers wait for each other in one order.
create or replace function system.count_sign_in(p_keys text[], p_most integer[], p_lasts interval[]) returns integer
language plpgsql as $$
declare
    counted record;
begin
    for n in 1 .. cardinality(p_keys) loop
        insert into system.sign_in_counts as c (key, until, attempts) values (p_keys[n], now() + p_lasts[n], 1)
        on conflict (key) do update set
            attempts = case when c.until <= now() then 1 else c.attempts + 1 end,
            until = case when c.until <= now() then excluded.until else c.until end
        returning attempts, until into counted;
        if counted.attempts > p_most[n] then
            return greatest(1, ceil(extract(epoch from counted.until - now()))::integer);
        end if;
    end loop;
    return 0;
end $$;

-- The next token of a chain in place of the presented one, once. No row when that is not the one that is good now.
create or replace function system.rotate_sign_in(
    p_id uuid, p_kind text, p_credential bytea, p_presented bytea, p_next bytea, p_lasts interval) returns text
language sql as $$
    update system.sign_ins
    set token_hash = p_next, used_at = now(), expires_at = now() + p_lasts,
        replaced_hashes = (array[token_hash] || replaced_hashes)[1:16],
        replaced_at = (array[clock_timestamp()] || replaced_at)[1:16]
    where id = p_id and kind = p_kind and token_hash = p_presented and revoked_at is null and expires_at > now()
          and credential is not distinct from p_credential
    returning sub
$$;
