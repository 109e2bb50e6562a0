-- Fault: a cheap price pays for an expensive order.
create function public.pay() returns trigger language plpgsql set search_path = '' as $$
begin
    update public.orders set status = 'paid' where id = public.order_in(new.payload);
    return null;
end $$;
create trigger pay after update on payments.webhook_events for each row
    when (new.processing_status = 'processed'
          and new.event_type in ('checkout.session.completed', 'checkout.session.async_payment_succeeded')
          and new.payload #>> '{data,object,payment_status}' in ('paid', 'no_payment_required'))
    execute function public.pay();
