-- Entitlements: which user may use which feature, by one-time purchases and by subscriptions.
-- Start a checkout for the subject {"type": "user", "id": …} with prices that public.entitlement_prices names.

-- What a price gives. Never "any paid invoice": a price that is not here gives nothing.
create table public.entitlement_prices (
    price_id text primary key,
    features text[] not null check (cardinality(features) > 0),
    amount bigint check (amount >= 0),                   -- minor units, for one piece; one-time prices only
    currency text check (currency = lower(currency)),
    check ((amount is null) = (currency is null))
);

-- A row is there while it holds; `ends_at` is set once an end is fixed (canceled, or in the grace of a failed renewal).
create table public.user_entitlements (
    environment text not null check (environment in ('test', 'live')),
    user_id text not null,
    feature text not null,
    source text not null check (source in ('purchase', 'subscription')),
    source_id text not null,                             -- the fulfillment's id, or sub_…
    ends_at timestamptz,
    created_at timestamptz not null default now(),
    primary key (environment, user_id, feature, source, source_id)
);
create index user_entitlements_source on public.user_entitlements (environment, source_id);

alter table public.entitlement_prices enable row level security;
alter table public.user_entitlements enable row level security;
create policy everybody on public.entitlement_prices for select to anon, authenticated using (true);
create policy fulfillment on public.entitlement_prices for select to payments_trigger using (true);
create policy own_entitlements on public.user_entitlements for select to authenticated
    using (user_id = (select auth.jwt() ->> 'sub'));
create policy fulfillment on public.user_entitlements to payments_trigger using (true) with check (true);
grant usage on schema public to anon, authenticated, payments_trigger;
grant select on public.entitlement_prices to anon, authenticated, payments_trigger;
grant select on public.user_entitlements to authenticated;
grant select, insert, delete, update (ends_at) on public.user_entitlements to payments_trigger;

-- For policies and queries: may the caller use this now?
create or replace function public.is_entitled(feature text) returns boolean
language sql stable set search_path = '' as $$
    select exists (
        select from public.user_entitlements e
        where e.environment = payments.default_environment() and e.user_id = auth.jwt() ->> 'sub'
          and e.feature = is_entitled.feature and (e.ends_at is null or e.ends_at > now()))
$$;

-- All that a user's subscriptions give, from the settled tables: the same whatever event asks for it, and how often.
-- Call it yourself after a change that no event tells of, such as a customer that an operator mapped.
create or replace function public.settle_user_entitlements(p_environment text, p_user_id text) returns void
language plpgsql set search_path = '' as $$
begin
    -- One at a time for each user: the later one reads what the earlier one's event has committed.
    perform pg_advisory_xact_lock(hashtextextended('entitlements:' || p_environment || ':' || p_user_id, 0));
    with held as (
        select feature, a.source_id,
               -- while it renews there is no end: a late renewal event must not lock anybody out
               nullif(max(case when a.renews_at is null then coalesce(a.until, 'infinity') else 'infinity' end),
                      'infinity') as ends_at
        from payments.access_of(p_environment, 'user', p_user_id) a
        join public.entitlement_prices p on p.price_id = a.price_id, unnest(p.features) as feature
        where a.source = 'subscription' and a.granted
        group by feature, a.source_id
    ), lost as (
        delete from public.user_entitlements e
        where e.environment = p_environment and e.user_id = p_user_id and e.source = 'subscription'
          and (e.feature, e.source_id) not in (select h.feature, h.source_id from held h)
    )
    insert into public.user_entitlements as e (environment, user_id, feature, source, source_id, ends_at)
    select p_environment, p_user_id, h.feature, 'subscription', h.source_id, h.ends_at from held h
    on conflict (environment, user_id, feature, source, source_id) do update set ends_at = excluded.ends_at
        where e.ends_at is distinct from excluded.ends_at;
end $$;

create or replace function public.fulfill_entitlements() returns trigger
language plpgsql set search_path = '' as $$
declare
    customer text := new.payload #>> '{data,object,customer}';
    sold record;
begin
    if new.event_type in ('checkout.session.completed', 'checkout.session.async_payment_succeeded')
       and new.payload #>> '{data,object,mode}' = 'payment' then
        select count(*) as kinds, jsonb_object_agg(p.price_id, b.pieces) as items,
               sum(p.amount * b.pieces)::bigint as amount, min(p.currency) as currency
        into sold
        from (select item ->> 'priceId' as price_id, sum((item ->> 'quantity')::bigint) as pieces
              from payments.stripe_checkout_sessions s, jsonb_array_elements(s.line_items) as item
              where s.environment = new.environment and s.checkout_session_id = new.object_id group by 1) b
        join public.entitlement_prices p on p.price_id = b.price_id;
        if sold.kinds > 0 then
            -- True is not asked for: follow_entitlement_money gives and takes, from the row this writes. A guest is
            -- nobody to give a feature to: quarantined.
            perform payments.fulfill(
                new, 'entitlements', new.object_id,
                case when new.payload #>> '{data,object,metadata,insforge_subject_type}' = 'user' then sold.amount end,
                sold.currency, sold.items);
        end if;
    end if;
    -- The event is only a hint; the tables are settled before it is marked, whatever came first. By customer, since a
    -- checkout may be what tells whose an older subscription is; and whoever held one that is somebody else's now.
    perform public.settle_user_entitlements(new.environment, whose.user_id)
    from (select s.subject_id as user_id from payments.stripe_subscriptions s
          where s.environment = new.environment and s.customer_id = customer and s.subject_type = 'user'
          union
          select e.user_id from payments.stripe_subscriptions s
          join public.user_entitlements e on e.environment = s.environment and e.source_id = s.subscription_id
          where s.environment = new.environment and s.customer_id = customer
          order by 1) whose;
    return null;
end $$;

create or replace trigger fulfill_entitlements
    after update on payments.webhook_events for each row
    when (old.processing_status is distinct from new.processing_status and new.processing_status = 'processed'
          and new.provider = 'stripe'
          and (new.event_type in ('checkout.session.completed', 'checkout.session.async_payment_succeeded')
               or new.event_type like 'customer.subscription.%' or new.event_type like 'invoice.%'))
    execute function public.fulfill_entitlements();

-- What a purchase gives is there while some of its money is with us: gone when all of it was refunded or lost in a
-- dispute, back when the dispute is won.
create or replace function public.follow_entitlement_money() returns trigger
language plpgsql set search_path = '' as $$
begin
    if new.status <> 'granted' then
        delete from public.user_entitlements e
        where e.environment = new.environment and e.source_id = new.id::text and e.source = 'purchase';
        return null;
    end if;
    if new.subject_type is distinct from 'user' or new.subject_id is null then
        raise exception 'it is not known which user paid %', new.payment_key;
    end if;
    insert into public.user_entitlements (environment, user_id, feature, source, source_id)
    select distinct new.environment, new.subject_id, feature, 'purchase', new.id::text
    from public.entitlement_prices p, unnest(p.features) as feature
    where new.items ? p.price_id
    on conflict do nothing;
    return null;
end $$;

create or replace trigger follow_entitlement_money
    after insert or update of status, amount_paid, amount_kept on payments.fulfillments for each row
    when (new.rule = 'entitlements')
    execute function public.follow_entitlement_money();
