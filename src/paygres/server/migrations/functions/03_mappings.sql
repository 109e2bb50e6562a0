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
    order by not known.by_operator, known.since, known.evidence_id limit 1
$$;

create or replace function payments.lock_subject(p_subject_type text, p_subject_id text) returns void
language sql as $$
    select pg_advisory_xact_lock(hashtextextended('mapping' || p_subject_type || ':' || p_subject_id, 7130))
$$;

create or replace function payments.lock_customers(p_environment text, p_candidates jsonb) returns void
language plpgsql as $$
begin
    if jsonb_array_length(p_candidates) = 1 then  -- nearly always; it needs no sorting
        perform payments.lock_customer(p_environment, p_candidates #>> '{0,customer_id}');
        return;
    end if;
    perform payments.lock_customer(p_environment, told.customer_id)
    from (select distinct r.customer_id from jsonb_to_recordset(p_candidates) as r (customer_id text)
          order by r.customer_id) told;
end $$;

-- Who pays as which customer; the earliest evidence of a pair stays. Which customers are known better now, in order, null
-- for none. One by one: nearly always there is one, and a set of rows would have to be sorted first.
create or replace function payments.write_evidence(p_environment text, p_account_id text, p_candidates jsonb)
returns text[]
language plpgsql as $$
declare
    told jsonb;
    changed text[];
begin
    for nth in 0..jsonb_array_length(p_candidates) - 1 loop
        told := p_candidates -> nth;
        insert into payments.subject_customers as known (
            environment, account_id, subject_type, subject_id, customer_id, since, evidence_id)
        values (p_environment, p_account_id, told ->> 'subject_type', told ->> 'subject_id', told ->> 'customer_id',
                (told ->> 'since')::bigint, told ->> 'evidence_id')
        on conflict (environment, subject_type, subject_id, customer_id) do update
            set since = excluded.since, evidence_id = excluded.evidence_id
            where (excluded.since, excluded.evidence_id) < (known.since, known.evidence_id);
        if found then
            changed := changed || (told ->> 'customer_id');
        end if;
    end loop;
    if cardinality(changed) > 1 then
        changed := array(select distinct customer from unnest(changed) as customer order by customer);
    end if;
    return changed;
end $$;

create or replace function payments.apply_mappings(p_environment text, p_account_id text, p_candidates jsonb)
returns void
language plpgsql as $$
declare
    changed text[];
    customer text;
begin
    perform payments.lock_customers(p_environment, p_candidates);
    changed := payments.write_evidence(p_environment, p_account_id, p_candidates);
    if changed is null then
        return;
    end if;
    perform payments.settle_mappings_of_customers(p_environment, p_account_id, changed);
    foreach customer in array changed loop
        if exists (select from payments.transactions t
                   where t.provider = 'stripe' and t.environment = p_environment and t.provider_customer_id = customer
                     and t.subject_by_customer)
           or exists (select from payments.stripe_subscriptions s
                      where s.environment = p_environment and s.customer_id = customer
                        and (s.metadata ->> 'insforge_subject_type' is null
                             or s.metadata ->> 'insforge_subject_id' is null)) then
            perform payments.follow_customer(p_environment, p_account_id, customer);
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
    formers jsonb;
begin
    select * into owner from payments.subject_of_customer(p_environment, p_customer_id);
    -- Whoever had them is left with the others: one of those may not be the second any more.
    select jsonb_agg(distinct jsonb_build_object('type', s.subject_type, 'id', s.subject_id)) into formers
    from payments.stripe_subscriptions s
    where s.environment = p_environment and s.customer_id = p_customer_id and s.subject_type is not null
      and (s.metadata ->> 'insforge_subject_type' is null or s.metadata ->> 'insforge_subject_id' is null)
      and (s.subject_type, s.subject_id) is distinct from (owner.subject_type, owner.subject_id);
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
    for changed in
        select f.type, f.id from jsonb_to_recordset(coalesce(formers, '[]')) as f (type text, id text) order by 1, 2
    loop
        perform payments.settle_live_subscriptions(p_environment, p_account_id, changed.type, changed.id);
    end loop;
end $$;

-- The connected account; a late event of one that is not connected any more must not turn a mapping back to its customer.
create or replace function payments.connected_account(p_environment text, p_fallback text) returns text
language sql stable as $$
    select coalesce((select c.provider_account_id from payments.provider_connections c
                     where c.provider = 'stripe' and c.environment = p_environment), p_fallback)
$$;

create or replace function payments.settle_mappings_of_customers(
    p_environment text, p_account_id text, p_customers text[]
) returns void
language plpgsql
set enable_seqscan = off as $$  -- planned while these tables are small, it would go on reading all of them as they grow
declare
    account text := payments.connected_account(p_environment, p_account_id);
    easy text[];
    found_one record;
begin
    -- Subjects in a fixed order: two events that meet here wait for each other instead of deadlocking.
    perform payments.lock_subject(whose.subject_type, whose.subject_id)
    from (select distinct k.subject_type, k.subject_id from payments.subject_customers k
          where k.customer_id = any (p_customers) and k.environment = p_environment
          order by k.subject_type, k.subject_id) whose;
    -- Nearly everybody at once: a subject and a customer that know nobody else, and are not mapped yet. Offset 0, so that
    -- these are looked up: a join reads whole tables.
    with mapped as (
        insert into payments.customer_mappings (
            environment, account_id, provider, subject_type, subject_id, provider_customer_id)
        select p_environment, account, 'stripe', mine.subject_type, mine.subject_id, mine.customer_id
        from payments.subject_customers mine
        where mine.customer_id = any (p_customers) and mine.environment = p_environment
          and mine.account_id in ('', account)
          and not exists (
              select from payments.subject_customers other
              where other.subject_id = mine.subject_id and other.subject_type = mine.subject_type
                and other.environment = mine.environment and other.customer_id <> mine.customer_id offset 0)
          and not exists (
              select from payments.subject_customers other
              where other.customer_id = mine.customer_id and other.environment = mine.environment
                and (other.subject_type, other.subject_id) <> (mine.subject_type, mine.subject_id) offset 0)
          and not exists (
              select from payments.customer_mappings m
              where m.provider = 'stripe' and m.environment = mine.environment
                and m.subject_type = mine.subject_type and m.subject_id = mine.subject_id offset 0)
          and not exists (
              select from payments.customer_mappings m
              where m.provider = 'stripe' and m.environment = mine.environment
                and m.provider_customer_id = mine.customer_id offset 0)
          and not exists (
              select from payments.stripe_objects o
              where o.object_id = mine.customer_id and o.object_type = 'customer'
                and o.environment = mine.environment and o.deleted offset 0)
          and not exists (
              select from payments.attention a
              where a.object_id = mine.customer_id and a.reason = 'second_customer'
                and a.environment = mine.environment and a.closed_at is null offset 0)
        returning provider_customer_id
    )
    select coalesce(array_agg(provider_customer_id), '{}') into easy from mapped;
    for found_one in
        select distinct k.subject_type, k.subject_id from payments.subject_customers k
        where k.customer_id = any (p_customers) and k.environment = p_environment and k.customer_id <> all (easy)
        order by k.subject_type, k.subject_id
    loop
        perform payments.settle_mapping_of_subject(
            p_environment, account, found_one.subject_type, found_one.subject_id);
    end loop;
end $$;

-- An operator's word is the strongest evidence there is; else the earliest counts.
create or replace function payments.settle_mapping_of_subject(
    p_environment text, p_account_id text, p_subject_type text, p_subject_id text
) returns void
language plpgsql as $$
declare
    account text := payments.connected_account(p_environment, p_account_id);
    own_customer text;
    mapped text;
begin
    perform payments.lock_subject(p_subject_type, p_subject_id);
    select mine.customer_id into own_customer
    from payments.subject_customers mine
    where mine.environment = p_environment and mine.account_id in ('', account)
      and mine.subject_type = p_subject_type and mine.subject_id = p_subject_id
      and not exists (
          select from payments.subject_customers other
          where other.environment = p_environment and other.customer_id = mine.customer_id
            and (not other.by_operator, other.since, other.evidence_id)
                < (not mine.by_operator, mine.since, mine.evidence_id))
      and not exists (
          select from payments.stripe_objects o
          where o.environment = p_environment and o.object_type = 'customer'
            and o.object_id = mine.customer_id and o.deleted)
    order by not mine.by_operator, mine.since, mine.evidence_id
    limit 1;

    select m.provider_customer_id into mapped from payments.customer_mappings m
    where m.provider = 'stripe' and m.environment = p_environment
      and m.subject_type = p_subject_type and m.subject_id = p_subject_id;
    perform payments.settle_second_customers(
        p_environment, account, p_subject_type, p_subject_id, own_customer);
    if mapped is not distinct from own_customer then
        return;
    end if;
    delete from payments.customer_mappings m
    where m.provider = 'stripe' and m.environment = p_environment
      and m.subject_type = p_subject_type and m.subject_id = p_subject_id;
    if own_customer is not null then
        delete from payments.customer_mappings m
        where m.provider = 'stripe' and m.environment = p_environment and m.provider_customer_id = own_customer;
        insert into payments.customer_mappings (
            environment, account_id, provider, subject_type, subject_id, provider_customer_id)
        values (p_environment, account, 'stripe', p_subject_type, p_subject_id, own_customer);
    end if;
end $$;

-- Customers a subject owns beside the one it maps to: shown to operators, never re-pointed (decision 13). One that turns
-- out to be somebody else's is shown as theirs, or not at all: only what was said of this subject is taken back.
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
                     and (not other.by_operator, other.since, other.evidence_id)
                         < (not mine.by_operator, mine.since, mine.evidence_id)) and not exists (
                   select from payments.stripe_objects o
                   where o.environment = p_environment and o.object_type = 'customer'
                     and o.object_id = mine.customer_id and o.deleted) as second
        from payments.subject_customers mine
        where mine.environment = p_environment and mine.account_id in ('', p_account_id)
          and mine.subject_type = p_subject_type and mine.subject_id = p_subject_id
          and p_own_customer is not null
        order by mine.customer_id
    loop
        continue when not found_one.second and not exists (
            select from payments.attention a
            where a.object_id = found_one.customer_id and a.reason = 'second_customer'
              and a.environment = p_environment and a.closed_at is null
              and (a.subject_type, a.subject_id) = (p_subject_type, p_subject_id));
        perform payments.settle_attention(
            p_environment, p_account_id, 'second_customer', 'customer', found_one.customer_id, found_one.second,
            p_subject_type, p_subject_id,
            'This subject has paid as another customer before; the portal and new checkouts use the first one.',
            jsonb_build_object('mapped_customer', p_own_customer));
    end loop;
end $$;
