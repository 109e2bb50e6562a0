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

-- A page of them for operators: the same keys first, then what is not for buyers. All at once, since a function call
-- a row costs more than the row.
create or replace function payments.listed_checkout_sessions(p_ids uuid[])
returns table (at timestamptz, id uuid, session json)
language sql stable as $$
    select s.created_at, s.id, json_build_object(
        'id', s.id, 'environment', s.environment, 'mode', s.mode, 'status', s.status,
        'paymentStatus', s.payment_status, 'subjectType', s.subject_type, 'subjectId', s.subject_id,
        'customerEmail', s.customer_email, 'checkoutSessionId', s.checkout_session_id,
        'customerId', s.customer_id, 'paymentIntentId', s.payment_intent_id, 'subscriptionId', s.subscription_id,
        'url', s.url, 'lastError', s.last_error, 'createdAt', payments.iso(s.created_at),
        'updatedAt', payments.iso(s.updated_at),
        'createdBy', s.created_by, 'lineItems', s.line_items, 'metadata', s.metadata,
        'idempotencyKey', s.idempotency_key, 'generation', s.generation, 'currency', s.currency,
        'amountSubtotal', s.amount_subtotal, 'expiresAt', payments.iso(s.expires_at), 'supersededBy', s.superseded_by)
    from payments.stripe_checkout_sessions s where s.id = any (p_ids)
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

create or replace function payments.checkout_options_json(p_id uuid) returns json
language sql stable as $$
    select json_build_object(
        'environment', o.environment, 'priceId', o.price_id, 'allowPromotionCodes', o.allow_promotion_codes,
        'automaticTax', o.automatic_tax, 'taxIdCollection', o.tax_id_collection,
        'phoneNumberCollection', o.phone_number_collection,
        'billingAddressCollection', o.billing_address_collection, 'locale', o.locale,
        'adjustableQuantity', o.adjustable_quantity, 'expiresAfterMinutes', o.expires_after_minutes,
        'trialPeriodDays', o.trial_period_days, 'paymentMethodCollection', o.payment_method_collection,
        'createdAt', payments.iso(o.created_at), 'updatedAt', payments.iso(o.updated_at))
    from payments.checkout_options o where o.id = p_id
$$;

-- Stripe's parameters with the operators' defaults laid over them: the words of the first line item's price, then of
-- the next ones, then of the environment. What does not fit the mode is left out.
create or replace function payments.with_checkout_options(p_environment text, p_params jsonb) returns jsonb
language plpgsql stable as $$
declare
    subscribing boolean := p_params ->> 'mode' = 'subscription';
    chosen record;
    items jsonb;
    expires_at bigint;
