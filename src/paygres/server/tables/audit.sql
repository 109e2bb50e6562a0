-- system.audit_log: who did what. Append-only for the server.

-- name: insert_record
insert into system.audit_log (actor, action, environment, target, reason, details, request_id)
values ($1, $2, $3, $4, $5, $6, $7);
