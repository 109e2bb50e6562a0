-- Orders: paid once, for what the order itself says it costs; refunds and disputes follow by themselves.
-- Start a checkout with metadata {"order_id": "<the order's id>"} and the order's own price and quantity.

create table public.orders (
    id uuid primary key default gen_random_uuid(),
    environment text not null default payments.default_environment() check (environment in ('test', 'live')),
    user_id text default auth.jwt() ->> 'sub',           -- null for a guest's order
    price_id text not null,                              -- what is ordered: one price, some pieces of it
    quantity bigint not null default 1 check (quantity > 0),
    amount bigint not null check (amount >= 0),          -- minor units, for all pieces, before discounts and taxes
    currency text not null check (currency = lower(currency)),
    -- expired: a checkout of it ran out; payment_failed: a delayed payment did not come. Both may still be paid later.
    status text not null default 'pending' check (
        status in ('pending', 'expired', 'payment_failed', 'paid', 'partially_refunded', 'refunded')),
    checkout_session_id text,                            -- of the payment that counts: cs_…
    fulfillment_id uuid,                                 -- its row in payments.fulfillments
    amount_paid bigint not null default 0,
    amount_kept bigint not null default 0,               -- paid - refunded - lost in disputes
    paid_at timestamptz,
    created_at timestamptz not null default now()
);
create index orders_user on public.orders (user_id, created_at) where user_id is not null;

-- Users see their own orders and write none: whoever could write an amount would choose what to pay.
-- `sub` may be any text; it is compared and never cast, so an odd one is nobody and no error.
alter table public.orders enable row level security;
create policy own_orders on public.orders for select to authenticated using (user_id = (select auth.jwt() ->> 'sub'));
create policy fulfillment on public.orders to payments_trigger using (true) with check (true);
grant usage on schema public to authenticated, payments_trigger;
grant select on public.orders to authenticated;
grant select on public.orders to payments_trigger;
grant update (status, checkout_session_id, fulfillment_id, amount_paid, amount_kept, paid_at)
    on public.orders to payments_trigger;

-- A user orders: the amount comes from the catalog. Orders made by your own server may simply insert.
create or replace function public.place_order(price_id text, quantity bigint default 1) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
    placed uuid;
begin
    insert into public.orders (price_id, quantity, amount, currency)
    select p.price_id, place_order.quantity, p.unit_amount * place_order.quantity, p.currency
    from payments.stripe_prices p
    where p.price_id = place_order.price_id and p.environment = payments.default_environment()
      and p.type = 'one_time' and p.unit_amount is not null and p.active and not p.deleted
    returning id into placed;
    if placed is null then
        raise exception 'this price is not for sale' using errcode = 'invalid_parameter_value';
    end if;
    return placed;
end $$;
revoke execute on function public.place_order(text, bigint) from public;
grant execute on function public.place_order(text, bigint) to authenticated;

-- Metadata is the buyer's: it may name any order, or hold no id at all.
create or replace function public.order_id_in(told text) returns uuid
language sql immutable set search_path = '' as $$
    select case when told ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then told::uuid end
$$;

create or replace function public.fulfill_order() returns trigger
language plpgsql set search_path = '' as $$
declare
    told text := new.payload #>> '{data,object,metadata,order_id}';
    o public.orders;
begin
    -- Not locked here: payments.fulfill takes the lock of (rule, key) first, and so does every reversal.
    select * into o from public.orders known
    where known.id = public.order_id_in(told) and known.environment = new.environment;
    if new.event_type in ('checkout.session.expired', 'checkout.session.async_payment_failed') then
        -- Only forward: pending, expired, payment_failed, paid. So it is the same whatever is told first. And only by
        -- the order's own user, since anybody can let a checkout with this order's id run out.
        update public.orders known
        set status = case new.event_type when 'checkout.session.expired' then 'expired' else 'payment_failed' end
        where known.id = o.id
          and known.status = any (case new.event_type when 'checkout.session.expired' then array['pending']
                                                      else array['pending', 'expired'] end)
          and exists (select from payments.stripe_checkout_sessions s
                      where s.environment = new.environment and s.checkout_session_id = new.object_id
                        and s.created_by is not distinct from known.user_id);
        return null;
    end if;
    -- The order's own price, pieces, amount and currency. An order that is not there expects nothing: quarantined.
    -- False for a bank debit that completes unpaid; async_payment_succeeded asks again when its money has come.
    if payments.fulfill(new, 'orders', told, o.amount, o.currency,
                        case when o.id is not null then jsonb_build_object(o.price_id, o.quantity) end) then
        if o.id is null then  -- an operator released it all the same
            raise exception 'there is no order % to fulfill', told;
        end if;
        -- True exactly once: here belongs what happens once, such as a row for the job that ships.
        update public.orders known set paid_at = now(), checkout_session_id = new.object_id where known.id = o.id;
    end if;
    return null;
end $$;

create or replace trigger fulfill_order
    after update on payments.webhook_events for each row
    when (old.processing_status is distinct from new.processing_status and new.processing_status = 'processed'
          and new.provider = 'stripe'
          and new.event_type in ('checkout.session.completed', 'checkout.session.async_payment_succeeded',
                                 'checkout.session.async_payment_failed', 'checkout.session.expired')
          and new.payload #>> '{data,object,mode}' = 'payment'
          and new.payload #>> '{data,object,metadata,order_id}' is not null)
    execute function public.fulfill_order();

-- The order's status is a function of its payment's row, however often and in whatever order that is told.
create or replace function public.follow_order_money() returns trigger
language plpgsql set search_path = '' as $$
begin
    update public.orders o
    set status = case when new.status = 'reversed' then 'refunded'
                      when new.amount_kept < new.amount_paid then 'partially_refunded'
                      else 'paid' end,
        fulfillment_id = new.id, amount_paid = new.amount_paid, amount_kept = new.amount_kept
    where o.id = public.order_id_in(new.key) and o.environment = new.environment
      and (new.status = 'granted' or o.fulfillment_id = new.id
           -- refunded before it was granted: a payment of this order, if it was one for what was ordered
           or o.fulfillment_id is null and new.amount = o.amount and new.currency = o.currency
              and new.items = jsonb_build_object(o.price_id, o.quantity));
    return null;
end $$;

create or replace trigger follow_order_money
    after insert or update of status, amount_paid, amount_kept on payments.fulfillments for each row
    when (new.rule = 'orders' and new.status in ('granted', 'reversed'))
    execute function public.follow_order_money();
