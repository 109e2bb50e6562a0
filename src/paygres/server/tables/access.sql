-- What subjects may use, and the grace after a failed renewal.

-- name: can_view
select payments.can_view_billing($1, $2);

-- name: subject_json
select payments.subject_json($1, $2, $3, $4);

-- name: set_grace
update system.installation set past_due_grace = $1 where past_due_grace <> $1;
