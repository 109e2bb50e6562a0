payments.stripe_customer_portal_sessions: open as the caller, finish or fail as the service.

-- name: open
select payments.open_customer_portal_session(
    p_role => $1, p_claims => $2, p_created_by => $3, p_scope => $4, p_id => $5, p_environment => $6,
    p_account_id => $7, p_subject_type => $8, p_subject_id => $9, p_return_url => $10, p_configuration => $11,
    p_unmapped => $12);

-- name: finish
select payments.finish_customer_portal_session($1, $2, $3, $4);

-- name: fail
select payments.fail_customer_portal_session($1, $2);

-- name: give_up
select payments.give_up_customer_portal_sessions();
