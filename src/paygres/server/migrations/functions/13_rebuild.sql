-- Rebuilding the mirror from the ledger. The server folds a page of objects and hands the rows over; here they replace
-- what the tables say instead of being merged into it. The order of locks is that of events: objects, payments,
-- invoices, customers, subjects. Sequential scans are ruled out because plans are kept: they are often made while the
-- tables are still empty.

-- Takes the locks of payments, given in their order, then those of the invoices that intents among them pay.
create or replace function payments.rebuild_locks(p_environment text, p_payment_keys text[])
returns table (payment_intent_id text, invoice_id text)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
declare
    key text;
begin
    foreach key in array p_payment_keys loop
        perform payments.lock_payment(p_environment, key);
    end loop;
    for key in
        select distinct i.invoice_id from payments.payment_invoices i
        where i.payment_intent_id = any (p_payment_keys) and i.environment = p_environment
          and i.invoice_id <> '' and i.invoice_id <> all (p_payment_keys)
        order by i.invoice_id
    loop
        perform payments.lock_payment(p_environment, key);
    end loop;
    return query
        select i.payment_intent_id, i.invoice_id from payments.payment_invoices i
        where i.payment_intent_id = any (p_payment_keys) and i.environment = p_environment;
end $$;

-- Takes out what other installations' objects became before they were left out. p_customers: those they speak of. A
-- payment's row goes when nothing is left of the payment; else it is computed after this, as are links that others told.
-- Customers' rows stay, since developers' tables may hang on them; checkout sessions' rows are always our own.
create or replace function payments.take_out_strangers(
    p_environment text, p_types text[], p_ids text[], p_customers text[]
) returns void
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    keys text[];
    intents text[];
    refunds text[] := array(select id from unnest(p_types, p_ids) as s (type, id) where s.type = 'refund');
    plans text[] := array(select id from unnest(p_types, p_ids) as s (type, id) where s.type in ('product', 'price'));
    subject record;
begin
    keys := array(
        select distinct o.payment_key from unnest(p_types, p_ids) as s (type, id)
        join payments.stripe_objects o
            on o.object_id = s.id and o.object_type = s.type and o.environment = p_environment
        where o.payment_key is not null);
    perform payments.lock_payment(p_environment, key) from unnest(keys) as key order by key like 'in\_%', key;
    delete from payments.stripe_objects o using unnest(p_types, p_ids) as s (type, id)
    where o.object_id = s.id and o.object_type = s.type and o.environment = p_environment;
    keys := array(
        select key from unnest(keys) as key
        where not exists (
            select from payments.stripe_objects o
            where o.payment_key = key and o.environment = p_environment));
    intents := array(
        select i.payment_intent_id from payments.payment_invoices i
        where i.invoice_id = any (keys) and i.environment = p_environment);
    delete from payments.transactions t
    where t.provider = 'stripe' and t.environment = p_environment
      and ((t.provider_object_type = 'refund' and t.provider_object_id = any (refunds))
           or (t.provider_object_type <> 'refund' and t.provider_object_id = any (keys || intents)));
    delete from payments.payment_invoices i
    where (i.invoice_id = any (p_ids) or i.invoice_payment_id = any (p_ids)) and i.environment = p_environment;
    delete from payments.stripe_subscription_items i
    where i.subscription_id = any (p_ids) and i.environment = p_environment;
    delete from payments.stripe_subscriptions s
    where s.subscription_id = any (p_ids) and s.environment = p_environment;
    delete from payments.stripe_prices p where p.price_id = any (plans) and p.environment = p_environment;
    delete from payments.stripe_products p where p.product_id = any (plans) and p.environment = p_environment;
    update payments.attention a set closed_at = now()
    where a.object_id = any (p_ids) and a.environment = p_environment and a.closed_at is null;
    perform payments.lock_customer(p_environment, who.customer_id)
    from (select distinct k.customer_id from payments.subject_customers k
          where k.customer_id = any (p_customers) and k.environment = p_environment
            and k.evidence_id = any (p_ids) and not k.by_operator
          order by 1) who;
    for subject in
        with taken as (
            delete from payments.subject_customers k
            where k.customer_id = any (p_customers) and k.environment = p_environment
              and k.evidence_id = any (p_ids) and not k.by_operator
            returning k.account_id, k.subject_type, k.subject_id)
        select distinct * from taken order by subject_type, subject_id, account_id
    loop
        perform payments.settle_mapping_of_subject(
            p_environment, subject.account_id, subject.subject_type, subject.subject_id);
    end loop;
