-- Comparing the mirror with Stripe. What a repair would write is found out by writing it, by the functions that always
-- write it, and taking it back: so a comparison cannot know other rules than the projections have. Nobody sees these
-- rows, and developers' triggers that fire on them are taken back with them.

-- What is known of the objects of a page. `recent`: something newer than the page is known, so the page says nothing.
-- `payment_key`: where the object belongs; `misplaced`: it is not there. `raw`: ours, where it is not the page's. Which
-- invoice an intent pays is told by what the run has found of such links, before our own.
create or replace function payments.known_objects(
    p_run uuid, p_environment text, p_account_id text, p_object_type text, p_as_of bigint, p_ids text[], p_payloads text[],
    p_keys text[]
) returns table (
    nth bigint, known boolean, recent boolean, deleted boolean, account_id text, payment_key text, misplaced boolean,
    raw jsonb)
language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
    return query
    select u.nth, o.object_id is not null, coalesce(o.as_of >= p_as_of, false), coalesce(o.deleted, false),
           o.account_id,
           case when o.payment_key is null or w.wrong then coalesce(w.belongs, o.payment_key) else o.payment_key end,
           coalesce(w.wrong, false),
           case when o.raw is distinct from u.payload::jsonb then o.raw end
    from unnest(p_ids, p_payloads, p_keys) with ordinality as u (object_id, payload, key, nth)
    left join lateral (
        select * from payments.stripe_objects known
        where known.object_id = u.object_id and known.object_type = p_object_type
          and known.environment = p_environment limit 1) o on true
    left join lateral (
        select i.invoice_id from payments.payment_invoices i
        where i.payment_intent_id = u.key and i.environment = p_environment limit 1) i on true
    left join lateral (
        select f.payment_key from payments.reconciliation_findings f
        where f.reconciliation_id = p_run and f.class in ('missing', 'stale') and f.table_name = 'payment_invoices'
          and f.key = u.key limit 1) f on true
    left join lateral (select coalesce(f.payment_key, nullif(i.invoice_id, ''), u.key) as belongs) b on true
    -- an intent whose invoice is known here, and only its link is lost, is in its place
    left join lateral (
        select b.belongs,
               o.object_id is not null and u.key is not null and o.payment_key is distinct from b.belongs
               and not coalesce(b.belongs = u.key and i.invoice_id is null and o.payment_key like 'in\_%', false)
                   as wrong) w on true;
end $$;

