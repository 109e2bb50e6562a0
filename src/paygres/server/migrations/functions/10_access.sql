-- What a subject may use. security definer: policies ask as callers, who may not read these tables themselves.

-- The world that counts where none is named: the session's setting, else live once live has been connected. It stays
-- so when the key is taken away: what was bought with a test card must not count then.
create or replace function payments.default_environment() returns text
language sql stable security definer set search_path = '' as $$
    select coalesce(
        nullif(current_setting('paygres.environment', true), ''),
        case when exists (select from payments.provider_connections c
                          where c.provider = 'stripe' and c.environment = 'live' and c.provider_account_id is not null)
             then 'live' else 'test' end)
$$;

-- One row a subscription item or purchased price. `until`: when it ends as things stand, null for never.
-- past_due keeps access for the grace that began with the unpaid invoice, else with the newest period of its items (a
-- yearly one began long before the monthly one beside it). A purchase is access while some of its money
-- is with us: refunded or lost in a dispute as a whole, it is none.
create or replace function payments.access_of(p_environment text, p_subject_type text, p_subject_id text)
returns table (
    lookup_key text, plan_family text, product_id text, product_name text, price_id text, source text, source_id text,
    granted boolean, reason text, until timestamptz, renews_at timestamptz, quantity bigint
)
language sql stable security definer set search_path = '' as $$
    with account as (
        select coalesce((select c.provider_account_id from payments.provider_connections c
                         where c.provider = 'stripe' and c.environment = p_environment), '') as id
    ), subscribed as (
        select s.subscription_id, s.status, i.product_id, i.price_id, i.quantity,
               coalesce(s.cancel_at, case when s.cancel_at_period_end then s.current_period_end end) as ends,
               s.current_period_end,
               coalesce(
                   (select payments.unix((o.raw ->> 'created')::bigint) from payments.stripe_objects o
                    where o.object_id = s.latest_invoice_id and o.object_type = 'invoice'
                      and o.environment = s.environment and o.raw ->> 'status' = 'open'),
                   (select payments.unix(max((told.raw ->> 'current_period_start')::bigint))
                    from payments.stripe_subscription_items told
                    where told.environment = s.environment and told.subscription_id = s.subscription_id),
                   s.current_period_start) + (select n.past_due_grace from system.installation n) as grace_ends
        from payments.stripe_subscriptions s
        join payments.stripe_subscription_items i
            on i.environment = s.environment and i.subscription_id = s.subscription_id
        where s.environment = p_environment and s.subject_type = p_subject_type and s.subject_id = p_subject_id
          and s.account_id in ('', (select id from account))
    ), bought as (
        select s.id, item ->> 'priceId' as price_id, (item ->> 'quantity')::bigint as quantity,
               s.payment_status,
               t.id is not null and t.amount > 0
                   and t.amount - t.amount_refunded - t.amount_lost <= 0 as given_back
        from payments.stripe_checkout_sessions s
        cross join jsonb_array_elements(s.line_items) as item
        left join payments.transactions t
            on t.provider = 'stripe' and t.environment = s.environment
           and (t.provider_object_type, t.provider_object_id)
               = (case when s.payment_intent_id is null then 'checkout_session' else 'payment_intent' end,
                  coalesce(s.payment_intent_id, s.checkout_session_id))
        where s.environment = p_environment and s.subject_type = p_subject_type and s.subject_id = p_subject_id
          and s.mode = 'payment' and s.status = 'completed' and s.account_id in ('', (select id from account))
    ), everything as (
        select b.product_id, b.price_id, 'subscription' as source, b.subscription_id as source_id, b.quantity,
               case when b.status in ('active', 'trialing') then coalesce(b.ends > now(), true)
                    when b.status = 'past_due' then b.grace_ends > now() and coalesce(b.ends > now(), true)
                    else false end as granted,
               case when b.status in ('active', 'trialing', 'past_due') and b.ends <= now() then 'canceled'
                    when b.status in ('active', 'trialing') and b.ends is not null then 'canceling'
                    when b.status = 'past_due' and b.grace_ends > now() then 'past_due_grace'
                    else b.status end as reason,
               case when b.status = 'past_due' then least(b.grace_ends, b.ends)
                    else coalesce(b.ends, b.current_period_end) end as until,
               case when b.status in ('active', 'trialing') and b.ends is null then b.current_period_end end as renews_at
        from subscribed b
        union all
        select null, b.price_id, 'purchase', b.id::text, b.quantity,
               b.payment_status in ('paid', 'no_payment_required') and not b.given_back,
               case when b.given_back then 'given_back'
                    when b.payment_status in ('paid', 'no_payment_required') then 'purchased'
                    else 'unpaid' end,
               null, null
        from bought b
    )
    select r.lookup_key, coalesce(r.metadata ->> 'plan_family', p.metadata ->> 'plan_family'),
           coalesce(e.product_id, r.product_id), p.name, e.price_id, e.source, e.source_id, e.granted, e.reason, e.until,
           e.renews_at, e.quantity
    from everything e
    left join payments.stripe_prices r on r.environment = p_environment and r.price_id = e.price_id
    left join payments.stripe_products p
        on p.environment = p_environment and p.product_id = coalesce(e.product_id, r.product_id)
