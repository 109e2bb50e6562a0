Mirrored products of the connected account. They are written by payments.apply_rows, whatever road they came by.

-- name: select_products
select p.environment, p.product_id, p.name, p.description, p.active, p.default_price_id, p.metadata,
       payments.iso(p.synced_at) as synced_at
from payments.stripe_products p
join payments.provider_connections c on c.provider = 'stripe' and c.environment = p.environment
where p.environment = $1 and p.account_id in ('', c.provider_account_id) and not p.deleted
  and ($2::text is null or p.product_id = $2)
order by p.name, p.product_id
limit 10000;
