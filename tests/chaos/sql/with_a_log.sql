-- No fault: payments.fulfill decides; a log of all events, a table against repeats and a random token are no state.
create table public.event_log (id bigint generated always as identity, event_id text, type text, payload jsonb, at timestamptz default now());
create table public.tickets (id uuid primary key default gen_random_uuid(), order_id text not null, token text not null);
create table public.ticket_mails (ticket_id uuid primary key references public.tickets on delete cascade, sent boolean not null default false);
grant insert on public.event_log to payments_trigger;
grant select, insert, delete on public.tickets, public.ticket_mails to payments_trigger;
create function public.pay() returns trigger language plpgsql set search_path = '' as $$
declare
    o public.orders;
    ticket uuid;
begin
    insert into public.event_log (event_id, type, payload) values (new.provider_event_id, new.event_type, new.payload);
    if new.event_type not like 'checkout.session.%' then
        return null;
    end if;
    select * into o from public.orders where id = public.order_in(new.payload);
    if new.event_type = 'checkout.session.async_payment_failed' then
        update public.orders set status = 'payment failed' where id = o.id and status = 'pending';
    elsif payments.fulfill(new, 'orders', o.id, o.amount, o.currency) then
        insert into public.tickets (order_id, token) values (o.id, md5(random()::text)) returning id into ticket;
        insert into public.ticket_mails (ticket_id) values (ticket);
        update public.orders set status = 'paid', paid_at = clock_timestamp() where id = o.id;
    end if;
    return null;
end $$;
create trigger pay after update on payments.webhook_events for each row
    when (old.processing_status is distinct from new.processing_status and new.processing_status = 'processed')
    execute function public.pay();
create function public.take_back() returns trigger language plpgsql set search_path = '' as $$
begin
    if new.status = 'reversed' then
        delete from public.tickets where order_id = new.key;
        update public.orders set status = 'pending', paid_at = null where id = new.key;
    end if;
    return null;
end $$;
create trigger take_back after update of amount_kept on payments.fulfillments for each row
    when (new.granted_at is not null) execute function public.take_back();