begin
    select (array_agg(o.allow_promotion_codes order by o.rank)
                filter (where o.allow_promotion_codes is not null))[1] as allow_promotion_codes,
           (array_agg(o.automatic_tax order by o.rank) filter (where o.automatic_tax is not null))[1] as automatic_tax,
           (array_agg(o.tax_id_collection order by o.rank)
                filter (where o.tax_id_collection is not null))[1] as tax_id_collection,
           (array_agg(o.phone_number_collection order by o.rank)
                filter (where o.phone_number_collection is not null))[1] as phone_number_collection,
           (array_agg(o.billing_address_collection order by o.rank)
                filter (where o.billing_address_collection is not null))[1] as billing_address_collection,
           (array_agg(o.locale order by o.rank) filter (where o.locale is not null))[1] as locale,
           (array_agg(o.expires_after_minutes order by o.rank)
                filter (where o.expires_after_minutes is not null))[1] as expires_after_minutes,
           (array_agg(o.trial_period_days order by o.rank)
                filter (where o.trial_period_days is not null))[1] as trial_period_days,
           (array_agg(o.payment_method_collection order by o.rank)
                filter (where o.payment_method_collection is not null))[1] as payment_method_collection,
           coalesce(bool_or(o.adjustable_quantity), false) as some_adjustable
    into chosen
    from (select own.*, coalesce(item.place, 1000) as rank
          from payments.checkout_options own
          left join jsonb_array_elements(p_params -> 'line_items') with ordinality as item (sold, place)
              on item.sold ->> 'price' = own.price_id
          where own.environment = p_environment and (own.price_id is null or item.place is not null)) o;

    p_params := p_params || jsonb_strip_nulls(jsonb_build_object(
        'allow_promotion_codes', case when chosen.allow_promotion_codes then true end,
        'automatic_tax', case when chosen.automatic_tax then jsonb_build_object('enabled', true) end,
        'tax_id_collection', case when chosen.tax_id_collection then jsonb_build_object('enabled', true) end,
        'phone_number_collection',
            case when chosen.phone_number_collection then jsonb_build_object('enabled', true) end,
        'billing_address_collection', chosen.billing_address_collection,
        'locale', chosen.locale,
        'payment_method_collection', case when subscribing then chosen.payment_method_collection end));
    -- Stripe keeps the address it needs for taxes, and a business's name, only when told that it may.
    if p_params ? 'customer' and (chosen.automatic_tax or chosen.tax_id_collection) then
        p_params := p_params || jsonb_build_object('customer_update', jsonb_strip_nulls(jsonb_build_object(
            'address', case when chosen.automatic_tax then 'auto' end,
            'name', case when chosen.tax_id_collection then 'auto' end)));
    end if;
    if subscribing and chosen.trial_period_days is not null then
        p_params := jsonb_set(
            p_params, '{subscription_data,trial_period_days}', to_jsonb(chosen.trial_period_days));
    end if;
    if chosen.expires_after_minutes is not null then
        -- Stripe allows 30 minutes to 24 hours by its own clock: a minute of room at both ends.
        expires_at := extract(epoch from now())::bigint
                      + greatest(least(chosen.expires_after_minutes * 60, 24 * 3600 - 60), 30 * 60 + 60);
        p_params := p_params || jsonb_build_object(
            'expires_at', least(expires_at, (p_params ->> 'expires_at')::bigint));  -- a guest's own limit stays
    end if;
    if chosen.some_adjustable then
        select jsonb_agg(
                   case when coalesce(own.adjustable_quantity, whole.adjustable_quantity)
                        then item.sold || jsonb_build_object('adjustable_quantity', jsonb_build_object(
                            'enabled', true, 'minimum', 1, 'maximum', 999))  -- the bounds of the request body
                        else item.sold end order by item.place)
        into items
        from jsonb_array_elements(p_params -> 'line_items') with ordinality as item (sold, place)
        left join payments.checkout_options own
            on own.environment = p_environment and own.price_id = item.sold ->> 'price'
        left join payments.checkout_options whole on whole.environment = p_environment and whole.price_id is null;
        p_params := p_params || jsonb_build_object('line_items', items);
    end if;
    return p_params;
end $$;