-- The rows that p_rows (of projections/project.py) are about, as they are now, without row ids and our own clocks.
create or replace function payments.rows_of(
    p_environment text, p_object_type text, p_ids text[], p_rows jsonb
) returns table (table_name text, key text, object_id text, content jsonb)
language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    clocks constant text[] := array['id', 'created_at', 'updated_at', 'synced_at'];
begin
    if p_object_type = 'product' then
        return query select 'stripe_products', t.product_id, t.product_id, to_jsonb(t) - clocks
        from payments.stripe_products t where t.environment = p_environment and t.product_id = any (p_ids);
    elsif p_object_type = 'price' then
        return query select 'stripe_prices', t.price_id, t.price_id, to_jsonb(t) - clocks
        from payments.stripe_prices t where t.environment = p_environment and t.price_id = any (p_ids);
    elsif p_object_type = 'customer' then
        return query select 'customers', t.provider_customer_id, t.provider_customer_id, to_jsonb(t) - clocks
        from payments.customers t
        where t.provider = 'stripe' and t.environment = p_environment and t.provider_customer_id = any (p_ids);
    elsif p_object_type = 'subscription' then
        return query select 'stripe_subscriptions', t.subscription_id, t.subscription_id, to_jsonb(t) - clocks
        from payments.stripe_subscriptions t
        where t.environment = p_environment and t.subscription_id = any (p_ids);
        return query
        select 'stripe_subscription_items', t.subscription_item_id, t.subscription_id, to_jsonb(t) - clocks
        from payments.stripe_subscription_items t
        where t.environment = p_environment and t.subscription_id = any (p_ids);
    elsif p_object_type = 'checkout.session' then  -- what Stripe decides of it; the rest is the caller's
        return query
        select 'stripe_checkout_sessions', t.checkout_session_id, t.checkout_session_id, jsonb_build_object(
            'status', t.status, 'payment_status', t.payment_status, 'customer_id', t.customer_id,
            'payment_intent_id', t.payment_intent_id, 'subscription_id', t.subscription_id, 'currency', t.currency,
            'amount_subtotal', t.amount_subtotal, 'expires_at', t.expires_at, 'raw', t.raw)
        from payments.stripe_checkout_sessions t
        where t.environment = p_environment and t.checkout_session_id = any (p_ids);
    end if;
    if p_rows ? 'links' then
        return query
        select 'payment_invoices', t.payment_intent_id,
               case p_object_type when 'invoice' then l.invoice_id else l.invoice_payment_id end, to_jsonb(t)
        from jsonb_to_recordset(p_rows -> 'links') as l (
            payment_intent_id text, invoice_id text, invoice_payment_id text)
        join payments.payment_invoices t
            on t.payment_intent_id = l.payment_intent_id and t.environment = p_environment;
    end if;
    if p_rows ? 'mappings' then
        return query
        select distinct on (t.customer_id, t.subject_type, t.subject_id) 'subject_customers',
               concat_ws(':', t.subject_type, t.subject_id, t.customer_id), m.evidence_id, to_jsonb(t)
        from jsonb_to_recordset(p_rows -> 'mappings') as m (
            subject_type text, subject_id text, customer_id text, evidence_id text)
        join payments.subject_customers t
            on t.customer_id = m.customer_id and t.subject_id = m.subject_id and t.subject_type = m.subject_type
           and t.environment = p_environment
        order by t.customer_id, t.subject_type, t.subject_id, m.evidence_id;
        return query
        select distinct on (t.subject_type, t.subject_id) 'customer_mappings',
               concat_ws(':', t.subject_type, t.subject_id), m.evidence_id, to_jsonb(t) - clocks
        from jsonb_to_recordset(p_rows -> 'mappings') as m (
            subject_type text, subject_id text, evidence_id text)
        join payments.customer_mappings t
            on t.subject_id = m.subject_id and t.subject_type = m.subject_type
           and t.environment = p_environment and t.provider = 'stripe'
        order by t.subject_type, t.subject_id, m.evidence_id;
    end if;
    if p_rows ? 'transactions' then
        return query
        select distinct on (t.id) 'transactions', t.provider_object_id, t.provider_object_id,
               to_jsonb(t) - clocks
        from (
            select r.object_type, r.object_id
            from jsonb_to_recordset(p_rows -> 'transactions') as r (object_type text, object_id text)
            union
            select f.object_type, f.object_id
            from jsonb_to_recordset(p_rows -> 'transactions') as r (replaces jsonb),
                 jsonb_to_recordset(coalesce(r.replaces, '[]')) as f (object_type text, object_id text)
        ) named
        join payments.transactions t
            on t.provider = 'stripe' and t.environment = p_environment
           and t.provider_object_type = named.object_type and t.provider_object_id = named.object_id;
    end if;
end $$;

-- Rows that would change when p_rows were applied: ours, and as Stripe would have them; null where there is none.
-- Under the locks of the objects, or of the payments.
create or replace function payments.compare_rows(
    p_environment text, p_account_id text, p_object_type text, p_ids text[], p_rows jsonb, p_raws jsonb
) returns table (table_name text, key text, object_id text, ours jsonb, stripes jsonb)
language plpgsql as $$
#variable_conflict use_column
declare
    own_role text := current_setting('role');
    before jsonb;
    after jsonb;
begin
    select coalesce(jsonb_agg(r), '[]') into before
    from payments.rows_of(p_environment, p_object_type, p_ids, p_rows) r;
    begin
        if p_rows ?| array['mappings', 'subscriptions'] then
            perform payments.lock_people(
                p_environment, coalesce(p_rows -> 'mappings', '[]') || coalesce(p_rows -> 'subscriptions', '[]'));
        end if;
        perform payments.revive(p_environment, p_object_type, p_ids, p_rows -> 'links');
        perform payments.apply_rows(p_environment, p_account_id, p_rows, p_raws);
        if p_rows ? 'mappings' then
            perform payments.settle_mappings_of_customers(
                p_environment, p_account_id, payments.customers_of(p_rows -> 'mappings'));
        end if;
        select coalesce(jsonb_agg(r), '[]') into after
        from payments.rows_of(p_environment, p_object_type, p_ids, p_rows) r;
        raise exception using errcode = 'PGR01', message = 'taken back';
    exception when sqlstate 'PGR01' then
        null;
    end;
    return query
    select coalesce(b.table_name, a.table_name), coalesce(b.key, a.key), coalesce(b.object_id, a.object_id),
           b.content, a.content
    from jsonb_to_recordset(before) as b (table_name text, key text, object_id text, content jsonb)
    full join jsonb_to_recordset(after) as a (table_name text, key text, object_id text, content jsonb)
        on a.table_name = b.table_name and a.key = b.key
    where b.content is distinct from a.content
    order by 1, 2;
