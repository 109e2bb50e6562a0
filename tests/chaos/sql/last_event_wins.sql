-- Fault: the status is that of whichever event came last.
create function public.pay() returns trigger language plpgsql set search_path = '' as $$
begin
    update public.orders
    set status = case new.event_type when 'charge.refunded' then 'refunded' else 'paid' end
    where id = public.order_in(new.payload);
    return null;
end $$;
create trigger pay after update on payments.webhook_events for each row
    when (old.processing_status is distinct from new.processing_status and new.processing_status = 'processed'
          and (new.event_type = 'charge.refunded' or new.event_type = 'checkout.session.completed'
               and new.payload #>> '{data,object,payment_status}' = 'paid'))
    execute function public.pay();
