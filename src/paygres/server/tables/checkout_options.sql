payments.checkout_options: defaults of checkouts, per price and for a whole environment; and the prices they are for.

-- name: list
select payments.checkout_options_json(o.id) as options from payments.checkout_options o
where o.environment = $1 and ($2::text is null or o.price_id = $2)
order by o.price_id nulls first limit 1000;

-- name: put
insert into payments.checkout_options as o (
    environment, price_id, allow_promotion_codes, automatic_tax, tax_id_collection, phone_number_collection,
    billing_address_collection, locale, adjustable_quantity, expires_after_minutes, trial_period_days,
    payment_method_collection)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (environment, price_id) do update set
    allow_promotion_codes = excluded.allow_promotion_codes, automatic_tax = excluded.automatic_tax,
    tax_id_collection = excluded.tax_id_collection, phone_number_collection = excluded.phone_number_collection,
    billing_address_collection = excluded.billing_address_collection, locale = excluded.locale,
    adjustable_quantity = excluded.adjustable_quantity, expires_after_minutes = excluded.expires_after_minutes,
    trial_period_days = excluded.trial_period_days,
    payment_method_collection = excluded.payment_method_collection
returning o.id;

-- name: select_json
select payments.checkout_options_json($1);

-- name: delete
delete from payments.checkout_options where environment = $1 and price_id is not distinct from $2 returning id;

-- name: sold_prices
select p.environment, p.price_id, p.type, p.active and not p.deleted and coalesce(o.active, true) as active
from payments.stripe_prices p
left join payments.stripe_products o on o.environment = p.environment and o.product_id = p.product_id
where p.environment in ('test', 'live') and p.price_id = any ($1);
