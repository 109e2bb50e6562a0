Subscriptions with their items, for operators. As in transactions.sql, filters that are null are not there.

-- name: recent
select payments.subscription_json(s)
from payments.stripe_subscriptions s
where s.environment = $1
  and s.account_id in ('', (select c.provider_account_id from payments.provider_connections c
                            where c.provider = 'stripe' and c.environment = $1))
  and ($3::text is null or s.subject_type = $3 and s.subject_id = $4::text)
order by s.updated_at desc, s.id desc
limit $2;

-- name: page
select payments.subscription_json(s) as object,
       json_build_object('startedAt', payments.iso(s.started_at)) as extras,
       s.started_at as at, s.id
from payments.stripe_subscriptions s
where s.environment = $1
  and s.account_id in ('', (select c.provider_account_id from payments.provider_connections c
                            where c.provider = 'stripe' and c.environment = $1))
  and case when $2::timestamptz is null then true
           when $5::boolean then (s.started_at, s.id) > ($2, $3::uuid)
           else (s.started_at, s.id) < ($2, $3) end
  and ($6::text is null or s.status = $6)
  and ($7::text is null or s.subject_type = $7 and s.subject_id = $8::text)
  and ($9::text is null or s.customer_id = $9)
  and ($10::timestamptz is null or s.started_at >= $10)
  and ($11::timestamptz is null or s.started_at < $11)
order by case when not $5 then s.started_at end desc, case when not $5 then s.id end desc,
         case when $5 then s.started_at end, case when $5 then s.id end
limit $4;

-- name: page_of_price
-- Those who pay $12, in the order in which they got the item that has it: its index, not all subscriptions, is walked.
select payments.subscription_json(s) as object,
       json_build_object('startedAt', payments.iso(s.started_at)) as extras,
       i.provider_created_at as at, i.id
from payments.stripe_subscription_items i
join payments.stripe_subscriptions s on s.environment = $1 and s.subscription_id = i.subscription_id
where i.environment = $1 and i.price_id = $12
  and s.account_id in ('', (select c.provider_account_id from payments.provider_connections c
                            where c.provider = 'stripe' and c.environment = $1))
  and case when $2::timestamptz is null then true
           when $5::boolean then (i.provider_created_at, i.id) > ($2, $3::uuid)
           else (i.provider_created_at, i.id) < ($2, $3) end
  and ($6::text is null or s.status = $6)
  and ($7::text is null or s.subject_type = $7 and s.subject_id = $8::text)
  and ($9::text is null or s.customer_id = $9)
  and ($10::timestamptz is null or i.provider_created_at >= $10)
  and ($11::timestamptz is null or i.provider_created_at < $11)
order by case when not $5 then i.provider_created_at end desc, case when not $5 then i.id end desc,
         case when $5 then i.provider_created_at end, case when $5 then i.id end
limit $4;
