-- Subscriptions: their rows and items, the plan families they belong to, and what operators must see.
-- Live means that Stripe still wants money for it, or will again.

create or replace function payments.is_live(p_status text) returns boolean
language sql immutable as $$
    select p_status in ('trialing', 'active', 'past_due', 'unpaid', 'paused')
$$;

-- The plan families of prices: the metadata `plan_family` of the price or the product, else the product, else the price
-- itself. A subscription's own metadata is not asked: a browser may have written it.
create or replace function payments.price_families(p_environment text, p_price_ids text[]) returns text[]
language sql stable as $$
    select coalesce(array_agg(distinct coalesce(
               r.metadata ->> 'plan_family', p.metadata ->> 'plan_family', r.product_id, wanted.price_id)), '{}')
    from unnest(p_price_ids) as wanted (price_id)
    left join payments.stripe_prices r on r.environment = p_environment and r.price_id = wanted.price_id
    left join payments.stripe_products p on p.environment = p_environment and p.product_id = r.product_id
$$;

-- Those of a subscription, by its items.
create or replace function payments.subscription_families(p_environment text, p_subscription_id text) returns text[]
language sql stable as $$
    select coalesce(array_agg(distinct coalesce(
               r.metadata ->> 'plan_family', p.metadata ->> 'plan_family', i.product_id, i.price_id)), '{}')
    from payments.stripe_subscription_items i
    left join payments.stripe_prices r on r.environment = i.environment and r.price_id = i.price_id
    left join payments.stripe_products p on p.environment = i.environment and p.product_id = i.product_id
    where i.environment = p_environment and i.subscription_id = p_subscription_id
$$;

-- The earliest live subscription of a subject in one of the families, or null.
create or replace function payments.live_subscription(
    p_environment text, p_subject_type text, p_subject_id text, p_families text[], p_account_id text
) returns text
language sql stable as $$
    select s.subscription_id from payments.stripe_subscriptions s
    where s.environment = p_environment and s.subject_type = p_subject_type and s.subject_id = p_subject_id
      and s.account_id in ('', p_account_id) and payments.is_live(s.status)
      and payments.subscription_families(p_environment, s.subscription_id) && p_families
    order by s.started_at, s.subscription_id limit 1
$$;

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
          and s.environment = p_environment and r.subscription -> 'complete' = 'false'
          and o.told #> '{items,has_more}' is distinct from 'true' and jsonb_typeof(o.told #> '{items,data}') = 'array'
        order by s.as_of desc, s.source desc, s.event_id, s.payload limit 1
    ) whole on true
$$;

-- Plan families are the metadata of products and prices, which may come after the subscriptions: those (products and
-- prices) whose family these rows change; null for none.
create or replace function payments.plans_renamed_by(p_environment text, p_rows jsonb) returns text[]
language sql stable as $$
    select array_agg(r.id)
    from (
        select told.product_id as id, told.metadata ->> 'plan_family' as family, known.metadata ->> 'plan_family' as former
        from jsonb_to_recordset(p_rows -> 'products') as told (product_id text, metadata jsonb)
        left join payments.stripe_products known
            on known.product_id = told.product_id and known.environment = p_environment
        union all
        select told.price_id, told.metadata ->> 'plan_family', known.metadata ->> 'plan_family'
        from jsonb_to_recordset(p_rows -> 'prices') as told (price_id text, metadata jsonb)
        left join payments.stripe_prices known
            on known.price_id = told.price_id and known.environment = p_environment
    ) r
    where r.family is distinct from r.former
$$;

-- Subjects with such an item and another subscription or an open checkout, or with an open checkout that sells such a
-- price: they may pay twice for one plan now, or not any more.
create or replace function payments.settle_renamed_plans(
    p_environment text, p_account_id text, p_ids text[]
) returns void
language plpgsql as $$
declare
    whose record;
begin
    for whose in
        select s.subject_type, s.subject_id
        from payments.stripe_subscription_items i
        join payments.stripe_subscriptions s
            on s.environment = i.environment and s.subscription_id = i.subscription_id
        where i.environment = p_environment and (i.product_id = any (p_ids) or i.price_id = any (p_ids))
          and (exists (
              select from payments.stripe_subscriptions other
              where other.environment = s.environment and other.subject_type = s.subject_type
                and other.subject_id = s.subject_id and other.subscription_id <> s.subscription_id)
               or payments.has_unfinished_sessions(p_environment, s.subject_type, s.subject_id))
        union
        select s.subject_type, s.subject_id
        from payments.stripe_checkout_sessions s
        cross join jsonb_array_elements(s.line_items) as item
        left join payments.stripe_prices r on r.environment = s.environment and r.price_id = item ->> 'priceId'
        where s.environment = p_environment and s.status in ('initialized', 'open') and s.mode = 'subscription'
          and s.subject_type is not null and (item ->> 'priceId' = any (p_ids) or r.product_id = any (p_ids))
        order by 1, 2
    loop
        perform payments.settle_live_subscriptions(
            p_environment, p_account_id, whose.subject_type, whose.subject_id);
    end loop;
