-- The shop under proof: its orders, and `grants`, a plain list that shows a second grant instead of hiding it.
create table public.orders (
    id text primary key,
    amount bigint not null,
    currency text not null,
    status text not null default 'pending'
);
create table public.grants (order_id text not null, event_id text not null);

insert into public.orders (id, amount, currency)
select 'order-' || n, 1500, case when n % 2 = 1 then 'usd' else 'eur' end from generate_series(1, 20000) as n;

-- Now and then the trigger stumbles, so that the worker has events to try again. A sequence is not rolled back.
create sequence public.stumbles;

create function public.fulfill_order() returns trigger
language plpgsql set search_path = '' as $$
declare
    ordered record;
begin
    if nextval('public.stumbles') % 12 = 0 then
        raise exception 'stumbled over %', new.provider_event_id;
    end if;
    select * into ordered from public.orders o where o.id = new.payload #>> '{data,object,metadata,order_id}';
    if payments.fulfill(new, 'orders', ordered.id, ordered.amount, ordered.currency) then
        update public.orders set status = 'paid' where id = ordered.id;
        insert into public.grants values (ordered.id, new.provider_event_id);
    end if;
    return null;
end $$;

create trigger fulfill_order after update on payments.webhook_events for each row
    when (old.processing_status is distinct from new.processing_status and new.processing_status = 'processed'
          and new.event_type in ('checkout.session.completed', 'checkout.session.async_payment_succeeded'))
    execute function public.fulfill_order();

grant select, update on public.orders to payments_trigger;
grant insert on public.grants to payments_trigger;
grant usage on public.stumbles to payments_trigger;
