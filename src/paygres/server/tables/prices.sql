Mirrored prices of the connected account. They are written by payments.apply_rows, whatever road they came by.

-- name: select_prices
select p.environment, p.price_id, p.product_id, p.active, p.currency, p.unit_amount, p.unit_amount_decimal, p.type,
       p.lookup_key, p.billing_scheme, p.tax_behavior, p.recurring_interval, p.recurring_interval_count, p.metadata,
       payments.iso(p.synced_at) as synced_at
from payments.stripe_prices p
join payments.provider_connections c on c.provider = 'stripe' and c.environment = p.environment
where p.environment = $1 and p.account_id in ('', c.provider_account_id) and not p.deleted
  and ($2::text is null or p.product_id = $2)
  and ($3::text is null or p.price_id = $3)
order by p.product_id, p.price_id
limit 10000;