$$;

-- For policies and queries: does the subject have this now? `lookup_key` is a price's lookup key, a plan family, a
-- product or a price. Fails closed: null or unknown is false.
create or replace function payments.has_access(
    subject_type text, subject_id text, lookup_key text, environment text default null
) returns boolean
language sql stable security definer set search_path = '' as $$
    select coalesce(bool_or(a.granted), false)
    from payments.access_of(
        coalesce(has_access.environment, payments.default_environment()),
        has_access.subject_type, has_access.subject_id) a
    where has_access.lookup_key in (a.lookup_key, a.plan_family, a.product_id, a.price_id)
$$;

revoke all on function payments.access_of(text, text, text) from public;
grant execute on function payments.access_of(text, text, text) to paygres_service, project_admin, payments_trigger;
grant execute on function payments.has_access(text, text, text, text), payments.default_environment()
    to anon, authenticated, project_admin, paygres_service, payments_trigger;

-- Everything a page says about a subject; raises 42501 for a caller whom can_view_billing refuses. The caller's role
-- and claims are set by the server before.
create or replace function payments.subject_json(
    p_environment text, p_account_id text, p_subject_type text, p_subject_id text
) returns json
language sql stable as $$
    select json_build_object(
        'environment', p_environment,
        'subject', json_build_object('type', p_subject_type, 'id', p_subject_id),
        'customerId', (
            select m.provider_customer_id from payments.customer_mappings m
            where m.provider = 'stripe' and m.environment = p_environment and m.subject_type = p_subject_type
              and m.subject_id = p_subject_id and m.account_id in ('', p_account_id)),
        'subscriptions', (
            select coalesce(json_agg(json_build_object(
                'subscriptionId', s.subscription_id, 'status', s.status,
                'currentPeriodStart', payments.iso(s.current_period_start),
                'currentPeriodEnd', payments.iso(s.current_period_end),
                'cancelAtPeriodEnd', s.cancel_at_period_end, 'cancelAt', payments.iso(s.cancel_at),
                'canceledAt', payments.iso(s.canceled_at), 'trialEnd', payments.iso(s.trial_end))
                order by s.started_at desc, s.subscription_id), '[]')
            from payments.stripe_subscriptions s
            where s.environment = p_environment and s.subject_type = p_subject_type
              and s.subject_id = p_subject_id and s.account_id in ('', p_account_id)),
        'access', (
            select coalesce(json_agg(json_build_object(
                'lookupKey', a.lookup_key, 'planFamily', a.plan_family, 'productId', a.product_id,
                'productName', a.product_name, 'priceId', a.price_id, 'quantity', a.quantity, 'source', a.source,
                'sourceId', a.source_id, 'granted', a.granted, 'reason', a.reason, 'until', payments.iso(a.until),
                'renewsAt', payments.iso(a.renews_at))
                order by a.granted desc, a.source desc, a.source_id, a.price_id), '[]')
            from payments.access_of(p_environment, p_subject_type, p_subject_id) a))
$$;
