-- payments.customer_mappings as operators see and set them, and payments.attention.

-- name: page_of_mappings
select m.created_at as at, m.id, m.subject_type, m.subject_id, m.provider_customer_id,
       coalesce(k.by_operator, false) as by_operator, k.evidence_id, c.email, payments.iso(m.created_at) as created_at
from payments.customer_mappings m
left join payments.subject_customers k
    on k.subject_id = m.subject_id and k.subject_type = m.subject_type and k.environment = m.environment
   and k.customer_id = m.provider_customer_id
left join payments.customers c
    on c.provider = 'stripe' and c.environment = m.environment and c.provider_customer_id = m.provider_customer_id
where m.environment = $1 and m.provider = 'stripe'
  and ($2::timestamptz is null or (m.created_at, m.id) < ($2, $3::uuid))
  and m.account_id in ('', $5)
  and ($6::text is null or (m.subject_type, m.subject_id) = ($6, $7))
  and ($8::text is null or m.provider_customer_id = $8)
  and ($9::timestamptz is null or m.created_at >= $9) and ($10::timestamptz is null or m.created_at < $10)
order by m.created_at desc, m.id desc limit $4;

-- name: customer_is_known
select exists (
    select from payments.customers c
    where c.provider = 'stripe' and c.environment = $1 and c.provider_customer_id = $3
      and c.account_id in ('', $2) and not c.deleted);

-- name: set_mapping
select payments.set_mapping($1, $2, $3, $4, $5);

-- name: unset_mapping
select payments.unset_mapping($1, $2, $3, $4);

-- name: page_of_attention
select a.opened_at as at, a.id, a.reason, a.object_type, a.object_id, a.subject_type, a.subject_id, a.message, a.details,
       payments.iso(a.opened_at) as opened_at, payments.iso(a.closed_at) as closed_at
from payments.attention a
where a.environment = $1
  and ($2::timestamptz is null or (a.opened_at, a.id) < ($2, $3::uuid))
  and a.account_id in ('', $5)
  and ($6::boolean is null or (a.closed_at is null) = $6)
  and ($7::text is null or a.reason = $7)
  and ($8::timestamptz is null or a.opened_at >= $8) and ($9::timestamptz is null or a.opened_at < $9)
order by a.opened_at desc, a.id desc limit $4;

-- name: dismiss
update payments.attention set closed_at = now()
where environment = $1 and id = $2 and closed_at is null;
