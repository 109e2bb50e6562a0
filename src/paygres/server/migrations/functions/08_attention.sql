-- What an operator should look at, opened and closed by what is heard.

-- Open or close what an operator should look at; a row that is open already stays as it was.
create or replace function payments.settle_attention(
    p_environment text, p_account_id text, p_reason text, p_object_type text, p_object_id text, p_open boolean,
    p_subject_type text, p_subject_id text, p_message text, p_details jsonb
) returns void
language plpgsql as $$
begin
    if p_open then
        insert into payments.attention as a (
            environment, account_id, reason, object_type, object_id, subject_type, subject_id, message, details)
        values (p_environment, p_account_id, p_reason, p_object_type, p_object_id, p_subject_type, p_subject_id,
                p_message, coalesce(p_details, '{}'))
        on conflict (object_id, reason, environment) where closed_at is null do update
            set details = excluded.details, subject_type = excluded.subject_type, subject_id = excluded.subject_id
            where (a.details, a.subject_type, a.subject_id)
                  is distinct from (excluded.details, excluded.subject_type, excluded.subject_id);
    else
        update payments.attention a set closed_at = now()
        where a.object_id = p_object_id and a.reason = p_reason and a.environment = p_environment
          and a.closed_at is null;
    end if;
end $$;

create or replace function payments.apply_attention(p_environment text, p_account_id text, p_notices jsonb)
returns void
language plpgsql as $$
declare
    r record;
begin
    for r in
        select * from jsonb_to_recordset(p_notices) as found (
            reason text, object_type text, object_id text, open boolean, subject_type text, subject_id text,
            message text, details jsonb)
    loop
        perform payments.settle_attention(
            p_environment, p_account_id, r.reason, r.object_type, r.object_id, r.open, r.subject_type, r.subject_id,
            r.message, r.details);
    end loop;
end $$;
