-- Projected rows into tables: one upsert per table, whatever road the object came by.
-- Called inside the transaction that holds the object's locks; rows are those of projections/project.py,
-- p_event is the event (or {data:{object}} around an API read, or a page of them by id) whose object rows with
-- raw_in_hand mean.

create or replace function payments.raw_in_hand(p_event jsonb, p_object_id text) returns jsonb
language sql immutable as $$ select coalesce(p_event -> p_object_id, p_event -> 'data' -> 'object') $$;

create or replace function payments.settled_raw(p_environment text, p_object_type text, p_object_id text) returns jsonb
language sql stable as $$
    select o.raw from payments.stripe_objects o
    where o.object_id = p_object_id and o.object_type = p_object_type and o.environment = p_environment
$$;

create or replace function payments.apply_rows(
    p_environment text, p_account_id text, p_rows jsonb, p_event jsonb default null
) returns void
language plpgsql as $$
#variable_conflict use_column
declare
    own_role text := current_setting('role');
    acting text;  -- set_config's answer: performed, each call would be a query
    customers jsonb := p_rows -> 'customers';
    renamed_plans text[];
begin
    if p_rows ?| array['products', 'prices'] then  -- before those tables are written: their old word is compared
        renamed_plans := payments.plans_renamed_by(p_environment, p_rows);
    end if;
    insert into payments.stripe_objects as o (
        environment, account_id, object_type, object_id, as_of, source, event_id, deleted, undecided,
        payment_key, paid_at, failed_at, refunded_at, raw)
    select p_environment, p_account_id, r.object_type, r.object_id, r.as_of, r.source, r.event_id,
           r.deleted, r.undecided, r.payment_key, r.paid_at, r.failed_at, r.refunded_at,
           case when r.raw_in_hand then payments.raw_in_hand(p_event, r.object_id) else coalesce(r.raw, '{}') end
    from jsonb_to_recordset(p_rows -> 'objects') as r (
        object_type text, object_id text, as_of bigint, source text, event_id text, deleted boolean,
        undecided boolean, payment_key text, paid_at bigint, failed_at bigint, refunded_at bigint,
        raw_in_hand boolean, raw jsonb, settled boolean)
    on conflict (environment, object_type, object_id) do update set
        as_of = excluded.as_of, source = excluded.source, event_id = excluded.event_id,
        undecided = excluded.undecided, account_id = excluded.account_id,
        deleted = o.deleted or excluded.deleted,
        payment_key = coalesce(excluded.payment_key, o.payment_key),
        paid_at = least(o.paid_at, excluded.paid_at),
        failed_at = greatest(o.failed_at, excluded.failed_at),
        refunded_at = greatest(o.refunded_at, excluded.refunded_at),
        -- '{}' means: the state we have is still the newest
        raw = case when excluded.raw = '{}' then o.raw else excluded.raw end,
        updated_at = now();

    if p_rows ? 'products' then
        insert into payments.stripe_products (
            environment, account_id, product_id, name, description, active, default_price_id, metadata, deleted, raw)
        select p_environment, p_account_id, r.product_id, r.name, r.description, r.active, r.default_price_id,
               coalesce(r.metadata, '{}'), r.deleted,
               case when r.raw_in_hand then payments.raw_in_hand(p_event, r.product_id)
                    else payments.settled_raw(p_environment, 'product', r.product_id) end
        from jsonb_to_recordset(p_rows -> 'products') as r (
            product_id text, name text, description text, active boolean, default_price_id text, metadata jsonb,
            deleted boolean, raw_in_hand boolean)
        on conflict (environment, product_id) do update set
            account_id = excluded.account_id, name = excluded.name, description = excluded.description,
            active = excluded.active, default_price_id = excluded.default_price_id, metadata = excluded.metadata,
            deleted = excluded.deleted, raw = excluded.raw, synced_at = now();
    end if;

    if p_rows ? 'prices' then
        insert into payments.stripe_prices (
            environment, account_id, price_id, product_id, active, currency, unit_amount, unit_amount_decimal, type,
            lookup_key, billing_scheme, tax_behavior, recurring_interval, recurring_interval_count, metadata,
            deleted, raw)
        select p_environment, p_account_id, r.price_id, r.product_id, r.active, r.currency, r.unit_amount,
               r.unit_amount_decimal, r.type, r.lookup_key, r.billing_scheme, r.tax_behavior, r.recurring_interval,
               r.recurring_interval_count, coalesce(r.metadata, '{}'), r.deleted,
               case when r.raw_in_hand then payments.raw_in_hand(p_event, r.price_id)
                    else payments.settled_raw(p_environment, 'price', r.price_id) end
        from jsonb_to_recordset(p_rows -> 'prices') as r (
            price_id text, product_id text, active boolean, currency text, unit_amount bigint,
            unit_amount_decimal text, type text, lookup_key text, billing_scheme text, tax_behavior text,
            recurring_interval text, recurring_interval_count integer, metadata jsonb, deleted boolean,
            raw_in_hand boolean)
        on conflict (environment, price_id) do update set
            account_id = excluded.account_id, product_id = excluded.product_id, active = excluded.active,
            currency = excluded.currency, unit_amount = excluded.unit_amount,
            unit_amount_decimal = excluded.unit_amount_decimal, type = excluded.type,
            lookup_key = excluded.lookup_key, billing_scheme = excluded.billing_scheme,
            tax_behavior = excluded.tax_behavior, recurring_interval = excluded.recurring_interval,
            recurring_interval_count = excluded.recurring_interval_count, metadata = excluded.metadata,
            deleted = excluded.deleted, raw = excluded.raw, synced_at = now();
    end if;

    if p_rows ? 'tombstones' then
        perform payments.apply_tombstones(p_environment, p_rows -> 'tombstones');
    end if;

    if renamed_plans is not null then
        perform payments.settle_renamed_plans(p_environment, p_account_id, renamed_plans);
    end if;

    if p_rows ? 'links' then
        perform payments.apply_links(p_environment, p_rows -> 'links');
    end if;
    if p_rows ? 'transactions' then
        perform payments.apply_transactions(p_environment, p_account_id, p_rows -> 'transactions');
    end if;

    if p_rows ? 'mappings' then
        perform payments.apply_mappings(p_environment, p_account_id, p_rows -> 'mappings');
    end if;
    if p_rows ? 'subscriptions' then
        perform payments.apply_subscriptions(p_environment, p_account_id, p_rows -> 'subscriptions', p_event);
    end if;
    if p_rows ? 'attention' then
        perform payments.apply_attention(p_environment, p_account_id, p_rows -> 'attention');
    end if;
    if p_rows ? 'deleted_customers' then
        perform payments.settle_mappings_of_customers(
            p_environment, p_account_id, array(select jsonb_array_elements_text(p_rows -> 'deleted_customers')));
    end if;

    if p_rows ? 'refetches' then
        insert into payments.refetch_queue (
            environment, object_type, object_id, reason, next_attempt_at, only_if_unknown)
        select p_environment, r.object_type, r.object_id, r.reason,
               now() + make_interval(secs => coalesce(r.delay, 0)), coalesce(r.only_if_unknown, false)
        from jsonb_to_recordset(p_rows -> 'refetches') as r (
            object_type text, object_id text, reason text, delay double precision, only_if_unknown boolean)
        on conflict (environment, object_type, object_id) do nothing;
    end if;

    if customers @? '$[*] ? (@.payment_method_id != null && @.payment_method_brand == null)' then
        customers := payments.with_cards_told(p_environment, customers);
    end if;

    if p_rows ? 'gaps' then
        insert into payments.chain_gaps (environment, object_type, object_id, event_id, as_of, before_as_of)
        select p_environment, r.object_type, r.object_id, r.event_id, r.as_of, r.before_as_of
        from jsonb_to_recordset(p_rows -> 'gaps') as r (
            object_type text, object_id text, event_id text, as_of bigint, before_as_of bigint)
        on conflict do nothing;
    end if;

    -- Tables that developers' triggers may sit on are written in the triggers' role.
    if p_rows ?| array['customers', 'checkout_sessions'] then
        acting := set_config('role', 'payments_trigger', true);
        if p_rows ? 'customers' then
            perform payments.apply_customers(p_environment, p_account_id, customers, p_event);
        end if;
        if p_rows ? 'checkout_sessions' then
            perform payments.apply_checkout_sessions(p_environment, p_rows -> 'checkout_sessions', p_event);
        end if;
        acting := set_config('role', own_role, true);
    end if;
