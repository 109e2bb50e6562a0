-- A small shop, written the way your own tables would be. `paygres dev` runs this once, as the owner.

create table public.orders (
    id uuid primary key default gen_random_uuid(),
    price_id text not null,
    amount bigint not null check (amount >= 0),          -- minor units: what this order costs
    currency text not null check (currency = lower(currency)),
    status text not null default 'pending' check (status in ('pending', 'paid')),
    checkout_session_id text,
    created_at timestamptz not null default now(),
    paid_at timestamptz
);
comment on table public.orders is 'paygres dev: sample shop';

-- Fulfillment: runs in the transaction that marks the event processed, so an order is paid exactly once.
-- It believes what was bought, not which order id came along: amount and currency must be the order's own.
create function public.fulfill_order() returns trigger
language plpgsql set search_path = '' as $$
declare
    session jsonb := new.payload #> '{data,object}';
begin
    update public.orders
       set status = 'paid', paid_at = now(), checkout_session_id = session ->> 'id'
     where id::text = session #>> '{metadata,order_id}'
       and status = 'pending'
       and amount = (session ->> 'amount_subtotal')::bigint
       and currency = session ->> 'currency';
    return null;
end $$;

create trigger fulfill_order
    after insert or update on payments.webhook_events
    for each row
    when (new.provider = 'stripe'
          and new.event_type in ('checkout.session.completed', 'checkout.session.async_payment_succeeded')
          and new.processing_status = 'processed'
          and new.payload #>> '{data,object,payment_status}' in ('paid', 'no_payment_required'))
    execute function public.fulfill_order();

-- Triggers run as payments_trigger, which may do only what it is granted.
grant usage on schema public to payments_trigger;
grant select, update on public.orders to payments_trigger;

-- Teams: who may buy a subscription for one. Security definer, so callers need no grant on team_members.
create table public.team_members (
    team_id text not null,
    user_id text not null,
    role text not null default 'member' check (role in ('owner', 'member')),
    primary key (team_id, user_id)
);

create or replace function payments.can_bill(subject_type text, subject_id text) returns boolean
language sql stable security definer set search_path = '' as $$
    select case can_bill.subject_type
        when 'user' then coalesce(can_bill.subject_id = auth.jwt() ->> 'sub', false)
        when 'team' then exists (
            select from public.team_members member
             where member.team_id = can_bill.subject_id
               and member.user_id = auth.jwt() ->> 'sub'
               and member.role = 'owner')
        else false
    end
$$;