-- outcome: created (this call owns the row until the lease ends) · existing (open or completed: return it) ·
-- overdue (open, but its time is over: ask Stripe) ·
-- subscribed (open, but the plan is sold already, to the subject or by another session: ask Stripe whether it came from
-- this one) ·
-- initialized (another call is at Stripe, or died there) · conflict (the key belongs to another request) ·
-- limited (guests). Raises 42501 when a policy refuses, PG400 when the environment has no key, PG409 when a new
-- checkout would sell a plan that its subject has already, and PG404 when it would sell prices whose plan is not known,
-- whose ids are the error's detail; unless Stripe was asked for them already (p_prices_asked).
create or replace function payments.reserve_checkout_session(
    p_role text, p_claims text, p_created_by text, p_scope text, p_guest_network text, p_guest_limit integer,
    p_network_limit integer, p_configured boolean, p_prices_asked boolean, p_id uuid, p_environment text,
    p_account_id text, p_mode text, p_subject_type text, p_subject_id text, p_customer_email text, p_line_items jsonb,
    p_success_url text, p_cancel_url text, p_idempotency_key text, p_request_hash text, p_metadata jsonb,
    p_params jsonb, p_lease interval,
    out outcome text, out row_id uuid, out params text, out session json
) language plpgsql as $$
declare
    found_row record;
    next_generation integer := 1;
    mapped_customer text;
    own_role text := current_setting('role');
    prices text[];
    families text[];
    live_subscription text;
    its_status text;
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
    if exists (select from payments.checkout_options o where o.environment = p_environment) then
        p_params := payments.with_checkout_options(p_environment, p_params);
    end if;
    if p_mode = 'subscription' then
        prices := array(select item ->> 'priceId' from jsonb_array_elements(p_line_items) as item);
        families := payments.price_families(p_environment, prices);
        live_subscription := payments.live_subscription(
            p_environment, p_subject_type, p_subject_id, families, p_account_id);
        if p_params #> '{subscription_data,trial_period_days}' is not null and exists (
            select from payments.stripe_subscriptions s
            where s.environment = p_environment and s.subject_type = p_subject_type and s.subject_id = p_subject_id
              and s.account_id in ('', p_account_id) and s.status not in ('incomplete', 'incomplete_expired')
              and payments.subscription_families(p_environment, s.subscription_id) && families
            union all  -- what was sold, whatever plan it was changed to since
            select from payments.stripe_checkout_sessions s
            where s.environment = p_environment and s.subject_type = p_subject_type and s.subject_id = p_subject_id
              and s.account_id in ('', p_account_id) and s.mode = 'subscription' and s.status = 'completed'
              and payments.session_families(s.id) && families)
        then  -- a plan is tried once
            p_params := p_params #- '{subscription_data,trial_period_days}';
        end if;
    end if;

    perform set_config('role', p_role, true),
            set_config('request.jwt.claims', p_claims, true),
            set_config('paygres.caller_scope', p_scope, true);
    for attempt in 1..3 loop
        if p_idempotency_key is not null then
            select s.id, s.request_hash, s.account_id, s.status, s.expires_at, s.created_at, s.generation,
                   s.subscription_id, s.superseded_by, s.superseded_by_subscription
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
                elsif found_row.status = 'open' then
                    -- An open one whose time is over may have been paid in its last minute.
                    outcome := case when found_row.expires_at <= now() then 'overdue'
                                    when coalesce(live_subscription, found_row.superseded_by_subscription,
                                                  found_row.superseded_by::text) is not null
                                    then 'subscribed' else 'existing' end;
                    return;
                elsif found_row.status = 'completed' then
                    if p_mode = 'subscription' then  -- callers do not see subscriptions
                        perform set_config('role', own_role, true);
                        select s.status into its_status from payments.stripe_subscriptions s
                        where s.environment = p_environment and s.subscription_id = found_row.subscription_id;
                        perform set_config('role', p_role, true);
                    end if;
                    if its_status is null or its_status not in ('canceled', 'incomplete_expired') then
                        outcome := 'existing';
                        return;
                    end if;
                elsif found_row.status = 'initialized' and found_row.created_at > now() - interval '23 hours' then
                    outcome := 'initialized';
                    return;
                end if;
                next_generation := found_row.generation + 1;
            end if;
        end if;
        insert into payments.stripe_checkout_sessions as s (
            id, environment, account_id, mode, status, subject_type, subject_id, customer_email, line_items,
            success_url, cancel_url, idempotency_key, request_hash, metadata, created_by, caller_scope, generation)
        values (p_id, p_environment, p_account_id, p_mode, 'initialized', p_subject_type, p_subject_id,
                p_customer_email, p_line_items, p_success_url, p_cancel_url, p_idempotency_key, p_request_hash,
                p_metadata, p_created_by, p_scope, next_generation)
        on conflict (environment, caller_scope, idempotency_key, generation) where idempotency_key is not null
        do nothing;
        if found then
            if not p_configured then
                raise exception 'not configured' using errcode = 'PG400';
            elsif live_subscription is not null then
                raise exception '%', live_subscription using errcode = 'PG409';
            end if;
            -- What is sent with the merchant's key is not the caller's to write. Afterwards the caller again: developers'
            -- deferred triggers run at the end.
            perform set_config('role', own_role, true);
            if p_mode = 'subscription' and not p_prices_asked then
                prices := array(
                    select distinct wanted.id from unnest(prices) as wanted (id)
                    where not exists (
                        select from payments.stripe_prices r
                        where r.environment = p_environment and r.price_id = wanted.id
                          and r.account_id in ('', p_account_id)));
                if prices <> '{}' then
                    raise exception 'unknown prices' using errcode = 'PG404', detail = array_to_json(prices);
                end if;
            end if;
            params := p_params::text;
            insert into payments.checkout_attempts (id, params, leased_until)
            values (p_id, params, clock_timestamp() + p_lease);
            perform set_config('role', p_role, true);
            outcome := 'created';
            row_id := p_id;
            session := null;
            return;
        end if;
    end loop;
    outcome := 'conflict';  -- the key's row exists and the caller may not see it
