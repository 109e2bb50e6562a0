payments.stripe_checkout_sessions: reserve as the caller, finish as the service, read by capability.

-- name: reserve
select outcome, row_id, params, session from payments.reserve_checkout_session(
    p_role => $1, p_claims => $2, p_created_by => $3, p_scope => $4, p_guest_network => $5, p_guest_limit => $6,
    p_network_limit => $7, p_configured => $8, p_prices_asked => $9, p_id => $10, p_environment => $11,
    p_account_id => $12, p_mode => $13, p_subject_type => $14, p_subject_id => $15, p_customer_email => $16,
    p_line_items => $17, p_success_url => $18, p_cancel_url => $19, p_idempotency_key => $20, p_request_hash => $21,
    p_metadata => $22, p_params => $23, p_lease => $24);

-- name: lease
select payments.lease_checkout_session($1, $2);

-- name: finish
select payments.finish_checkout_session($1, $2, $3, $4, $5, $6, $7, $8);

-- name: select_json
select payments.checkout_session_json($1);

-- name: fail
select payments.end_checkout_attempt($1, true, $2);

-- name: release
select payments.end_checkout_attempt($1, false, $2);

-- name: superseded
select superseded_by is not null or superseded_by_subscription is not null
from payments.stripe_checkout_sessions where id = $1;

-- name: abandoned
select s.id from payments.stripe_checkout_sessions s
where s.environment = any ($1) and s.status = 'initialized' and s.updated_at < clock_timestamp() - interval '5 seconds'
  and not exists (select from payments.checkout_attempts a where a.id = s.id and a.leased_until >= clock_timestamp())
order by s.created_at limit $2;

-- name: give_up
select payments.give_up_checkout_sessions();

-- name: forget_guests
delete from payments.stripe_checkout_sessions
where created_by is null and subject_type is null and caller_scope like 'guest:%'
  and status in ('failed', 'expired') and created_at < now() - interval '30 days';

-- name: read
select payments.checkout_session_json(s.id) from payments.stripe_checkout_sessions s
where s.environment = $1 and (s.id = $2 or s.checkout_session_id = $3);
