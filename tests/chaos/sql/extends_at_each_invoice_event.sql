-- Fault: invoice.paid and invoice.payment_succeeded are one payment, and each of them adds a month.
create table public.members (user_id text primary key, months bigint not null default 0, pro_until timestamptz);
insert into public.members values ('u1', 0, null);
grant select, update on public.members to payments_trigger;
create table public.done (event_id text primary key);
grant select, insert on public.done to payments_trigger;
create function public.extend() returns trigger language plpgsql set search_path = '' as $$
begin
    insert into public.done values (new.provider_event_id) on conflict do nothing;
    if found then
        update public.members set months = months + 1
        where user_id = new.payload #>> '{data,object,parent,subscription_details,metadata,insforge_subject_id}';
    end if;
    return null;
end $$;
create trigger extend after update on payments.webhook_events for each row
    when (new.processing_status = 'processed' and new.event_type in ('invoice.paid', 'invoice.payment_succeeded'))
    execute function public.extend();
