-- A caller asks for a checkout in its own idempotency scope, which the server sets, or in none: a row of another one's
-- would occupy a key of theirs, and their request with it fail as a conflict. The rest as in 0027.
alter policy asked_for_only on payments.stripe_checkout_sessions
    with check (caller_scope in ('', current_setting('paygres.caller_scope', true))
                and status = 'initialized' and payment_status is null and checkout_session_id is null
                and customer_id is null and payment_intent_id is null and subscription_id is null and url is null
                and last_error is null and raw = '{}' and currency is null and amount_subtotal is null
                and attempt = 1 and leased_until is null and expires_at is null
                and superseded_by is null and superseded_by_subscription is null);

-- It has another parameter (functions/06).
drop function if exists payments.reserve_checkout_session(
    text, text, text, text, text, integer, integer, boolean, uuid, text, text, text, text, text, text, jsonb, text, text,
    text, text, jsonb, jsonb, interval);
