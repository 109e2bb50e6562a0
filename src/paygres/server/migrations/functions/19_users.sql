-- schema auth: password hashes are for the server alone, even if somebody grants the table by mistake. Not forced, so
-- that the owner may look after the rows.
alter table auth.users enable row level security;
drop policy if exists service on auth.users;
create policy service on auth.users for all to paygres_service using (true) with check (true);
