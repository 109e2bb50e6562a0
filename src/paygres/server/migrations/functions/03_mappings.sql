-- Which customer is a subject's own. A pure function of the evidence, not of the order it arrived: a customer belongs
-- to the subject of its earliest evidence (a completed session, a subscription, an invoice); a subject maps to the
-- earliest of the customers it owns at the connected account. Later customers stay recorded in subject_customers.
-- Deleted ones do not map. Locks: the customer's, then the subject's; both after those of objects and payments.

create or replace function payments.lock_customer(p_environment text, p_customer_id text) returns void
language sql as $$
    select pg_advisory_xact_lock(hashtextextended('customer:' || p_environment || ':' || p_customer_id, 7130))
$$;

-- Whose customer this is, by the earliest evidence; under the customer's lock.
create or replace function payments.subject_of_customer(
    p_environment text, p_customer_id text, out subject_type text, out subject_id text
) language sql stable as $$
    select known.subject_type, known.subject_id from payments.subject_customers known
    where known.customer_id = p_customer_id and known.environment = p_environment
    order by known.since, known.evidence_id limit 1
$$;

create or replace function payments.lock_subject(p_subject_type text, p_subject_id text) returns void
language sql as $$
    select pg_advisory_xact_lock(hashtextextended('mapping' || p_subject_type || ':' || p_subject_id, 7130))
$$;

create or replace function payments.apply_mappings(p_environment text, p_account_id text, p_candidates jsonb)
returns void
language plpgsql as $$
declare
    candidate record;
begin
    for candidate in
        select * from jsonb_to_recordset(p_candidates) as r (
            subject_type text, subject_id text, customer_id text, since bigint, evidence_id text)
    loop
        perform payments.lock_customer(p_environment, candidate.customer_id);
        insert into payments.subject_customers as known (
            environment, account_id, subject_type, subject_id, customer_id, since, evidence_id)
        values (p_environment, p_account_id, candidate.subject_type, candidate.subject_id, candidate.customer_id,
                candidate.since, candidate.evidence_id)
        on conflict (environment, subject_type, subject_id, customer_id) do update
            set since = excluded.since, evidence_id = excluded.evidence_id
            where (excluded.since, excluded.evidence_id) < (known.since, known.evidence_id);
        if found then
            perform payments.settle_mappings_of_customers(p_environment, p_account_id, array[candidate.customer_id]);
            perform payments.follow_customer(p_environment, p_account_id, candidate.customer_id);
        end if;
    end loop;
end $$;

-- Rows whose own metadata names no subject belong to their customer's.
create or replace function payments.follow_customer(p_environment text, p_account_id text, p_customer_id text)
returns void
language plpgsql as $$
declare
    owner record;
    changed record;
begin
    select * into owner from payments.subject_of_customer(p_environment, p_customer_id);
    update payments.transactions t set subject_type = owner.subject_type, subject_id = owner.subject_id
    where t.provider = 'stripe' and t.environment = p_environment and t.provider_customer_id = p_customer_id
      and t.subject_by_customer
      and (t.subject_type, t.subject_id) is distinct from (owner.subject_type, owner.subject_id);
    for changed in
        update payments.stripe_subscriptions s set subject_type = owner.subject_type, subject_id = owner.subject_id
        where s.environment = p_environment and s.customer_id = p_customer_id
          and (s.metadata ->> 'insforge_subject_type' is null or s.metadata ->> 'insforge_subject_id' is null)
          and (s.subject_type, s.subject_id) is distinct from (owner.subject_type, owner.subject_id)
        returning s.subscription_id
    loop
        perform payments.settle_live_subscriptions(
            p_environment, p_account_id, owner.subject_type, owner.subject_id);
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
        perform payments.lock_subject(subject.subject_type, subject.subject_id);
        select mine.customer_id into own_customer
        from payments.subject_customers mine
        where mine.environment = p_environment and mine.account_id in ('', p_account_id)
          and mine.subject_type = subject.subject_type and mine.subject_id = subject.subject_id
          and not exists (
              select from payments.subject_customers other
              where other.environment = p_environment and other.customer_id = mine.customer_id
                and (other.since, other.evidence_id) < (mine.since, mine.evidence_id))
          and not exists (
              select from payments.stripe_objects o
              where o.environment = p_environment and o.object_type = 'customer'
                and o.object_id = mine.customer_id and o.deleted)
        order by mine.since, mine.evidence_id
        limit 1;

        select m.provider_customer_id into mapped from payments.customer_mappings m
        where m.provider = 'stripe' and m.environment = p_environment
          and m.subject_type = subject.subject_type and m.subject_id = subject.subject_id;
        perform payments.settle_second_customers(
            p_environment, p_account_id, subject.subject_type, subject.subject_id, own_customer);
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

-- Customers a subject owns beside the one it maps to: shown to operators, never re-pointed (decision 13).
create or replace function payments.settle_second_customers(
    p_environment text, p_account_id text, p_subject_type text, p_subject_id text, p_own_customer text
) returns void
language plpgsql as $$
declare
    found_one record;
begin
    for found_one in
        select mine.customer_id,
               mine.customer_id <> p_own_customer and not exists (
                   select from payments.subject_customers other
                   where other.environment = p_environment and other.customer_id = mine.customer_id
                     and (other.since, other.evidence_id) < (mine.since, mine.evidence_id)) and not exists (
                   select from payments.stripe_objects o
                   where o.environment = p_environment and o.object_type = 'customer'
                     and o.object_id = mine.customer_id and o.deleted) as second
        from payments.subject_customers mine
        where mine.environment = p_environment and mine.account_id in ('', p_account_id)
          and mine.subject_type = p_subject_type and mine.subject_id = p_subject_id
          and p_own_customer is not null
        order by mine.customer_id
    loop
        perform payments.settle_attention(
            p_environment, p_account_id, 'second_customer', 'customer', found_one.customer_id, found_one.second,
            p_subject_type, p_subject_id,
            'This subject has paid as another customer before; the portal and new checkouts use the first one.',
            jsonb_build_object('mapped_customer', p_own_customer));
    end loop;
end $$;
