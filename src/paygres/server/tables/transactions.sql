Payments and refunds for operators. Filters that are null are not there: the query is planned with the values at hand,
so `case when $5` leaves one direction and an ordered walk of the index of the filter that is there.

-- name: page
select payments.transaction_json(t) as object, payments.transaction_extras_json(t) as extras,
       t.provider_created_at as at, t.id
from payments.transactions t
where t.provider = 'stripe' and t.environment = $1
  and t.account_id in ('', (select c.provider_account_id from payments.provider_connections c
                            where c.provider = 'stripe' and c.environment = $1))
  and case when $2::timestamptz is null then true
           when $5::boolean then (t.provider_created_at, t.id) > ($2, $3::uuid)
           else (t.provider_created_at, t.id) < ($2, $3) end
  and ($6::text is null or t.status = $6)
  and ($7::text is null or t.type = $7)
  and ($8::text is null or t.subject_type = $8 and t.subject_id = $9::text)
  and ($10::text is null or t.provider_customer_id = $10)
  and ($11::text is null or t.currency = $11)
  and ($12::timestamptz is null or t.provider_created_at >= $12)
  and ($13::timestamptz is null or t.provider_created_at < $13)
  and ($14::text[] is null or t.provider_object_id = any ($14) and t.provider_object_type = any (
        array['payment_intent', 'invoice', 'checkout_session', 'charge', 'refund']))
  and ($15::text is null or lower(t.customer_email_snapshot) = lower($15))
order by case when not $5 then t.provider_created_at end desc, case when not $5 then t.id end desc,
         case when $5 then t.provider_created_at end, case when $5 then t.id end
limit $4;

-- name: same_payment
-- Every object of the payment that an object is about, itself included.
select $2::text union
select member.object_id from payments.stripe_objects o
join payments.stripe_objects member on member.payment_key = o.payment_key and member.environment = o.environment
where o.object_id = $2 and o.environment = $1;
