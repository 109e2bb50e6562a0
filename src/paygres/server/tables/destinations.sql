payments.destinations: who is told of fulfillments outside the transaction. Signing secrets are in system.secrets.

-- name: select_all
select d.id, d.kind, d.name, d.url, d.types, d.active, payments.iso(d.created_at) as created_at,
       payments.iso(d.updated_at) as updated_at,
       (select count(*) from payments.outbox o where o.destination_id = d.id and o.next_attempt_at is not null) as pending
from payments.destinations d
where d.environment = $1 and ($2::uuid is null or d.id = $2)
order by d.created_at, d.id;

-- name: insert
insert into payments.destinations (environment, kind, name, url, types, active)
values ($1, 'webhook', $2, $3, $4, $5)
on conflict (environment, kind, name) do nothing
returning id;

-- name: update
-- Null leaves as it is.
update payments.destinations
set name = coalesce($3, name), url = coalesce($4, url), types = coalesce($5, types), active = coalesce($6, active)
where id = $2 and environment = $1 returning id;

-- name: delete
delete from payments.destinations where id = $2 and environment = $1 returning kind;
