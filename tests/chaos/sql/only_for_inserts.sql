-- Fault: a row is inserted as pending and updated to processed, so this never fires.
create function public.pay() returns trigger language plpgsql set search_path = '' as $$
begin
    update public.orders set status = 'paid' where id = public.order_in(new.payload);
    return null;
end $$;
create trigger pay after insert on payments.webhook_events for each row
    when (new.processing_status = 'processed' and new.event_type = 'checkout.session.completed')
    execute function public.pay();
