-- Fault: a completed checkout is taken for a paid one. Idempotent otherwise.
create function public.pay() returns trigger language plpgsql set search_path = '' as $$
begin
    update public.orders set status = 'paid', paid_at = coalesce(paid_at, now())
    where id = public.order_in(new.payload) and amount = (new.payload #>> '{data,object,amount_subtotal}')::bigint;
    return null;
end $$;
create trigger pay after update on payments.webhook_events for each row
    when (new.processing_status = 'processed' and new.event_type = 'checkout.session.completed')
    execute function public.pay();
