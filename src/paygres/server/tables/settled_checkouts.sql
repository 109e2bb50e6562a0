Which checkouts are settled: projected and fulfilled; the functions are in migrations/functions.

-- name: ended
select payments.ended_waits($1) as id;

-- name: settlement
select waits_for, account_id, checkout_session_id, fulfillments from payments.checkout_settlement($1);
