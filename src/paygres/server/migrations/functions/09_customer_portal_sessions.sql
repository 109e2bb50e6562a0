-- POST customer-portal-sessions in two short transactions with nothing held between them: open (as the caller), then,
-- when Stripe has answered, finish or fail. Updates run in the role of developers' triggers.

-- The contract's CustomerPortalSession, keys in its order.
create or replace function payments.customer_portal_session_json(p_id uuid) returns json
language sql stable as $$
    select json_build_object(
        'id', s.id, 'environment', s.environment, 'status', s.status, 'subjectType', s.subject_type,
        'subjectId', s.subject_id, 'customerId', s.customer_id, 'returnUrl', s.return_url,
        'configuration', s.configuration_id, 'url', s.url, 'lastError', s.last_error,
        'createdAt', payments.iso(s.created_at), 'updatedAt', payments.iso(s.updated_at))
    from payments.stripe_customer_portal_sessions s where s.id = p_id
$$;

-- Inserts the row as the caller (42501 when a policy refuses) and answers whose portal it is: the customer that the
-- subject maps to at this account. Null: there is none, and the row has failed with p_unmapped.
create or replace function payments.open_customer_portal_session(
    p_role text, p_claims text, p_created_by text, p_scope text, p_id uuid, p_environment text, p_account_id text,
    p_subject_type text, p_subject_id text, p_return_url text, p_configuration text, p_unmapped text
) returns text
language plpgsql as $$
declare
    own_role text := current_setting('role');
    customer text;
begin
    select m.provider_customer_id into customer from payments.customer_mappings m
    where m.provider = 'stripe' and m.environment = p_environment
      and m.subject_type = p_subject_type and m.subject_id = p_subject_id
      and (p_account_id = '' or m.account_id in ('', p_account_id));  -- '': no account was ever connected
    perform set_config('role', p_role, true),
            set_config('request.jwt.claims', p_claims, true),
            set_config('paygres.caller_scope', p_scope, true);
    insert into payments.stripe_customer_portal_sessions (
        id, environment, account_id, status, subject_type, subject_id, return_url, configuration_id, created_by)
    values (p_id, p_environment, p_account_id, 'initialized', p_subject_type, p_subject_id, p_return_url,
            p_configuration, p_created_by);
    perform set_config('role', own_role, true);
    if customer is null then
        perform payments.fail_customer_portal_session(p_id, p_unmapped);
    end if;
    return customer;
end $$;

create or replace function payments.finish_customer_portal_session(p_id uuid, p_customer_id text, p_url text, p_raw jsonb)
returns json
language plpgsql as $$
declare
    own_role text := current_setting('role');
begin
    perform set_config('role', 'payments_trigger', true);
    update payments.stripe_customer_portal_sessions s
    set status = 'created', customer_id = p_customer_id, url = p_url, raw = p_raw, last_error = null
    where s.id = p_id;
    perform set_config('role', own_role, true);
    return payments.customer_portal_session_json(p_id);
end $$;

create or replace function payments.fail_customer_portal_session(p_id uuid, p_error text) returns void
language plpgsql as $$
declare
    own_role text := current_setting('role');
begin
    perform set_config('role', 'payments_trigger', true);
    update payments.stripe_customer_portal_sessions s set status = 'failed', last_error = p_error
    where s.id = p_id and s.status = 'initialized';
    perform set_config('role', own_role, true);
end $$;

-- Links live a few minutes, so a session whose process died is not made again.
create or replace function payments.give_up_customer_portal_sessions() returns void
language sql as $$
    select payments.fail_customer_portal_session(s.id, 'The server stopped before Stripe answered')
    from payments.stripe_customer_portal_sessions s
    where s.environment in ('test', 'live') and s.status = 'initialized'
      and s.created_at < clock_timestamp() - interval '5 minutes'
$$;
