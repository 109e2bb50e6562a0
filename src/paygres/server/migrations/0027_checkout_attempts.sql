-- What Stripe is sent for a checkout, and who is at Stripe with it until when: of the service alone, in a row of its own
-- that costs one insert. payments.stripe_checkout_sessions keeps attempt and leased_until for what comes later, expiring a
-- session whose plan was sold otherwise.
create table payments.checkout_attempts (
    id uuid primary key,                 -- payments.stripe_checkout_sessions.id
    params text not null,                -- exactly what is sent, so that a crash can be resumed
    attempt integer not null default 1,
    leased_until timestamptz
);
revoke all on payments.checkout_attempts from project_admin;
grant select, insert, update, delete on payments.checkout_attempts to paygres_service;

insert into payments.checkout_attempts (id, params, attempt, leased_until)
select s.id, s.stripe_params::text, s.attempt, s.leased_until
from payments.stripe_checkout_sessions s where s.stripe_params is not null;

-- It knows the buyer, so it goes when a checkout is deleted, whoever deletes that. A foreign key would cost every checkout
-- a look-up and a lock; this costs it nothing. security definer: the attempts are the service's alone.
create function payments.forget_checkout_attempt() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    delete from payments.checkout_attempts a where a.id = old.id;
    return null;
end $$;
create trigger trg_payments_checkout_sessions_forgotten after delete on payments.stripe_checkout_sessions
    for each row execute function payments.forget_checkout_attempt();

drop policy asked_for_only on payments.stripe_checkout_sessions;
alter table payments.stripe_checkout_sessions drop column stripe_params;
-- A caller asks for a checkout and says nothing of what became of it, in its own idempotency scope, which the server sets,
-- or in none: a row of another one's would occupy a key of theirs, and their request with it fail as a conflict.
-- Restrictive: it holds beside developers' own policies too.
create policy asked_for_only on payments.stripe_checkout_sessions as restrictive for insert to anon, authenticated
    with check (caller_scope in ('', current_setting('paygres.caller_scope', true))
                and status = 'initialized' and payment_status is null and checkout_session_id is null
                and customer_id is null and payment_intent_id is null and subscription_id is null and url is null
                and last_error is null and raw = '{}' and currency is null and amount_subtotal is null
                and attempt = 1 and leased_until is null and expires_at is null
                and superseded_by is null and superseded_by_subscription is null);

-- payments.close_event is told whether the event was in the queue, payments.reserve_checkout_session whether Stripe was
-- asked for the prices; payments.event_json has the row.
drop function if exists payments.close_event(text, text, jsonb, jsonb, text, text, integer, interval);
drop function if exists payments.event_json(uuid);
drop function if exists payments.reserve_checkout_session(
    text, text, text, text, text, integer, integer, boolean, uuid, text, text, text, text, text, text, jsonb, text, text,
    text, text, jsonb, jsonb, interval);