end $$;

-- Which intents pay invoices, of a page. One that the same invoice payment told otherwise was not told by Stripe.
create or replace function payments.rebuild_links(p_environment text, p_links jsonb) returns void
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    delete from payments.payment_invoices known
    using jsonb_to_recordset(p_links) as told (payment_intent_id text, invoice_id text, invoice_payment_id text)
    where known.payment_intent_id = told.payment_intent_id and known.environment = p_environment
      and known.invoice_payment_id = told.invoice_payment_id and known.invoice_id <> told.invoice_id;
    perform payments.apply_links(p_environment, p_links);
end $$;

-- Who pays as which customer. What a subject's mapping is follows in payments.rebuild_mappings, when all is known.
create or replace function payments.rebuild_evidence(p_environment text, p_account_id text, p_candidates jsonb)
returns void
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    perform payments.lock_customers(p_environment, p_candidates);
    update payments.subject_customers known set since = told.since
    from jsonb_to_recordset(p_candidates) as told (
        subject_type text, subject_id text, customer_id text, since bigint, evidence_id text)
    where known.subject_id = told.subject_id and known.subject_type = told.subject_type
      and known.environment = p_environment and known.customer_id = told.customer_id
      and known.evidence_id = told.evidence_id and known.since <> told.since;
    perform payments.write_evidence(p_environment, p_account_id, p_candidates);
end $$;

-- A page of objects of one kind whose locks are held. p_raws: their JSON by id. Developers' triggers sit on customers
-- and checkout sessions: rows there that say the same already are left alone.
create or replace function payments.rebuild_objects(
    p_environment text, p_account_id text, p_rows jsonb, p_raws jsonb
) returns void
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
declare
    own_role text := current_setting('role');
    others jsonb := p_rows - 'objects' - 'customers' - 'checkout_sessions';
    changed jsonb;
begin
    insert into payments.stripe_objects as o (
        environment, account_id, object_type, object_id, as_of, source, event_id, deleted, undecided,
        payment_key, paid_at, failed_at, refunded_at, raw)
    select p_environment, p_account_id, r.object_type, r.object_id, r.as_of, r.source, r.event_id, r.deleted,
           r.undecided, r.payment_key, r.paid_at, r.failed_at, r.refunded_at, p_raws -> r.object_id
    from jsonb_to_recordset(p_rows -> 'objects') as r (
        object_type text, object_id text, as_of bigint, source text, event_id text, deleted boolean,
        undecided boolean, payment_key text, paid_at bigint, failed_at bigint, refunded_at bigint)
    on conflict (environment, object_type, object_id) do update set
        account_id = excluded.account_id, as_of = excluded.as_of, source = excluded.source,
        event_id = excluded.event_id, deleted = excluded.deleted, undecided = excluded.undecided,
        payment_key = excluded.payment_key, paid_at = excluded.paid_at, failed_at = excluded.failed_at,
        refunded_at = excluded.refunded_at, raw = excluded.raw, updated_at = now()
        where (o.account_id, o.as_of, o.source, o.event_id, o.deleted, o.undecided, o.payment_key, o.paid_at,
               o.failed_at, o.refunded_at, o.raw)
              is distinct from (
               excluded.account_id, excluded.as_of, excluded.source, excluded.event_id, excluded.deleted,
               excluded.undecided, excluded.payment_key, excluded.paid_at, excluded.failed_at, excluded.refunded_at,
               excluded.raw);
    if p_rows ? 'customers' then
        changed := payments.changed_customers(p_environment, p_account_id, p_rows -> 'customers', p_raws);
        if changed is not null then
            others := others || jsonb_build_object('customers', changed);
            -- The general road only ever adds what it hears; here a row is made to say what is so.
            perform set_config('role', 'payments_trigger', true);
            update payments.customers c
            set deleted = false
            from jsonb_to_recordset(changed) as r (customer_id text, deleted boolean)
            where c.provider = 'stripe' and c.environment = p_environment and c.provider_customer_id = r.customer_id
              and c.deleted and not r.deleted;
            perform set_config('role', own_role, true);
        end if;
    end if;
    if p_rows ? 'checkout_sessions' then
        changed := payments.changed_sessions(p_environment, p_rows -> 'checkout_sessions', p_raws);
        if changed is not null then
            others := others || jsonb_build_object('checkout_sessions', changed);
        end if;
    end if;
    if others <> '{}' then
        perform payments.apply_rows(p_environment, p_account_id, others, p_raws);
    end if;
