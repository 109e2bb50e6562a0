-- What a subject may use, for policies and pages: access follows from live subscriptions and paid purchases.

-- How long access outlives a renewal that could not be charged; the server writes its setting here at start.
alter table system.installation add column past_due_grace interval not null default '7 days';
grant update (past_due_grace) on system.installation to paygres_service;

-- Replace this one: may the caller (auth.jwt()) see what this subject pays for? By default, whoever may bill it.
create or replace function payments.can_view_billing(subject_type text, subject_id text) returns boolean
language sql stable set search_path = '' as $$
    select payments.can_bill(can_view_billing.subject_type, can_view_billing.subject_id)
$$;
grant execute on function payments.can_view_billing(text, text)
    to anon, authenticated, project_admin, paygres_service, payments_trigger;

-- One-time purchases of a subject are looked up by what was completed.
create index stripe_checkout_sessions_purchases on payments.stripe_checkout_sessions (environment, subject_type, subject_id)
    where subject_type is not null and mode = 'payment' and status = 'completed';
