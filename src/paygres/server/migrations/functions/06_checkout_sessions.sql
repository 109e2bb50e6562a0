-- POST checkout-sessions in three short transactions with nothing held between them:
-- reserve (as the caller), create at Stripe, finish (as the service).

-- The contract's CheckoutSession, keys in its order; null when the caller's policies hide the row.
-- By id, not by row: a row given whole would carry its raw object along.
create or replace function payments.checkout_session_json(p_id uuid) returns json
language sql stable as $$
    select json_build_object(
        'id', s.id, 'environment', s.environment, 'mode', s.mode, 'status', s.status,
        'paymentStatus', s.payment_status, 'subjectType', s.subject_type, 'subjectId', s.subject_id,
        'customerEmail', s.customer_email, 'checkoutSessionId', s.checkout_session_id,
        'customerId', s.customer_id, 'paymentIntentId', s.payment_intent_id, 'subscriptionId', s.subscription_id,
        'url', s.url, 'lastError', s.last_error, 'createdAt', payments.iso(s.created_at),
        'updatedAt', payments.iso(s.updated_at))
    from payments.stripe_checkout_sessions s where s.id = p_id
$$;

-- Guests per minute, over all and per network. False when a limit is reached.
create or replace function payments.count_guest_checkout(p_network text, p_limit integer, p_network_limit integer)
returns boolean
language plpgsql as $$
declare
    this_minute timestamptz := date_trunc('minute', now());
    of_network integer;
    of_all integer;
begin
    -- The network first: a single noisy network is refused without touching the shared counter.
    insert into payments.guest_counts as g (minute, network, checkouts) values (this_minute, p_network, 1)
    on conflict (minute, network) do update set checkouts = g.checkouts + 1 returning checkouts into of_network;
    if of_network > p_network_limit then
        return false;
    end if;
    insert into payments.guest_counts as g (minute, network, checkouts) values (this_minute, '', 1)
    on conflict (minute, network) do update set checkouts = g.checkouts + 1 returning checkouts into of_all;
    if of_all = 1 then
        delete from payments.guest_counts where minute < this_minute - interval '5 minutes';
    end if;
    return of_all <= p_limit;
end $$;

-- outcome: created (this call owns the row until the lease ends) · existing (open or completed: return it) ·
-- overdue (open, but its time is over: ask Stripe) ·
-- initialized (another call is at Stripe, or died there) · conflict (the key belongs to another request) ·
-- limited (guests). Raises 42501 when a policy refuses, PG400 when the environment has no key.
create or replace function payments.reserve_checkout_session(
    p_role text, p_claims text, p_created_by text, p_scope text, p_guest_network text, p_guest_limit integer,
    p_network_limit integer, p_configured boolean, p_id uuid, p_environment text, p_account_id text, p_mode text,
    p_subject_type text, p_subject_id text, p_customer_email text, p_line_items jsonb, p_success_url text,
    p_cancel_url text, p_idempotency_key text, p_request_hash text, p_metadata jsonb, p_params jsonb, p_lease interval,
    out outcome text, out row_id uuid, out params text, out session json
) language plpgsql as $$
declare
    found_row record;
    next_generation integer := 1;
    mapped_customer text;