end $$;

-- Customers whose row is not there or says something else; null for none.
create or replace function payments.changed_customers(
    p_environment text, p_account_id text, p_customers jsonb, p_raws jsonb
) returns jsonb
language sql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
    select jsonb_agg(told.customer)
    from jsonb_array_elements(payments.with_cards_told(p_environment, p_customers)) as told (customer)
    cross join lateral jsonb_to_record(told.customer) as r (
        customer_id text, email text, name text, phone text, deleted boolean, metadata jsonb, created bigint,
        payment_method_id text, payment_method_brand text, payment_method_last4 text, country_code text)
    where not exists (
        select from payments.customers c
        where c.provider = 'stripe' and c.environment = p_environment and c.provider_customer_id = r.customer_id
          and (c.account_id, c.email, c.name, c.phone, c.deleted, c.metadata, c.payment_method_id,
               c.payment_method_brand, c.payment_method_last4, c.country_code, c.raw)
              is not distinct from (
               p_account_id, r.email, r.name, r.phone, r.deleted, coalesce(r.metadata, '{}'), r.payment_method_id,
               r.payment_method_brand, r.payment_method_last4, r.country_code, p_raws -> r.customer_id)
          and (r.created is null or c.provider_created_at is not distinct from payments.unix(r.created)))
$$;

-- Sessions of checkouts that were made here and whose row says something else; null for none.
create or replace function payments.changed_sessions(p_environment text, p_sessions jsonb, p_raws jsonb) returns jsonb
language sql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
    select jsonb_agg(told.session)
    from jsonb_array_elements(p_sessions) as told (session)
    cross join lateral jsonb_to_record(told.session) as r (
        row_id uuid, status text, payment_status text, checkout_session_id text, customer_id text,
        payment_intent_id text, subscription_id text, url text, currency text, amount_subtotal bigint,
        expires_at bigint)
    where exists (
        select from payments.stripe_checkout_sessions s
        where s.id = coalesce(r.row_id, (
                select known.id from payments.stripe_checkout_sessions known
                where known.environment = p_environment and known.checkout_session_id = r.checkout_session_id))
          and (s.status, s.payment_status, s.checkout_session_id, s.customer_id, s.payment_intent_id,
               s.subscription_id, s.url, s.currency, s.amount_subtotal, s.expires_at, s.raw)
              is distinct from (
               r.status, r.payment_status, r.checkout_session_id, r.customer_id, r.payment_intent_id,
               r.subscription_id, r.url, r.currency, r.amount_subtotal, payments.unix(r.expires_at),
               p_raws -> r.checkout_session_id))
$$;

-- The mappings that the evidence about these customers makes, and the rows that belong to whom their customer does.
create or replace function payments.rebuild_mappings(p_environment text, p_account_id text, p_customers text[])
returns void
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    customer text;
begin
    perform payments.lock_customer(p_environment, c) from unnest(p_customers) as c order by c;
    perform payments.settle_mappings_of_customers(p_environment, p_account_id, p_customers);
    for customer in
        select c from unnest(p_customers) as c
        where exists (
            select from payments.stripe_subscriptions s
            where s.environment = p_environment and s.customer_id = c
              and (s.metadata ->> 'insforge_subject_type' is null or s.metadata ->> 'insforge_subject_id' is null))
        order by c
    loop
        perform payments.follow_customer(p_environment, p_account_id, customer);
    end loop;
end $$;

