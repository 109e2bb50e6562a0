-- payments.operator_requests: what operators asked of Stripe.

-- name: begin_request
-- One row a key. A failed one begins anew under its next attempt; others stay as they are.
insert into payments.operator_requests as r (
    environment, account_id, idempotency_key, action, target, request_hash, actor)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (environment, idempotency_key) do update
    set attempt = case when r.status = 'failed' and r.request_hash = excluded.request_hash
                       then r.attempt + 1 else r.attempt end,
        status = case when r.status = 'failed' and r.request_hash = excluded.request_hash
                      then 'started' else r.status end
returning id, attempt, status, request_hash, account_id, answer, xmax = 0 as is_new;

-- name: find_request
select id, attempt, request_hash, account_id, answer, false as is_new from payments.operator_requests
where environment = $1 and idempotency_key = $2;

-- name: finish_request
update payments.operator_requests set status = 'succeeded', answer = $2, last_error = null where id = $1;

-- name: fail_request
update payments.operator_requests set status = 'failed', last_error = $2 where id = $1 and status = 'started';
