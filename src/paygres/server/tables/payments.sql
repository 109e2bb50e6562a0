-- Payments and subscriptions as operators act on them.

-- name: select_payment
-- Known by the name of its transaction, or by the invoice, intent, charge or session it is about.
select t.status, t.amount, t.amount_refunded, t.currency, t.related_object_ids,
       t.provider_object_type, t.provider_object_id
from payments.transactions t
where t.provider = 'stripe' and t.environment = $1 and t.account_id in ('', $2) and t.type <> 'refund'
  and (t.provider_object_type, t.provider_object_id) in (
      select case left(name, 3) when 'pi_' then 'payment_intent' when 'in_' then 'invoice'
                                when 'cs_' then 'checkout_session' else 'charge' end, name
      from (select $3::text as name
            union all
            select o.payment_key from payments.stripe_objects o
            where o.object_id = $3 and o.environment = $1 and o.payment_key is not null
            union all
            select i.payment_intent_id from payments.stripe_objects o
            join payments.payment_invoices i on i.invoice_id = o.payment_key and i.environment = o.environment
            where o.object_id = $3 and o.environment = $1) as names)
limit 1;

-- name: select_subscription
select s.subscription_id, s.status, s.cancel_at_period_end, s.cancel_at,
       (select coalesce(json_agg(json_build_object('id', i.subscription_item_id, 'price', i.price_id,
                                                   'quantity', i.quantity) order by i.subscription_item_id), '[]')
        from payments.stripe_subscription_items i
        where i.environment = s.environment and i.subscription_id = s.subscription_id) as items
from payments.stripe_subscriptions s
where s.environment = $1 and s.account_id in ('', $2) and s.subscription_id = $3;