-- Payments whose locks are held: their settled objects. `alone`: Stripe was asked, and the intent pays no invoice.
create or replace function payments.families(p_environment text, p_payment_keys text[])
returns table (payment_key text, account_id text, family json, alone boolean)
language sql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
    select wanted.key, (array_agg(o.account_id order by o.as_of desc, o.object_id))[1],
           json_agg(json_build_object(
               'object_type', o.object_type, 'object_id', o.object_id, 'as_of', o.as_of, 'paid_at', o.paid_at,
               'failed_at', o.failed_at, 'refunded_at', o.refunded_at, 'raw', o.raw)
               order by o.object_type, o.object_id),
           exists (select from payments.payment_invoices i
                   where i.payment_intent_id = wanted.key and i.environment = p_environment and i.invoice_id = '')
    from unnest(p_payment_keys) as wanted (key)
    cross join lateral (
        select o.* from payments.stripe_objects o
        where o.payment_key = wanted.key and o.environment = p_environment
        offset 0) o
    group by wanted.key
$$;

create or replace function payments.rebuild_payments(p_environment text, p_account_id text, p_rows jsonb) returns void
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    perform payments.apply_rows(p_environment, p_account_id, p_rows);
end $$;

-- Does a payment's row belong to something that is known? True for a refund that is known, for a payment's own name, and
-- for an intent's that pays a known invoice. Only right while payments.stripe_objects is.
create or replace function payments.is_told(p_environment text, p_object_type text, p_object_id text) returns boolean
language sql stable as $$
    select case p_object_type
        when 'refund' then exists (
            select from payments.stripe_objects o
            where o.object_id = p_object_id and o.object_type = 'refund' and o.environment = p_environment)
        else exists (
            select from payments.stripe_objects o
            where o.payment_key = p_object_id and o.environment = p_environment)
          or exists (
            select from payments.payment_invoices i
            join payments.stripe_objects o on o.payment_key = i.invoice_id and o.environment = i.environment
            where i.payment_intent_id = p_object_id and i.environment = p_environment and i.invoice_id <> '')
        end
$$;

-- Removes the rows about objects of which the ledger has never heard; how many. Customers stay: developers' tables may
-- hang on them.
create or replace function payments.remove_extra(p_environment text) returns bigint
language plpgsql as $$
declare
    removed bigint := 0;
    gone bigint;
    named record;
begin
    delete from payments.stripe_objects t where t.environment = p_environment and not exists (
        select from payments.stripe_snapshots s
        where s.object_id = t.object_id and s.object_type = t.object_type and s.environment = t.environment);
    get diagnostics removed = row_count;
    for named in
        select * from (values
            ('stripe_subscription_items', 'subscription_id', 'subscription'),
            ('stripe_subscriptions', 'subscription_id', 'subscription'), ('stripe_prices', 'price_id', 'price'),
            ('stripe_products', 'product_id', 'product')
        ) as known (table_name, id_column, object_type)
    loop
        execute format(
            'delete from payments.%I t where t.environment = $1 and not exists (
                 select from payments.stripe_snapshots s
                 where s.object_id = t.%I and s.object_type = $2 and s.environment = t.environment)',
            named.table_name, named.id_column)
        using p_environment, named.object_type;
        get diagnostics gone = row_count;
        removed := removed + gone;
    end loop;
    delete from payments.payment_invoices t where t.environment = p_environment and t.invoice_id <> '' and not exists (
        select from payments.stripe_snapshots s
        where s.object_id in (t.invoice_id, t.invoice_payment_id) and s.environment = t.environment);
    get diagnostics gone = row_count;
    removed := removed + gone;
    delete from payments.transactions t where t.provider = 'stripe' and t.environment = p_environment
        and not payments.is_told(t.environment, t.provider_object_type, t.provider_object_id);
    get diagnostics gone = row_count;
    removed := removed + gone;
    delete from payments.subject_customers t where t.environment = p_environment and not t.by_operator and not exists (
        select from payments.stripe_snapshots s where s.object_id = t.evidence_id and s.environment = t.environment);
    get diagnostics gone = row_count;
    removed := removed + gone;
    delete from payments.customer_mappings t where t.provider = 'stripe' and t.environment = p_environment and not exists (
        select from payments.subject_customers k
        where k.subject_id = t.subject_id and k.subject_type = t.subject_type and k.environment = t.environment
          and k.customer_id = t.provider_customer_id);
    get diagnostics gone = row_count;
    return removed + gone;
end $$;
