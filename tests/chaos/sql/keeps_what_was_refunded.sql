-- A warning: given once and for the right money, and kept when all of it goes back.
create function public.pay() returns trigger language plpgsql set search_path = '' as $$
declare o public.orders;
begin
    select * into o from public.orders where id = public.order_in(new.payload);
    if payments.fulfill(new, 'orders', o.id, o.amount, o.currency) then
        insert into public.grants (order_id, credits) values (o.id, 100);
    end if;
    return null;
end $$;
create trigger pay after update on payments.webhook_events for each row
    when (new.processing_status = 'processed'
          and new.event_type in ('checkout.session.completed', 'checkout.session.async_payment_succeeded'))
    execute function public.pay();
