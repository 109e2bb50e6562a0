-- Who may start a checkout or open a portal. Row-level security is on and forced on the two session
-- tables; subject rows ask one function, payments.can_bill, which developers replace for teams.

-- The caller's idempotency scope, set beside the claims; guests see only their own network's rows.
create or replace function payments.caller_scope() returns text
language sql stable set search_path = '' as $$
    select nullif(current_setting('paygres.caller_scope', true), '')
$$;

-- The id a guest holds: knowing a row id or a cs_ id is the permission to read that one row.
create or replace function payments.capability() returns text
language sql stable set search_path = '' as $$
    select nullif(current_setting('paygres.capability', true), '')
$$;

-- Replace this one: may the caller (auth.jwt()) bill this subject? Text, so integer ids work too.
create or replace function payments.can_bill(subject_type text, subject_id text) returns boolean
language sql stable set search_path = '' as $$
    select coalesce(can_bill.subject_type = 'user' and can_bill.subject_id = auth.jwt() ->> 'sub', false)
$$;

grant execute on function payments.caller_scope(), payments.capability(), payments.can_bill(text, text)
    to anon, authenticated, project_admin, paygres_service, payments_trigger;

alter table payments.stripe_checkout_sessions enable row level security;
alter table payments.stripe_checkout_sessions force row level security;
alter table payments.stripe_customer_portal_sessions enable row level security;
alter table payments.stripe_customer_portal_sessions force row level security;

create policy guests_insert on payments.stripe_checkout_sessions for insert to anon
    with check (mode = 'payment' and subject_type is null and subject_id is null
                and created_by is null and caller_scope = payments.caller_scope());
create policy guests_select on payments.stripe_checkout_sessions for select to anon
    using (subject_type is null and created_by is null
           and (caller_scope = payments.caller_scope()
                or payments.capability() in (id::text, checkout_session_id)));

create policy users_insert on payments.stripe_checkout_sessions for insert to authenticated
    with check (created_by = auth.jwt() ->> 'sub'
                and (subject_type is null and subject_id is null or payments.can_bill(subject_type, subject_id)));
create policy users_select on payments.stripe_checkout_sessions for select to authenticated
    using (case when subject_type is null then
                created_by = auth.jwt() ->> 'sub'
                or created_by is null and payments.capability() in (id::text, checkout_session_id)
           else payments.can_bill(subject_type, subject_id) end);

create policy users_insert on payments.stripe_customer_portal_sessions for insert to authenticated
    with check (created_by = auth.jwt() ->> 'sub' and payments.can_bill(subject_type, subject_id));
create policy users_select on payments.stripe_customer_portal_sessions for select to authenticated
    using (payments.can_bill(subject_type, subject_id));

create policy admins on payments.stripe_checkout_sessions for all to project_admin using (true) with check (true);
create policy admins on payments.stripe_customer_portal_sessions for all to project_admin using (true) with check (true);
create policy service on payments.stripe_checkout_sessions for all
    to paygres_service, payments_trigger using (true) with check (true);
create policy service on payments.stripe_customer_portal_sessions for all
    to paygres_service, payments_trigger using (true) with check (true);
