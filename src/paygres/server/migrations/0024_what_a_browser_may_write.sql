-- An open session whose plan its subject has by a live subscription that no session of ours began.
alter table payments.stripe_checkout_sessions add column superseded_by_subscription text;
drop index payments.stripe_checkout_sessions_superseded;
create index stripe_checkout_sessions_superseded on payments.stripe_checkout_sessions (created_at)
    where (superseded_by is not null or superseded_by_subscription is not null) and status = 'open';

drop function if exists payments.settle_siblings_of_ended(text, jsonb);  -- payments.settle_sessions does it

-- A caller asks for a checkout and says nothing of what became of it, nor what is sent to Stripe with the merchant's
-- key: payments.reserve_checkout_session writes that. Restrictive: it holds beside developers' own policies too.
create policy asked_for_only on payments.stripe_checkout_sessions as restrictive for insert to anon, authenticated
    with check (status = 'initialized' and payment_status is null and checkout_session_id is null
                and customer_id is null and payment_intent_id is null and subscription_id is null and url is null
                and last_error is null and raw = '{}' and currency is null and amount_subtotal is null
                and stripe_params is null and attempt = 1 and leased_until is null and expires_at is null
                and superseded_by is null and superseded_by_subscription is null);
