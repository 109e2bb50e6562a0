-- The API-read road: open_read locks and reads, the server settles and projects, close_read applies.

create or replace function payments.open_read(
    p_environment text, p_object_type text, p_object_id text, p_as_of bigint, p_payment_keys text[],
    out head json, out rivals json, out family json, out invoice text
) language plpgsql as $$
begin
    select k.head, k.rivals, k.family, k.invoice into head, rivals, family, invoice
    from payments.known(p_environment, p_object_type, p_object_id, p_as_of, 'api', null, p_payment_keys) k;
end $$;

-- Keeps the snapshot, then applies what the set of all snapshots says now.
create or replace function payments.close_read(
    p_environment text, p_account_id text, p_object_type text, p_object_id text, p_as_of bigint, p_payload text,
    p_rows jsonb
) returns void
language plpgsql as $$
begin
    insert into payments.stripe_snapshots (
        environment, account_id, object_type, object_id, as_of, source, payload)
    select p_environment, p_account_id, p_object_type, p_object_id, p_as_of, 'api', p_payload
    where not exists (
        select from payments.stripe_snapshots s
        where s.environment = p_environment and s.object_type = p_object_type and s.object_id = p_object_id
          and s.as_of = p_as_of and s.source = 'api' and s.payload = p_payload);
    perform payments.apply_rows(
        p_environment, p_account_id, p_rows,
        jsonb_build_object('data', jsonb_build_object('object', p_payload::jsonb)));
    delete from payments.refetch_queue q
    where q.environment = p_environment and q.object_type = p_object_type and q.object_id = p_object_id
      and not exists (
          select from payments.stripe_objects o
          where o.environment = p_environment and o.object_type = p_object_type and o.object_id = p_object_id
            and o.undecided);
end $$;