end $$;

-- Under the locks of the subscriptions; takes their customers' to learn whose they are when they do not say. What is
-- looked up row by row is a lateral query with a limit: joined, it would be planned for hundreds of rows.
create or replace function payments.apply_subscriptions(
    p_environment text, p_account_id text, p_subscriptions jsonb, p_event jsonb
) returns void
language plpgsql as $$
declare
    told jsonb;
    whose record;
begin
    if p_subscriptions @? '$[*] ? (@.complete == false)' then
        p_subscriptions := payments.with_items_told_before(p_environment, p_subscriptions);
    end if;
    perform payments.lock_customer(p_environment, unsaid.customer_id)
    from (select distinct r.customer_id
          from jsonb_to_recordset(p_subscriptions) as r (customer_id text, subject_type text)
          where r.subject_type is null order by r.customer_id) unsaid;

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
    perform payments.lock_subject(w.subject_type, w.subject_id)
    from (select * from payments.subjects_of(told) order by 1, 2) w;
    for whose in
        select w.subject_type, w.subject_id from payments.subjects_of(told) w
        where exists (
            select from payments.stripe_subscriptions s
            where s.environment = p_environment and s.subject_type = w.subject_type and s.subject_id = w.subject_id
            offset 1)
           or exists (
            select from jsonb_to_recordset(told) as t (id text)
            join payments.attention a on a.object_id = t.id and a.reason = 'second_subscription'
                and a.environment = p_environment and a.closed_at is null)
           or payments.has_unfinished_sessions(p_environment, w.subject_type, w.subject_id)
        order by 1, 2
    loop
        perform payments.settle_live_subscriptions(
            p_environment, p_account_id, whose.subject_type, whose.subject_id);
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

-- One live subscription per subject and plan family (decision 14): later ones need an operator, and what is open still
-- is not sold any more, or again.
create or replace function payments.settle_live_subscriptions(
    p_environment text, p_account_id text, p_subject_type text, p_subject_id text
) returns void
language plpgsql as $$
declare
    one record;
    first_one text;
begin
    perform payments.lock_subject(p_subject_type, p_subject_id);
    for one in
        select s.subscription_id, s.started_at, payments.is_live(s.status) as live,
               payments.subscription_families(p_environment, s.subscription_id) as families
        from payments.stripe_subscriptions s
        where s.environment = p_environment and s.subject_type = p_subject_type and s.subject_id = p_subject_id
          and s.account_id in ('', p_account_id)
        order by s.started_at, s.subscription_id
    loop
        first_one := null;
        if one.live then
            first_one := payments.live_subscription(
                p_environment, p_subject_type, p_subject_id, one.families, p_account_id);
        end if;
        perform payments.settle_attention(
            p_environment, p_account_id, 'second_subscription', 'subscription', one.subscription_id,
            coalesce(first_one <> one.subscription_id, false), p_subject_type, p_subject_id,
            'This subject pays twice for one plan: cancel this subscription and refund its payment, or keep it.',
            jsonb_build_object('first_subscription', first_one, 'plan_families', one.families));
    end loop;
    perform payments.settle_sessions(array(
        select s.id from payments.stripe_checkout_sessions s
        where s.environment = p_environment and s.subject_type = p_subject_type and s.subject_id = p_subject_id
          and s.mode = 'subscription' and s.status in ('initialized', 'open')
        order by s.id));
end $$;

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

-- What a subscription checkout sells.
create or replace function payments.session_families(p_session_id uuid) returns text[]
language sql stable as $$
    select payments.price_families(
        s.environment, array(select item ->> 'priceId' from jsonb_array_elements(s.line_items) as item))
    from payments.stripe_checkout_sessions s where s.id = p_session_id
$$;