end $$;

-- A card is told with the customer only when Stripe was asked for it; events just name it. What the newest read told of
-- the same card is added (contract F14), from the ledger: the row must not depend on which of them came first.
create or replace function payments.with_cards_told(p_environment text, p_customers jsonb) returns jsonb
language sql stable as $$
    select jsonb_agg(
        case when known.card is null then r.customer
             else r.customer || jsonb_build_object(
                 'payment_method_brand',
                 lower(coalesce(known.card ->> 'brand', known.kind)), 'payment_method_last4', known.card ->> 'last4')
        end)
    from jsonb_array_elements(p_customers) as r (customer)
    left join lateral (
        select told.kind, case when jsonb_typeof(told.method -> 'card') = 'object' then told.method -> 'card'
                               when jsonb_typeof(told.method -> told.kind) = 'object' then told.method -> told.kind
                               else told.method end as card
        from (
            select m.method, coalesce(m.method ->> 'type', m.method ->> 'object') as kind, s.as_of, s.payload
            from payments.stripe_snapshots s
            cross join lateral (
                select coalesce(nullif(s.payload::jsonb #> '{invoice_settings,default_payment_method}', 'null'),
                                s.payload::jsonb -> 'default_source') as method) m
            where s.object_id = r.customer ->> 'customer_id' and s.object_type = 'customer'
              and s.environment = p_environment and s.source = 'api'
              and m.method ->> 'id' = r.customer ->> 'payment_method_id'
            order by s.as_of desc, s.payload limit 1
        ) told
        where r.customer ->> 'payment_method_brand' is null
    ) known on true
$$;

create or replace function payments.apply_customers(
    p_environment text, p_account_id text, p_customers jsonb, p_event jsonb
) returns void
language sql as $$
    insert into payments.customers as c (
        environment, account_id, provider, provider_customer_id, email, name, phone, deleted, metadata,
        provider_created_at, payment_method_id, payment_method_brand, payment_method_last4, country_code, raw)
    select p_environment, p_account_id, 'stripe', r.customer_id, r.email, r.name, r.phone, r.deleted,
           coalesce(r.metadata, '{}'), payments.unix(r.created), r.payment_method_id, r.payment_method_brand,
           r.payment_method_last4, r.country_code,
           case when r.raw_in_hand then payments.raw_in_hand(p_event, r.customer_id) else coalesce(r.raw, '{}') end
    from jsonb_to_recordset(p_customers) as r (
        customer_id text, email text, name text, phone text, deleted boolean, metadata jsonb, created bigint,
        payment_method_id text, payment_method_brand text, payment_method_last4 text, country_code text,
        raw_in_hand boolean, raw jsonb, only_deleted boolean)
    on conflict (provider, environment, provider_customer_id) do update set
        account_id = excluded.account_id, deleted = c.deleted or excluded.deleted,
        -- a bare tombstone ({id, deleted}) knows nothing else and must wipe nothing
        email = case when excluded.raw = '{}' then c.email else excluded.email end,
        name = case when excluded.raw = '{}' then c.name else excluded.name end,
        phone = case when excluded.raw = '{}' then c.phone else excluded.phone end,
        metadata = case when excluded.raw = '{}' then c.metadata else excluded.metadata end,
        provider_created_at = coalesce(excluded.provider_created_at, c.provider_created_at),
        payment_method_id = case when excluded.raw = '{}' then c.payment_method_id else excluded.payment_method_id end,
        payment_method_brand = case
            when excluded.raw = '{}' then c.payment_method_brand else excluded.payment_method_brand end,
        payment_method_last4 = case
            when excluded.raw = '{}' then c.payment_method_last4 else excluded.payment_method_last4 end,
        country_code = case when excluded.raw = '{}' then c.country_code else excluded.country_code end,
        raw = case when excluded.raw = '{}' then c.raw else excluded.raw end,
        synced_at = now();
$$;

-- `{id, deleted}`: the object is gone and nothing else is said of it.
create or replace function payments.apply_tombstones(p_environment text, p_tombstones jsonb) returns void
language plpgsql as $$
declare
    own_role text := current_setting('role');
    r record;
    whose record;
begin
    for r in select * from jsonb_to_recordset(p_tombstones) as found (object_type text, object_id text, as_of bigint) loop
        if r.object_type = 'product' then
            update payments.stripe_products set deleted = true, synced_at = now()
            where environment = p_environment and product_id = r.object_id and not deleted;
        elsif r.object_type = 'price' then
            update payments.stripe_prices set deleted = true, synced_at = now()
            where environment = p_environment and price_id = r.object_id and not deleted;
        elsif r.object_type = 'subscription' then
            -- gone without having ended, as with all test data: whoever had it has it no more
            update payments.stripe_subscriptions
            set status = 'canceled', synced_at = now()
            where environment = p_environment and subscription_id = r.object_id
              and status not in ('canceled', 'incomplete_expired')
            returning subject_type, subject_id, account_id into whose;
            if whose.subject_type is not null then
                perform payments.settle_live_subscriptions(
                    p_environment, whose.account_id, whose.subject_type, whose.subject_id);
            end if;
        elsif r.object_type = 'checkout.session' then  -- nobody can pay it any more
            perform set_config('role', 'payments_trigger', true);  -- developers' triggers may sit on this table
            update payments.stripe_checkout_sessions
            set status = 'expired', url = null
            where environment = p_environment and checkout_session_id = r.object_id and status = 'open'
            returning id into whose;
            perform payments.settle_siblings(whose.id);
            perform set_config('role', own_role, true);
        end if;
    end loop;
end $$;

-- Row by row: joined to a recordset, the update would be planned as if there were hundreds of rows.
-- One that opens while another one's completion is not committed yet waits for it: each would miss the other.
create or replace function payments.apply_checkout_sessions(
    p_environment text, p_sessions jsonb, p_event jsonb
) returns void
language plpgsql as $$
declare
    r record;
    known_id uuid;
begin
    if p_sessions @? '$[*] ? (@.mode == "subscription")' then
        perform payments.lock_subject(w.subject_type, w.subject_id)
        from (select distinct s.subject_type, s.subject_id
              from jsonb_to_recordset(p_sessions) as told (row_id uuid, mode text, checkout_session_id text)
              join lateral (
                  select known.subject_type, known.subject_id from payments.stripe_checkout_sessions known
                  where known.subject_type is not null and known.id = coalesce(told.row_id, (
                      select k.id from payments.stripe_checkout_sessions k
                      where k.environment = p_environment and k.checkout_session_id = told.checkout_session_id))
                  limit 1) s on true
              where told.mode = 'subscription'
              order by 1, 2) w;
    end if;
    for r in
        select * from jsonb_to_recordset(p_sessions) as found (
            row_id uuid, mode text, status text, payment_status text, checkout_session_id text, customer_id text,
            payment_intent_id text, subscription_id text, url text, currency text, amount_subtotal bigint,
            expires_at bigint, raw_in_hand boolean, raw jsonb)
    loop
        known_id := r.row_id;
        if known_id is null then
            select s.id into known_id from payments.stripe_checkout_sessions s
            where s.environment = p_environment and s.checkout_session_id = r.checkout_session_id;
        end if;
        update payments.stripe_checkout_sessions s set
            status = r.status, payment_status = r.payment_status, checkout_session_id = r.checkout_session_id,
            customer_id = r.customer_id, payment_intent_id = r.payment_intent_id,
            subscription_id = r.subscription_id, url = r.url, currency = r.currency,
            amount_subtotal = r.amount_subtotal, expires_at = payments.unix(r.expires_at), last_error = null,
            raw = case when r.raw_in_hand then payments.raw_in_hand(p_event, r.checkout_session_id)
                       else coalesce(nullif(r.raw, '{}'), s.raw) end
        where s.id = known_id
          and (s.environment = p_environment) is true  -- checked, not looked up by: the id finds the row
          and coalesce(s.checkout_session_id, r.checkout_session_id) = r.checkout_session_id;
        if found and r.mode = 'subscription' then
            perform payments.settle_siblings(known_id);
        end if;
    end loop;
end $$;
