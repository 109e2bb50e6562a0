-- Subscriptions: their rows, and those of their items.

-- A subscription that lacks items (events carry ten) keeps those of its newest whole telling, whichever came first,
-- until the worker has read it.
create or replace function payments.with_items_told_before(p_environment text, p_subscriptions jsonb) returns jsonb
language sql stable as $$
    select jsonb_agg(r.subscription || case when r.subscription -> 'complete' = 'true' then '{}' else
        jsonb_build_object('complete', true, 'items', r.subscription -> 'items' || coalesce((
            select jsonb_agg(jsonb_build_object(
                'subscription_item_id', item ->> 'id',
                'product_id', coalesce(item #>> '{price,product,id}', item #>> '{price,product}'),
                'price_id', item #>> '{price,id}', 'quantity', item -> 'quantity',
                'metadata', coalesce(nullif(item -> 'metadata', 'null'), '{}'), 'raw', item) order by nth)
            from jsonb_array_elements(whole.items) with ordinality as i (item, nth)
            where not exists (
                select from jsonb_array_elements(r.subscription -> 'items') as own
                where own ->> 'subscription_item_id' = item ->> 'id')), '[]')) end)
    from jsonb_array_elements(p_subscriptions) as r (subscription)
    left join lateral (
        select o.told #> '{items,data}' as items
        from payments.stripe_snapshots s
        cross join lateral (
            select case s.source when 'event' then s.payload::jsonb #> '{data,object}' else s.payload::jsonb end
                   as told) o
        where s.object_id = r.subscription ->> 'subscription_id' and s.object_type = 'subscription'
          and s.environment = p_environment and r.subscription -> 'complete' = 'false' and not s.left_out
          and o.told #> '{items,has_more}' is distinct from 'true' and jsonb_typeof(o.told #> '{items,data}') = 'array'
        order by s.as_of desc, s.source desc, s.event_id, s.payload limit 1
    ) whole on true
$$;

-- Under the locks of the subscriptions; takes their customers' to learn whose they are when they do not say. What is
-- looked up row by row is a lateral query with a limit: joined, it would be planned for hundreds of rows.
create or replace function payments.apply_subscriptions(
    p_environment text, p_account_id text, p_subscriptions jsonb, p_event jsonb
) returns void
language plpgsql as $$
declare
    told jsonb;
    whose record;
    types text[];  -- of the subjects concerned, and their ids, in the order of locks
    ids text[];
begin
    if p_subscriptions @? '$[*] ? (@.complete == false)' then
        p_subscriptions := payments.with_items_told_before(p_environment, p_subscriptions);
    end if;
    if p_subscriptions @? '$[*] ? (@.subject_type == null)' then
        perform payments.lock_customer(p_environment, unsaid.customer_id)
        from (select distinct r.customer_id
              from jsonb_to_recordset(p_subscriptions) as r (customer_id text, subject_type text)
              where r.subject_type is null order by r.customer_id) unsaid;
    end if;

    with found as materialized (
        select r.*, coalesce(r.subject_type, owner.subject_type) as own_type,
               coalesce(r.subject_id, owner.subject_id) as own_id, former.known,
               former.subject_type as former_type, former.subject_id as former_id
        from jsonb_to_recordset(p_subscriptions) as r (
            subscription_id text, customer_id text, subject_type text, subject_id text, status text,
            current_period_start bigint, current_period_end bigint, cancel_at_period_end boolean, cancel_at bigint,
            canceled_at bigint, trial_start bigint, trial_end bigint, latest_invoice_id text, metadata jsonb,
            created bigint, complete boolean, raw_in_hand boolean, raw jsonb)
        left join lateral (
            select * from payments.subject_of_customer(p_environment, r.customer_id)
            where r.subject_type is null limit 1) owner on true
        left join lateral (
            select true as known, s.subject_type, s.subject_id from payments.stripe_subscriptions s
            where s.environment = p_environment and s.subscription_id = r.subscription_id limit 1) former on true
    ), written as (
        insert into payments.stripe_subscriptions as s (
            environment, account_id, subscription_id, customer_id, subject_type, subject_id, status,
            current_period_start, current_period_end, cancel_at_period_end, cancel_at, canceled_at, trial_start,
            trial_end, latest_invoice_id, metadata, started_at, raw)
        select p_environment, p_account_id, r.subscription_id, r.customer_id, r.own_type, r.own_id, r.status,
               payments.unix(r.current_period_start), payments.unix(r.current_period_end), r.cancel_at_period_end,
               payments.unix(r.cancel_at), payments.unix(r.canceled_at), payments.unix(r.trial_start),
               payments.unix(r.trial_end), r.latest_invoice_id, coalesce(r.metadata, '{}'), coalesce(payments.unix(r.created), now()),
               case when r.raw_in_hand then payments.raw_in_hand(p_event, r.subscription_id)
                    else coalesce(r.raw, '{}') end
        from found r
        on conflict (environment, subscription_id) do update set
            account_id = excluded.account_id, customer_id = excluded.customer_id,
            -- a subject that is known stays known when metadata loses it (contract F15)
            subject_type = coalesce(excluded.subject_type, s.subject_type),
            subject_id = coalesce(excluded.subject_id, s.subject_id),
            status = excluded.status, current_period_start = excluded.current_period_start,
            current_period_end = excluded.current_period_end, cancel_at_period_end = excluded.cancel_at_period_end,
            cancel_at = excluded.cancel_at, canceled_at = excluded.canceled_at, trial_start = excluded.trial_start,
            trial_end = excluded.trial_end, latest_invoice_id = excluded.latest_invoice_id,
            metadata = excluded.metadata, started_at = excluded.started_at, raw = excluded.raw, synced_at = now()
    )
    select coalesce(jsonb_agg(jsonb_build_object(
               'id', r.subscription_id, 'known', r.known, 'complete', r.complete, 'own_type', r.own_type,
               'own_id', r.own_id, 'former_type', r.former_type, 'former_id', r.former_id)), '[]')
    into told from found r;

    insert into payments.stripe_subscription_items as i (
        environment, account_id, subscription_item_id, subscription_id, product_id, price_id, quantity, metadata, raw)
    select p_environment, p_account_id, item.subscription_item_id, r.subscription_id, item.product_id, item.price_id,
           item.quantity, coalesce(item.metadata, '{}'), coalesce(item.raw, '{}')
    from jsonb_to_recordset(p_subscriptions) as r (subscription_id text, items jsonb),
         jsonb_to_recordset(r.items) as item (
             subscription_item_id text, product_id text, price_id text, quantity bigint, metadata jsonb, raw jsonb)
    on conflict (environment, subscription_item_id) do update set
        account_id = excluded.account_id, subscription_id = excluded.subscription_id,
        product_id = excluded.product_id, price_id = excluded.price_id, quantity = excluded.quantity,
        metadata = excluded.metadata, raw = excluded.raw;

    for whose in  -- one that was known may have lost items
        select r ->> 'subscription_id' as subscription_id, r -> 'items' as items
        from jsonb_array_elements(p_subscriptions) as r
        where r ->> 'subscription_id' = any (array(
            select t.id from jsonb_to_recordset(told) as t (id text, known boolean, complete boolean)
            where t.known and t.complete))
    loop
        delete from payments.stripe_subscription_items i
        where i.environment = p_environment and i.subscription_id = whose.subscription_id
          and i.subscription_item_id not in (
              select listed ->> 'subscription_item_id' from jsonb_array_elements(whose.items) as listed);
    end loop;

    -- Nearly everybody has one subscription, nobody was asked about it, and nobody is at the till: then there is
    -- nothing to settle.
    select coalesce(array_agg(w.subject_type order by w.subject_type, w.subject_id), '{}'),
           coalesce(array_agg(w.subject_id order by w.subject_type, w.subject_id), '{}')
    into types, ids from payments.subjects_of(told) w;
    for nth in 1..cardinality(ids) loop
        perform payments.lock_subject(types[nth], ids[nth]);
    end loop;
    for nth in 1..cardinality(ids) loop
        if exists (
               select from payments.stripe_subscriptions s
               where s.environment = p_environment and s.subject_type = types[nth] and s.subject_id = ids[nth]
               offset 1)
           or exists (
               select from jsonb_to_recordset(told) as t (id text)
               join payments.attention a on a.object_id = t.id and a.reason = 'second_subscription'
                   and a.environment = p_environment and a.closed_at is null)
           or payments.has_unfinished_sessions(p_environment, types[nth], ids[nth]) then
            perform payments.settle_live_subscriptions(p_environment, p_account_id, types[nth], ids[nth]);
        end if;
    end loop;
end $$;

-- Whose subscriptions these are, and whose they were.
create or replace function payments.subjects_of(p_told jsonb) returns table (subject_type text, subject_id text)
language sql immutable as $$
    select t.own_type, t.own_id from jsonb_to_recordset(p_told) as t (own_type text, own_id text)
    where t.own_type is not null
    union
    select t.former_type, t.former_id from jsonb_to_recordset(p_told) as t (former_type text, former_id text)
    where t.former_type is not null
$$;
