-- Fault: a balance grows at the intent and at the checkout, which are one payment.
create table public.wallets (user_id text primary key, credits bigint not null);
insert into public.wallets values ('u1', 5);
create table public.seen (event_id text primary key);
grant select, update on public.wallets to payments_trigger;
grant select, insert on public.seen to payments_trigger;
create function public.pay() returns trigger language plpgsql set search_path = '' as $$
begin
    insert into public.seen values (new.provider_event_id) on conflict do nothing;
    if found then
        update public.wallets set credits = credits + 100
        where user_id = new.payload #>> '{data,object,metadata,insforge_subject_id}';
    end if;
    return null;
end $$;
create trigger pay after update on payments.webhook_events for each row
    when (new.processing_status = 'processed'
          and (new.event_type = 'payment_intent.succeeded' or new.event_type = 'checkout.session.completed'
               and new.payload #>> '{data,object,payment_status}' = 'paid'))
    execute function public.pay();