begin
    if p_guest_network is not null
       and not payments.count_guest_checkout(p_guest_network, p_guest_limit, p_network_limit) then
        outcome := 'limited';
        return;
    end if;
    if p_subject_type is not null then
        select provider_customer_id into mapped_customer from payments.customer_mappings
        where provider = 'stripe' and environment = p_environment
          and subject_type = p_subject_type and subject_id = p_subject_id
          and account_id in ('', p_account_id);  -- another account's customer is none of this one's
        if found then  -- a known customer replaces the e-mail hint
            p_params := p_params - 'customer_email' - 'customer_creation'
                        || jsonb_build_object('customer', mapped_customer);
        end if;
    end if;

    perform set_config('role', p_role, true),
            set_config('request.jwt.claims', p_claims, true),
            set_config('paygres.caller_scope', p_scope, true);
    for attempt in 1..3 loop
        if p_idempotency_key is not null then
            select s.id, s.request_hash, s.account_id, s.status, s.expires_at, s.created_at, s.generation
            into found_row from payments.stripe_checkout_sessions s
            where s.environment = p_environment and s.caller_scope = p_scope
              and s.idempotency_key = p_idempotency_key
            order by s.generation desc limit 1;
            if found then
                row_id := found_row.id;
                session := payments.checkout_session_json(found_row.id);
                if found_row.request_hash is distinct from p_request_hash then
                    outcome := 'conflict';
                    return;
                elsif found_row.account_id is distinct from p_account_id then
                    null;  -- made for another Stripe account: dead here
                elsif found_row.status in ('completed', 'open') then
                    -- An open one whose time is over may have been paid in its last minute.
                    outcome := case when found_row.status = 'open' and found_row.expires_at <= now()
                                    then 'overdue' else 'existing' end;
                    return;
                elsif found_row.status = 'initialized' and found_row.created_at > now() - interval '23 hours' then
                    outcome := 'initialized';
                    return;
                end if;
                next_generation := found_row.generation + 1;
            end if;
        end if;
        insert into payments.stripe_checkout_sessions as s (
            id, environment, account_id, mode, status, subject_type, subject_id, customer_email, line_items,
            success_url, cancel_url, idempotency_key, request_hash, metadata, created_by, caller_scope, generation,
            stripe_params, leased_until)
        values (p_id, p_environment, p_account_id, p_mode, 'initialized', p_subject_type, p_subject_id,
                p_customer_email, p_line_items, p_success_url, p_cancel_url, p_idempotency_key, p_request_hash,
                p_metadata, p_created_by, p_scope, next_generation, p_params,
                clock_timestamp() + p_lease)
        on conflict (environment, caller_scope, idempotency_key, generation) where idempotency_key is not null
        do nothing;
        if found then
            if not p_configured then
                raise exception 'not configured' using errcode = 'PG400';
            end if;
            outcome := 'created';
            row_id := p_id;
            params := p_params::text;
            session := null;
            return;
        end if;
    end loop;
    outcome := 'conflict';  -- the key's row exists and the caller may not see it
end $$;

-- Take over a row whose owner died at Stripe; null while the owner's lease still runs.
create or replace function payments.lease_checkout_session(p_id uuid, p_lease interval) returns json
language sql as $$
    update payments.stripe_checkout_sessions s
    set leased_until = clock_timestamp() + p_lease, attempt = s.attempt + 1
    where s.id = p_id and s.status = 'initialized'
      and coalesce(s.leased_until < clock_timestamp(), true)
    returning json_build_object('params', s.stripe_params, 'account_id', s.account_id, 'environment', s.environment)
$$;

-- Stripe's answer to a creation, when nothing else is known about the session yet (the usual case).
-- Null when an event overtook the answer: the general road for API reads decides then.
create or replace function payments.finish_checkout_session(
    p_environment text, p_account_id text, p_id uuid, p_object_id text, p_as_of bigint, p_payload text,
    p_rows jsonb, p_lock bigint
) returns json
language plpgsql as $$
begin
    perform pg_advisory_xact_lock(p_lock);
    if exists (select from payments.stripe_snapshots s
               where s.environment = p_environment and s.object_type = 'checkout.session'
                 and s.object_id = p_object_id) then
        return null;
    end if;
    insert into payments.stripe_snapshots (
        environment, account_id, object_type, object_id, as_of, source, payload)
    values (p_environment, p_account_id, 'checkout.session', p_object_id, p_as_of, 'api', p_payload);
    perform payments.apply_rows(
        p_environment, p_account_id, p_rows,
        jsonb_build_object('data', jsonb_build_object('object', p_payload::jsonb)));
    return payments.checkout_session_json(p_id);
end $$;
