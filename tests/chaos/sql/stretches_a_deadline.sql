-- Fault: every run adds thirty days.
create table public.passes (user_id text primary key, valid_until timestamptz);
insert into public.passes values ('u1', null);
grant select, update on public.passes to payments_trigger;
create function public.pay() returns trigger language plpgsql set search_path = '' as $$
begin
    update public.passes set valid_until = greatest(valid_until, now()) + interval '30 days'
    where user_id = new.payload #>> '{data,object,metadata,insforge_subject_id}'
      and new.payload #>> '{data,object,amount_subtotal}' = '2500';
    return null;
end $$;
create trigger pay after update on payments.webhook_events for each row
    when (new.processing_status = 'processed' and new.event_type = 'checkout.session.completed'
          and new.payload #>> '{data,object,payment_status}' = 'paid')
    execute function public.pay();