end $$;

create or replace function payments.customers_of(p_mappings jsonb) returns text[]
language sql immutable as $$
    select array_agg(distinct m.customer_id order by m.customer_id)
    from jsonb_to_recordset(p_mappings) as m (customer_id text)
$$;

-- What no telling changes, because it should never be wrong. Stripe lists these objects, so whatever marked them deleted
-- was; and an invoice payment never moves to another invoice.
create or replace function payments.revive(
    p_environment text, p_object_type text, p_ids text[], p_links jsonb
) returns void
language plpgsql as $$
declare
    own_role text := current_setting('role');
begin
    update payments.stripe_objects o set deleted = false
    where o.object_id = any (p_ids) and o.object_type = p_object_type and o.environment = p_environment and o.deleted;
    if p_object_type = 'customer' then
        perform set_config('role', 'payments_trigger', true);  -- developers' triggers may sit on this table
        update payments.customers c set deleted = false
        where c.provider = 'stripe' and c.environment = p_environment and c.provider_customer_id = any (p_ids)
          and c.deleted;
        perform set_config('role', own_role, true);
    end if;
    delete from payments.payment_invoices i
    using jsonb_to_recordset(coalesce(p_links, '[]')) as l (
        payment_intent_id text, invoice_id text, invoice_payment_id text)
    where i.payment_intent_id = l.payment_intent_id and i.environment = p_environment
      and i.invoice_payment_id = l.invoice_payment_id and i.invoice_id <> l.invoice_id;
end $$;

-- Everything settled about each of these payments, without what Stripe does not have; `told`: what Stripe listed since,
-- where that is something else, `told_at` when (Unix seconds).
create or replace function payments.payment_families(p_run uuid, p_environment text, p_keys text[])
returns table (payment_key text, stands_alone boolean, members json)
language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
begin
    return query
    select k.key,
           exists (select from payments.payment_invoices i
                   where i.payment_intent_id = k.key and i.environment = p_environment and i.invoice_id = ''),
           (select coalesce(json_agg(json_build_object(
                       'object_type', m.object_type, 'object_id', m.object_id, 'as_of', m.as_of,
                       'paid_at', m.paid_at, 'failed_at', m.failed_at, 'refunded_at', m.refunded_at, 'raw', m.raw,
                       'told', m.told::json, 'told_at', m.told_at) order by m.object_type, m.object_id), '[]')
            from (
                select o.object_type, o.object_id, o.as_of, o.paid_at, o.failed_at, o.refunded_at, o.raw,
                       x.payload as told, x.as_of as told_at
                from payments.stripe_objects o
                left join lateral (
                    select * from payments.reconciliation_objects seen
                    where seen.reconciliation_id = p_run and seen.object_type = o.object_type
                      and seen.object_id = o.object_id limit 1) x on true
                where o.payment_key = k.key and o.environment = p_environment
                  and (x.payload is null or x.payment_key = k.key)
                  and not exists (
                      select from payments.reconciliation_findings f
                      where f.reconciliation_id = p_run and f.class = 'extra' and f.table_name = 'stripe_objects'
                        and f.key = o.object_id)
                union all
                select x.object_type, x.object_id, null, null, null, null, null, x.payload, x.as_of
                from payments.reconciliation_objects x
                where x.reconciliation_id = p_run and x.payment_key = k.key and x.payload is not null
                  and not exists (
                      select from payments.stripe_objects o
                      where o.object_id = x.object_id and o.object_type = x.object_type
                        and o.environment = p_environment and o.payment_key = k.key)
            ) m)
    from unnest(p_keys) as k (key);
end $$;

create or replace function payments.lock_payments(p_environment text, p_keys text[]) returns void
language sql as $$
    select payments.lock_payment(p_environment, key) from unnest(p_keys) as key
$$;