end $$;

-- Take over a row whose owner died at Stripe; null while the owner's lease still runs. Without params: a row that SQL put
-- there, for which nothing is sent.
create or replace function payments.lease_checkout_session(p_id uuid, p_lease interval) returns json
language plpgsql as $$
declare
    taken json;
begin
    update payments.checkout_attempts a
    set leased_until = clock_timestamp() + p_lease, attempt = a.attempt + 1
    where a.id = p_id and coalesce(a.leased_until < clock_timestamp(), true);
    -- Looked at afterwards: whoever had the attempt until now may have ended the session.
    select json_build_object('params', a.params::json, 'account_id', s.account_id, 'environment', s.environment)
    into taken
    from payments.stripe_checkout_sessions s left join payments.checkout_attempts a using (id)
    where s.id = p_id and s.status = 'initialized' and (found or a.id is null);
    return taken;
end $$;

-- An attempt that did not make a session: over (Stripe surely made none), or to be resumed. The attempt first: who waits
-- to lease it then sees what became of the session.
create or replace function payments.end_checkout_attempt(p_id uuid, p_over boolean, p_error text) returns void
language plpgsql as $$
declare
    own_role text := current_setting('role');
begin
    update payments.checkout_attempts a set leased_until = null where a.id = p_id;
    perform set_config('role', 'payments_trigger', true);
    update payments.stripe_checkout_sessions s
    set status = case when p_over then 'failed' else s.status end, last_error = p_error
    where s.id = p_id and s.status = 'initialized';
    perform set_config('role', own_role, true);
end $$;

create or replace function payments.give_up_checkout_sessions() returns void
language sql as $$
    select payments.end_checkout_attempt(
        s.id, true, coalesce(s.last_error, 'Stripe was not reached within 23 hours'))
    from payments.stripe_checkout_sessions s
    where s.environment in ('test', 'live') and s.status = 'initialized'
      and s.created_at < clock_timestamp() - interval '23 hours'
$$;

-- Open sessions whose plan is sold already, to be expired at Stripe. The lease is the pause before the next try: it
-- doubles, up to an hour.
create or replace function payments.lease_superseded_sessions(p_limit integer)
returns table (id uuid, environment text, account_id text, checkout_session_id text)
language plpgsql as $$
#variable_conflict use_column
declare
    own_role text := current_setting('role');
begin
    perform set_config('role', 'payments_trigger', true);
    return query
    with due as (
        select s.id from payments.stripe_checkout_sessions s
        where (s.superseded_by is not null or s.superseded_by_subscription is not null) and s.status = 'open'
          and coalesce(s.leased_until < clock_timestamp(), true)
        order by s.created_at limit p_limit for update skip locked)
    update payments.stripe_checkout_sessions s
    set leased_until = clock_timestamp() + least(interval '15 s' * power(2, least(s.attempt, 10)), interval '1 hour'),
        attempt = s.attempt + 1
    from due where s.id = due.id
    returning s.id, s.environment, s.account_id, s.checkout_session_id;
    perform set_config('role', own_role, true);
end $$;

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
