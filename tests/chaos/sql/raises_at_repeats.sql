-- Fault: a repeat runs into the primary key, and the event fails for ever.
alter table public.grants add unique (order_id);
create function public.pay() returns trigger language plpgsql set search_path = '' as $$
begin
    insert into public.grants (order_id, credits)
    select o.id, 100 from public.orders o
    where o.id = public.order_in(new.payload) and o.amount = (new.payload #>> '{data,object,amount_subtotal}')::bigint;
    return null;
end $$;
create trigger pay after update on payments.webhook_events for each row
    when (new.processing_status = 'processed' and new.event_type = 'checkout.session.completed'
          and new.payload #>> '{data,object,payment_status}' <> 'unpaid')
    execute function public.pay();
