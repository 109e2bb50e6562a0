-- Fault: a late event about a subscription that has ended revives it, and an incomplete one is a member too.
create table public.members (user_id text primary key, active boolean not null default false);
insert into public.members values ('u1');
grant select, update on public.members to payments_trigger;
create function public.follow() returns trigger language plpgsql set search_path = '' as $$
begin
    update public.members set active = new.event_type <> 'customer.subscription.deleted'
    where user_id = new.payload #>> '{data,object,metadata,insforge_subject_id}';
    return null;
end $$;
create trigger follow after update on payments.webhook_events for each row
    when (new.processing_status = 'processed' and new.event_type like 'customer.subscription.%')
    execute function public.follow();
