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
      and coalesce(q.hinted_at <= payments.unix(p_as_of), true)
      and not exists (
          select from payments.stripe_objects o
          where o.environment = p_environment and o.object_type = p_object_type and o.object_id = p_object_id
            and o.undecided);
end $$;

-- A page of a list, with the objects' locks held: which of its objects are known, and what of them. Those that are not
-- answered are new here. `same`: what was settled last is a read that says exactly this, so there is nothing to do.
-- Keeps the snapshots of `plain` objects (about no payment); others go through open_read and close_read one by one,
-- for each changes what the next one's payment is. Sequential scans are ruled out because a plan is kept: it is often
-- made while the tables are still empty.
create or replace function payments.open_page(
    p_environment text, p_account_id text, p_object_type text, p_as_of bigint, p_plain boolean, p_object_ids text[],
    p_payloads text[]
) returns table (nth bigint, same boolean, head json, rivals json)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
declare
    known_ones bigint[];
    same_ones bigint[];
begin
    select coalesce(array_agg(w.nth), '{}'), coalesce(array_agg(w.nth) filter (where w.same), '{}')
    into known_ones, same_ones
    from (
        select u.nth, exists (
            select from payments.stripe_objects o
            join payments.stripe_snapshots s on s.environment = o.environment and s.object_type = o.object_type
                and s.object_id = o.object_id and s.as_of = o.as_of and s.source = 'api' and s.payload = u.payload
            where o.environment = p_environment and o.object_type = p_object_type and o.object_id = u.object_id
              and o.source = 'api' and not o.undecided and not o.deleted and o.account_id = p_account_id) as same
        from unnest(p_object_ids, p_payloads) with ordinality as u (object_id, payload, nth)
        where exists (
            select from payments.stripe_snapshots s
            where s.environment = p_environment and s.object_type = p_object_type and s.object_id = u.object_id)
    ) w;
    foreach nth in array known_ones loop
        same := nth = any (same_ones);
        head := null;
        rivals := null;
        if p_plain and not same then
            select k.head, k.rivals into head, rivals
            from payments.known(p_environment, p_object_type, p_object_ids[nth], p_as_of, 'api', null, null) k;
        end if;
        return next;
    end loop;
    if p_plain then
        insert into payments.stripe_snapshots (
            environment, account_id, object_type, object_id, as_of, source, payload)
        select p_environment, p_account_id, p_object_type, u.object_id, p_as_of, 'api', u.payload
        from unnest(p_object_ids, p_payloads) with ordinality as u (object_id, payload, nth)
        where u.nth <> all (same_ones) and (u.nth <> all (known_ones) or not exists (
            select from payments.stripe_snapshots s
            where s.environment = p_environment and s.object_type = p_object_type and s.object_id = u.object_id
              and s.as_of = p_as_of and s.source = 'api' and s.payload = u.payload));
    end if;
end $$;

-- Applies what a page of plain objects changed (p_raws: the objects by id), and notes of p_seen that they were listed.
-- People's locks are taken for the whole page at once, customers before subjects, each in one order.
create or replace function payments.close_page(
    p_environment text, p_account_id text, p_object_type text, p_rows jsonb, p_raws jsonb, p_object_ids text[],
    p_seen text[]
) returns void
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    if p_rows ?| array['mappings', 'subscriptions'] then
        perform payments.lock_people(
            p_environment, coalesce(p_rows -> 'mappings', '[]') || coalesce(p_rows -> 'subscriptions', '[]'));
    end if;
    perform payments.apply_rows(p_environment, p_account_id, p_rows, p_raws);
    delete from payments.refetch_queue q
    where q.object_id = any (p_object_ids) and q.object_type = p_object_type and q.environment = p_environment
      and q.hinted_at is null
      and not exists (
          select from payments.stripe_objects o
          where o.environment = p_environment and o.object_type = q.object_type and o.object_id = q.object_id
            and o.undecided);
    if p_seen <> '{}' then
        perform payments.note_seen(p_environment, p_object_type, p_seen);
    end if;
end $$;

create or replace function payments.lock_people(p_environment text, p_rows jsonb) returns void
language plpgsql as $$
declare
    customers text[] := array(
        select distinct r.customer_id from jsonb_to_recordset(p_rows) as r (customer_id text) order by 1);
begin
    perform payments.lock_customer(p_environment, c) from unnest(customers) as c;
    perform payments.lock_subject(whose.subject_type, whose.subject_id)
    from (
        select r.subject_type, r.subject_id from jsonb_to_recordset(p_rows) as r (subject_type text, subject_id text)
        where r.subject_type is not null
        union
        select s.subject_type, s.subject_id from payments.subject_customers s
        where s.customer_id = any (customers) and s.environment = p_environment
        order by 1, 2) whose;
end $$;

-- Stripe listed them, and they are as we know them.
create or replace function payments.note_seen(p_environment text, p_object_type text, p_ids text[]) returns void
language plpgsql as $$
declare
    own_role text := current_setting('role');
begin
    if p_object_type = 'product' then
        update payments.stripe_products set synced_at = now()
        where environment = p_environment and product_id = any (p_ids);
    elsif p_object_type = 'price' then
        update payments.stripe_prices set synced_at = now()
        where environment = p_environment and price_id = any (p_ids);
    elsif p_object_type = 'subscription' then
        update payments.stripe_subscriptions set synced_at = now()
        where environment = p_environment and subscription_id = any (p_ids);
    elsif p_object_type = 'customer' then
        perform set_config('role', 'payments_trigger', true);  -- developers' triggers may sit on this table
        update payments.customers set synced_at = now()
        where provider = 'stripe' and environment = p_environment and provider_customer_id = any (p_ids);
        perform set_config('role', own_role, true);
    end if;
end $$;

-- Plans are kept for as long as a connection, and one made for empty tables takes any index. So a sync that fills
-- tables has PostgreSQL look at them as soon as they hold something; autovacuum would, within a minute. Only the owner
-- may, hence security definer; it takes no argument and changes nothing but statistics.
create or replace function payments.analyze_new_tables() returns void
language plpgsql security definer set search_path = '' as $$
declare
    named text;
begin
    for named in
        select c.relname from pg_catalog.pg_class c
        where c.relnamespace = 'payments'::regnamespace and c.relkind = 'r' and c.reltuples < 100
          and pg_catalog.pg_relation_size(c.oid) > 0
        order by c.relname
    loop
        execute pg_catalog.format('analyze payments.%I', named);
    end loop;
end $$;
revoke execute on function payments.analyze_new_tables() from public;
grant execute on function payments.analyze_new_tables() to paygres_service;