-- Two subscription checkouts of a subject may sell the same plan: the session that was completed instead of this one, the
-- earliest if there are several. One that can still be paid is superseded while the subscription bought instead has not
-- ended, and by the plan which that is now: it may have been changed since it was sold. One that has expired, by a
-- session made in its time that sold the same, unless what that bought had ended before this one was made.
-- Only what never changes is compared: when a state was read or told is known to the second at best.
-- security definer: asked in the role of developers' triggers, which may not read what Stripe said.
create or replace function payments.superseding(s payments.stripe_checkout_sessions) returns uuid
language sql stable security definer set search_path = '' as $$
    select w.id from payments.stripe_checkout_sessions w
    left join payments.stripe_subscriptions bought
        on bought.subscription_id = w.subscription_id and bought.environment = w.environment
        and bought.status in ('canceled', 'incomplete_expired')
    where w.environment = s.environment and w.subject_type = s.subject_type and w.subject_id = s.subject_id
      and w.account_id = s.account_id and w.mode = 'subscription' and w.status = 'completed' and w.id <> s.id
      and case when s.status <> 'expired' and exists (
                  select from payments.stripe_subscription_items i
                  where i.environment = w.environment and i.subscription_id = w.subscription_id)
               then payments.subscription_families(w.environment, w.subscription_id)
               else payments.session_families(w.id) end && payments.session_families(s.id)
      and case when s.status = 'expired' then exists (
              select from payments.stripe_objects won
              join payments.stripe_objects lost
                  on lost.object_id = s.checkout_session_id and lost.object_type = 'checkout.session'
                  and lost.environment = s.environment
              where won.object_id = w.checkout_session_id and won.object_type = 'checkout.session'
                and won.environment = w.environment
                and (won.raw ->> 'created')::bigint <= (lost.raw ->> 'expires_at')::bigint
                and coalesce((bought.raw ->> 'ended_at')::bigint >= (lost.raw ->> 'created')::bigint, true))
          else bought.subscription_id is null end
    order by w.created_at, w.id limit 1
$$;

-- The live subscription to such a plan that came from elsewhere: a change of plan, the dashboard. The one that a
-- session itself began is stamped with its id, and may be heard of first.
create or replace function payments.superseding_subscription(s payments.stripe_checkout_sessions) returns text
language sql stable as $$
    select u.subscription_id from payments.stripe_subscriptions u
    where u.environment = s.environment and u.subject_type = s.subject_type and u.subject_id = s.subject_id
      and u.account_id in ('', s.account_id) and payments.is_live(u.status)
      and u.metadata ->> 'insforge_checkout_session_id' is distinct from s.id::text
      and payments.subscription_families(u.environment, u.subscription_id) && payments.session_families(s.id)
    order by u.started_at, u.subscription_id limit 1
$$;

-- The worker expires at Stripe what is open and superseded. A completed session supersedes others and is not
-- superseded. A subscription is named where no session can be. Written in the role of developers' triggers.
create or replace function payments.settle_sessions(p_ids uuid[]) returns void
language plpgsql as $$
declare
    own_role text := current_setting('role');
begin
    if p_ids = '{}' then
        return;
    end if;
    perform set_config('role', 'payments_trigger', true);
    update payments.stripe_checkout_sessions s
    set superseded_by = told.by_session, superseded_by_subscription = told.by_subscription
    from (
        select known.id, found.by_session,
               case when found.by_session is null and known.status in ('initialized', 'open')
                    then payments.superseding_subscription(known) end as by_subscription
        from payments.stripe_checkout_sessions known
        cross join lateral (
            select case when known.status <> 'completed' then payments.superseding(known) end as by_session
            offset 0) found
        where known.id = any (p_ids)
    ) told
    where s.id = told.id
      and (s.superseded_by, s.superseded_by_subscription) is distinct from (told.by_session, told.by_subscription);
    perform set_config('role', own_role, true);
end $$;

-- A session has become something else: it is settled, and once it is completed its siblings too.
create or replace function payments.settle_siblings(p_session_id uuid) returns void
language sql as $$
    select payments.settle_sessions(array(
        select known.id
        from payments.stripe_checkout_sessions own
        join payments.stripe_checkout_sessions known
            on known.environment = own.environment and known.subject_type = own.subject_type
            and known.subject_id = own.subject_id and known.account_id = own.account_id
        where own.id = p_session_id and own.mode = 'subscription'
          and known.mode = 'subscription' and known.status <> 'failed'
          and (known.id = own.id or own.status = 'completed')
        order by known.id))
$$;

-- Is the subject buying a subscription just now?
create or replace function payments.has_unfinished_sessions(
    p_environment text, p_subject_type text, p_subject_id text
) returns boolean
language sql stable as $$
    select exists (
        select from payments.stripe_checkout_sessions s
        where s.environment = p_environment and s.subject_type = p_subject_type and s.subject_id = p_subject_id
          and s.mode = 'subscription' and s.status in ('initialized', 'open'))
$$;

revoke execute on function payments.superseding(payments.stripe_checkout_sessions) from public;
grant execute on function payments.superseding(payments.stripe_checkout_sessions) to paygres_service, payments_trigger;
