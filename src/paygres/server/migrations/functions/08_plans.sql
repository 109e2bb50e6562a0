-- Plans: the families that prices, subscriptions and checkouts belong to, and who has a live subscription to one.
-- Live means that Stripe still wants money for it, or will again.

create or replace function payments.is_live(p_status text) returns boolean
language sql immutable as $$
    select p_status in ('trialing', 'active', 'past_due', 'unpaid', 'paused')
$$;

-- The plan families of prices: the metadata `plan_family` of the price or the product, else the product, else the price
-- itself. A subscription's own metadata is not asked: a browser may have written it.
create or replace function payments.price_families(p_environment text, p_price_ids text[]) returns text[]
language sql stable as $$
    select coalesce(array_agg(distinct coalesce(
               r.metadata ->> 'plan_family', p.metadata ->> 'plan_family', r.product_id, wanted.price_id)), '{}')
    from unnest(p_price_ids) as wanted (price_id)
    left join payments.stripe_prices r on r.environment = p_environment and r.price_id = wanted.price_id
    left join payments.stripe_products p on p.environment = p_environment and p.product_id = r.product_id
$$;

-- Those of a subscription, by its items.
create or replace function payments.subscription_families(p_environment text, p_subscription_id text) returns text[]
language sql stable as $$
    select coalesce(array_agg(distinct coalesce(
               r.metadata ->> 'plan_family', p.metadata ->> 'plan_family', i.product_id, i.price_id)), '{}')
    from payments.stripe_subscription_items i
    left join payments.stripe_prices r on r.environment = i.environment and r.price_id = i.price_id
    left join payments.stripe_products p on p.environment = i.environment and p.product_id = i.product_id
    where i.environment = p_environment and i.subscription_id = p_subscription_id
$$;

-- What a subscription checkout sells.
create or replace function payments.session_families(p_session_id uuid) returns text[]
language sql stable as $$
    select payments.price_families(
        s.environment, array(select item ->> 'priceId' from jsonb_array_elements(s.line_items) as item))
    from payments.stripe_checkout_sessions s where s.id = p_session_id
$$;

-- The earliest live subscription of a subject in one of the families, or null.
create or replace function payments.live_subscription(
    p_environment text, p_subject_type text, p_subject_id text, p_families text[], p_account_id text
) returns text
language sql stable as $$
    select s.subscription_id from payments.stripe_subscriptions s
    where s.environment = p_environment and s.subject_type = p_subject_type and s.subject_id = p_subject_id
      and s.account_id in ('', p_account_id) and payments.is_live(s.status)
      and payments.subscription_families(p_environment, s.subscription_id) && p_families
    order by s.started_at, s.subscription_id limit 1
$$;

-- Plan families are the metadata of products and prices, which may come after the subscriptions: those (products and
-- prices) whose family these rows change; null for none.
create or replace function payments.plans_renamed_by(p_environment text, p_rows jsonb) returns text[]
language sql stable as $$
    select array_agg(r.id)
    from (
        select told.product_id as id, told.metadata ->> 'plan_family' as family, known.metadata ->> 'plan_family' as former
        from jsonb_to_recordset(p_rows -> 'products') as told (product_id text, metadata jsonb)
        left join payments.stripe_products known
            on known.product_id = told.product_id and known.environment = p_environment
        union all
        select told.price_id, told.metadata ->> 'plan_family', known.metadata ->> 'plan_family'
        from jsonb_to_recordset(p_rows -> 'prices') as told (price_id text, metadata jsonb)
        left join payments.stripe_prices known
            on known.price_id = told.price_id and known.environment = p_environment
    ) r
    where r.family is distinct from r.former
$$;