-- What Stripe does not have, once it is a tombstone: it belongs to no payment any more.
create or replace function payments.leave_payment(p_environment text, p_object_type text, p_object_id text)
returns void
language sql as $$
    update payments.stripe_objects o set payment_key = null
    where o.object_id = p_object_id and o.object_type = p_object_type and o.environment = p_environment and o.deleted;
    delete from payments.stripe_subscription_items i
    where p_object_type = 'subscription' and i.environment = p_environment and i.subscription_id = p_object_id
      and not exists (select from payments.stripe_subscriptions s
                      where s.environment = p_environment and s.subscription_id = p_object_id);
$$;

-- What a subscription costs a period, by its items' prices, in minor units.
create or replace function payments.sold_by(
    p_environment text, p_subscription_id text, out amount bigint, out currency text
) language sql stable as $$
    select sum(p.unit_amount * coalesce(i.quantity, 1))::bigint, min(p.currency)
    from payments.stripe_subscription_items i
    join payments.stripe_prices p on p.environment = i.environment and p.price_id = i.price_id
    where i.environment = p_environment and i.subscription_id = p_subscription_id
$$;

-- Every row of an account that stands for one of Stripe's objects of a type and does not say that it is gone. made: the
-- object's own time, Unix seconds.
create or replace function payments.standing_rows(p_environment text, p_account_id text, p_object_type text)
returns table (
    table_name text, key text, object_id text, made bigint, payment_key text, amount bigint, currency text)
language sql stable as $$
    select 'stripe_objects', o.object_id, o.object_id, (o.raw ->> 'created')::bigint,
           coalesce(o.payment_key, case p_object_type when 'subscription' then o.object_id end),
           (coalesce(o.raw ->> 'amount', o.raw ->> 'amount_due', o.raw ->> 'amount_total'))::bigint,
           o.raw ->> 'currency'
    from payments.stripe_objects o
    where o.object_type = p_object_type and o.environment = p_environment and o.account_id in ('', p_account_id)
      and not o.deleted and (p_object_type <> 'subscription'
                             or coalesce(o.raw ->> 'status' not in ('canceled', 'incomplete_expired'), true))
    union all
    select 'stripe_products', p.product_id, p.product_id, (p.raw ->> 'created')::bigint, null, null, null
    from payments.stripe_products p
    where p_object_type = 'product' and p.environment = p_environment and p.account_id in ('', p_account_id)
      and not p.deleted
    union all
    select 'stripe_prices', r.price_id, r.price_id, (r.raw ->> 'created')::bigint, null, null, null
    from payments.stripe_prices r
    where p_object_type = 'price' and r.environment = p_environment and r.account_id in ('', p_account_id)
      and not r.deleted
    union all
    select 'customers', c.provider_customer_id, c.provider_customer_id,
           extract(epoch from c.provider_created_at)::bigint, null, null, null
    from payments.customers c
    where p_object_type = 'customer' and c.provider = 'stripe' and c.environment = p_environment
      and c.account_id in ('', p_account_id) and not c.deleted
    union all
    select 'stripe_subscriptions', s.subscription_id, s.subscription_id, extract(epoch from s.started_at)::bigint,
           s.subscription_id, sold.amount, sold.currency
    from payments.stripe_subscriptions s
    left join lateral payments.sold_by(s.environment, s.subscription_id) sold on true
    where p_object_type = 'subscription' and s.environment = p_environment and s.account_id in ('', p_account_id)
      and s.status not in ('canceled', 'incomplete_expired')
    union all
    select 'stripe_subscription_items', i.subscription_item_id, i.subscription_id, (i.raw ->> 'created')::bigint,
           null, null, null
    from payments.stripe_subscription_items i
    where p_object_type = 'subscription' and i.environment = p_environment and i.account_id in ('', p_account_id)
      and not exists (select from payments.stripe_subscriptions s
                      where s.environment = i.environment and s.subscription_id = i.subscription_id)
    union all
    select 'transactions', t.provider_object_id, t.provider_object_id,
           extract(epoch from t.provider_created_at)::bigint,
           coalesce(t.related_object_ids ->> 'invoice', t.provider_parent_object_id, t.provider_object_id), t.amount,
           t.currency
    from payments.transactions t
    where t.provider = 'stripe' and t.environment = p_environment and t.account_id in ('', p_account_id)
      and t.provider_object_type = replace(p_object_type, 'checkout.session', 'checkout_session')
      and t.provider_object_id is not null
$$;
