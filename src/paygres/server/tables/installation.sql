What the server asks once at start, and readiness now and then.

-- name: select_id
select id from system.installation;

-- name: select_careless_roles
select rolname::text as role, rolname = session_user as is_login
from pg_catalog.pg_roles
where (rolsuper or rolbypassrls)
  and rolname in ('anon', 'authenticated', 'project_admin', 'paygres_service', session_user)
order by rolname;
