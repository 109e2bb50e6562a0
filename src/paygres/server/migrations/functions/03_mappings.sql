-- Which customer is a subject's own. A pure function of what was completed, not of the order it arrived:
-- a customer belongs to the subject of its earliest completed session; a subject maps to the earliest
-- of the customers it owns at the connected account. Later customers stay recorded in subject_customers.
-- Deleted ones do not map.

create or replace function payments.apply_mappings(p_environment text, p_account_id text, p_candidates jsonb)
returns void
language plpgsql as $$
declare
    candidate record;
begin
    for candidate in
        select * from jsonb_to_recordset(p_candidates) as r (
            subject_type text, subject_id text, customer_id text, since bigint, checkout_session_id text)
    loop
        insert into payments.subject_customers as known (
            environment, account_id, subject_type, subject_id, customer_id, since, checkout_session_id)
        values (p_environment, p_account_id, candidate.subject_type, candidate.subject_id, candidate.customer_id,
                candidate.since, candidate.checkout_session_id)
        on conflict (environment, subject_type, subject_id, customer_id) do update
            set since = excluded.since, checkout_session_id = excluded.checkout_session_id
            where (excluded.since, excluded.checkout_session_id) < (known.since, known.checkout_session_id);
        if found then
            perform payments.settle_mappings_of_customers(p_environment, p_account_id, array[candidate.customer_id]);
        end if;
    end loop;
end $$;

create or replace function payments.settle_mappings_of_customers(
    p_environment text, p_account_id text, p_customers text[]
) returns void
language plpgsql as $$
declare
    subject record;
    own_customer text;
    mapped text;
begin
    -- Subjects in a fixed order: two events that meet here wait for each other instead of deadlocking.
    for subject in
        select distinct subject_type, subject_id from payments.subject_customers
        where customer_id = any (p_customers) and environment = p_environment
        order by subject_type, subject_id
    loop
        perform pg_advisory_xact_lock(
            hashtextextended('mapping' || subject.subject_type || ':' || subject.subject_id, 7130));
        select mine.customer_id into own_customer
        from payments.subject_customers mine
        where mine.environment = p_environment and mine.account_id in ('', p_account_id)
          and mine.subject_type = subject.subject_type and mine.subject_id = subject.subject_id
          and not exists (
              select from payments.subject_customers other
              where other.environment = p_environment and other.customer_id = mine.customer_id
                and (other.since, other.checkout_session_id) < (mine.since, mine.checkout_session_id))
          and not exists (
              select from payments.stripe_objects o
              where o.environment = p_environment and o.object_type = 'customer'
                and o.object_id = mine.customer_id and o.deleted)
        order by mine.since, mine.checkout_session_id
        limit 1;

        select m.provider_customer_id into mapped from payments.customer_mappings m
        where m.provider = 'stripe' and m.environment = p_environment
          and m.subject_type = subject.subject_type and m.subject_id = subject.subject_id;
        continue when mapped is not distinct from own_customer;
        delete from payments.customer_mappings m
        where m.provider = 'stripe' and m.environment = p_environment
          and m.subject_type = subject.subject_type and m.subject_id = subject.subject_id;
        if own_customer is not null then
            delete from payments.customer_mappings m
            where m.provider = 'stripe' and m.environment = p_environment and m.provider_customer_id = own_customer;
            insert into payments.customer_mappings (
                environment, account_id, provider, subject_type, subject_id, provider_customer_id)
            values (p_environment, p_account_id, 'stripe', subject.subject_type, subject.subject_id, own_customer);
        end if;
    end loop;
end $$;
