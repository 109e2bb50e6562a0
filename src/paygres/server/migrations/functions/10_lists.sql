-- Rows of the lists as JSON: the contract's objects (1.6), keys in its order, and beside them what ours add.
-- Those that are one expression over a row are taken apart by the planner, and no payload is read. Those that read
-- tables are planned once: lists themselves are planned anew each time, which would else hold for every row of them.

create or replace function payments.transaction_json(t payments.transactions) returns json
language sql stable as $$
    select json_build_object(
        'environment', t.environment, 'provider', t.provider, 'type', t.type, 'status', t.status,
        'subjectType', t.subject_type, 'subjectId', t.subject_id, 'providerCustomerId', t.provider_customer_id,
        'customerEmailSnapshot', t.customer_email_snapshot, 'providerReferenceId', t.provider_object_id,
        'providerReferenceType', t.provider_object_type, 'amount', t.amount, 'amountRefunded', t.amount_refunded,
        'currency', t.currency, 'description', t.description, 'paidAt', payments.iso(t.paid_at),
        'failedAt', payments.iso(t.failed_at), 'refundedAt', payments.iso(t.refunded_at),
        'providerCreatedAt', payments.iso(t.provider_created_at), 'createdAt', payments.iso(t.created_at),
        'updatedAt', payments.iso(t.updated_at))
$$;

create or replace function payments.transaction_extras_json(t payments.transactions) returns json
language sql stable as $$
    select json_build_object(
        'amountDisputed', t.amount_disputed, 'amountLost', t.amount_lost,
        'parentReferenceId', t.provider_parent_object_id, 'parentReferenceType', t.provider_parent_object_type,
        'relatedObjectIds', t.related_object_ids)
$$;

create or replace function payments.subscription_items_json(p_environment text, p_subscription_id text) returns json
language sql stable set plan_cache_mode = force_generic_plan as $$
    select coalesce(json_agg(json_build_object(
        'environment', i.environment, 'subscriptionItemId', i.subscription_item_id,
        'subscriptionId', i.subscription_id, 'productId', i.product_id, 'priceId', i.price_id,
        'quantity', i.quantity, 'metadata', i.metadata, 'createdAt', payments.iso(i.created_at),
        'updatedAt', payments.iso(i.updated_at)) order by i.subscription_item_id), '[]')
    from payments.stripe_subscription_items i
    where i.environment = p_environment and i.subscription_id = p_subscription_id
$$;

create or replace function payments.subscription_json(s payments.stripe_subscriptions) returns json
language sql stable as $$
    select json_build_object(
        'environment', s.environment, 'subscriptionId', s.subscription_id, 'customerId', s.customer_id,
        'subjectType', s.subject_type, 'subjectId', s.subject_id, 'status', s.status,
        'currentPeriodStart', payments.iso(s.current_period_start),
        'currentPeriodEnd', payments.iso(s.current_period_end), 'cancelAtPeriodEnd', s.cancel_at_period_end,
        'cancelAt', payments.iso(s.cancel_at), 'canceledAt', payments.iso(s.canceled_at),
        'trialStart', payments.iso(s.trial_start), 'trialEnd', payments.iso(s.trial_end),
        'latestInvoiceId', s.latest_invoice_id, 'metadata', s.metadata, 'syncedAt', payments.iso(s.synced_at),
        'createdAt', payments.iso(s.created_at), 'updatedAt', payments.iso(s.updated_at),
        'items', payments.subscription_items_json(s.environment, s.subscription_id))
$$;

-- What a customer paid (contract 7.3), found through two indexes. Payments without a customer are given to the one who
-- has their e-mail address; when several have it, to nobody.
create or replace function payments.customer_spending(
    p_environment text, p_account_ids text[], p_customer_id text, p_email text
) returns table (payments bigint, last_at timestamptz, total bigint, currencies bigint, currency text)
language sql stable as $$
    select count(*), max(coalesce(t.paid_at, t.provider_created_at)),
           sum(greatest(coalesce(t.amount, 0) - t.amount_refunded, 0))::bigint,
           count(distinct t.currency), min(t.currency)
    from (
        select own.type, own.status, own.account_id, own.paid_at, own.provider_created_at, own.amount,
               own.amount_refunded, own.currency
        from payments.transactions own
        where own.provider = 'stripe' and own.environment = p_environment
          and own.provider_customer_id = p_customer_id
        union all
        select guest.type, guest.status, guest.account_id, guest.paid_at, guest.provider_created_at, guest.amount,
               guest.amount_refunded, guest.currency
        from payments.transactions guest
        where guest.provider = 'stripe' and guest.environment = p_environment
          and guest.provider_customer_id is null and lower(guest.customer_email_snapshot) = lower(p_email)
          and not exists (
              select from payments.customers namesake
              where namesake.provider = 'stripe' and namesake.environment = p_environment
                and lower(namesake.email) collate "C" = lower(p_email) and namesake.provider_customer_id <> p_customer_id
                and namesake.account_id = any (p_account_ids))
    ) as t
    where t.type <> 'refund' and t.status in ('succeeded', 'refunded', 'partially_refunded')
      and t.account_id = any (p_account_ids)
$$;

create or replace function payments.customer_json(
    c payments.customers, p_payments bigint, p_last_at timestamptz, p_total bigint, p_currency text
) returns json
language sql stable as $$
    select json_build_object(
        'environment', c.environment, 'provider', c.provider, 'providerCustomerId', c.provider_customer_id,
        'email', c.email, 'name', c.name, 'phone', c.phone, 'deleted', c.deleted, 'metadata', c.metadata,
        'providerCreatedAt', payments.iso(c.provider_created_at), 'syncedAt', payments.iso(c.synced_at),
        'paymentsCount', p_payments, 'lastPaymentAt', payments.iso(p_last_at), 'totalSpend', p_total,
        'totalSpendCurrency', p_currency, 'paymentMethodBrand', c.payment_method_brand,
        'paymentMethodLast4', c.payment_method_last4, 'countryCode', c.country_code)
$$;
