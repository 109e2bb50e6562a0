-- Fault: once for each event, and two events tell of the same money.
alter table public.grants add unique (event_id);
create function public.pay() returns trigger language plpgsql set search_path = '' as $$
begin
    insert into public.grants (order_id, event_id, credits)
    select o.id, new.provider_event_id, 100 from public.orders o
    where o.id = public.order_in(new.payload) and o.amount = (new.payload #>> '{data,object,amount_subtotal}')::bigint
    on conflict (event_id) do nothing;
    return null;
end $$;
create trigger pay after update on payments.webhook_events for each row
    when (new.processing_status = 'processed'
          and new.event_type in ('checkout.session.completed', 'checkout.session.async_payment_succeeded')
          and new.payload #>> '{data,object,payment_status}' <> 'unpaid')
    execute function public.pay();
