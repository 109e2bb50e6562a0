-- Fault: a bank debit that succeeds days later is never granted.
create function public.pay() returns trigger language plpgsql set search_path = '' as $$
declare o public.orders;
begin
    select * into o from public.orders where id = public.order_in(new.payload);
    if payments.fulfill(new, 'orders', o.id, o.amount, o.currency) then
        update public.orders set status = 'paid', paid_at = now() where id = o.id;
    end if;
    return null;
end $$;
create trigger pay after update on payments.webhook_events for each row
    when (new.processing_status = 'processed' and new.event_type = 'checkout.session.completed')
    execute function public.pay();
