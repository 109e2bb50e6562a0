Customers for operators. As in transactions.sql, filters that are null are not there. What a customer paid is computed
for the rows that are shown, and no other.

-- name: alphabetical
with account as materialized (
    select array['', (select c.provider_account_id from payments.provider_connections c
                      where c.provider = 'stripe' and c.environment = $1)] as ids
)
select payments.customer_json(
    c, spent.payments, spent.last_at, case when spent.currencies = 1 then spent.total end,
    case when spent.currencies = 1 then spent.currency end)
from (
    select c.id from payments.customers c
    where c.provider = 'stripe' and c.environment = $1 and c.account_id = any ((select ids from account)::text[])
    order by c.deleted, coalesce(c.email, c.name, c.provider_customer_id), c.provider_customer_id
    limit $2
) as shown
join payments.customers c on c.id = shown.id
cross join account
cross join lateral payments.customer_spending($1, account.ids, c.provider_customer_id, c.email) as spent
order by c.deleted, coalesce(c.email, c.name, c.provider_customer_id), c.provider_customer_id;

-- name: page
with account as materialized (
    select array['', (select c.provider_account_id from payments.provider_connections c
                      where c.provider = 'stripe' and c.environment = $1)] as ids
)
select payments.customer_json(
           c, spent.payments, spent.last_at, case when spent.currencies = 1 then spent.total end,
           case when spent.currencies = 1 then spent.currency end) as object,
       json_build_object('subjectType', m.subject_type, 'subjectId', m.subject_id) as extras, shown.at, shown.id
from (
    select c.id, coalesce(c.provider_created_at, c.created_at) as at from payments.customers c
    where c.provider = 'stripe' and c.environment = $1 and c.account_id = any ((select ids from account)::text[])
      and case when $2::timestamptz is null then true
               when $5::boolean then (coalesce(c.provider_created_at, c.created_at), c.id) > ($2, $3::uuid)
               else (coalesce(c.provider_created_at, c.created_at), c.id) < ($2, $3) end
      and ($6::boolean is null or c.deleted = $6)
      and ($7::timestamptz is null or coalesce(c.provider_created_at, c.created_at) >= $7)
      and ($8::timestamptz is null or coalesce(c.provider_created_at, c.created_at) < $8)
      and ($9::text is null or lower(c.email) collate "C" = lower($9))
    order by case when not $5 then coalesce(c.provider_created_at, c.created_at) end desc,
             case when not $5 then c.id end desc,
             case when $5 then coalesce(c.provider_created_at, c.created_at) end,
             case when $5 then c.id end
    limit $4
) as shown
join payments.customers c on c.id = shown.id
cross join account
cross join lateral payments.customer_spending($1, account.ids, c.provider_customer_id, c.email) as spent
left join payments.customer_mappings m  -- one at most: a customer has one subject
    on m.provider = 'stripe' and m.environment = $1 and m.provider_customer_id = c.provider_customer_id
order by case when not $5 then shown.at end desc, case when not $5 then shown.id end desc,
         case when $5 then shown.at end, case when $5 then shown.id end;

-- name: page_of_addresses
-- Those whose address is like $8, by address: in another order the few that match might be the last of all.
with account as materialized (
    select array['', (select c.provider_account_id from payments.provider_connections c
                      where c.provider = 'stripe' and c.environment = $1)] as ids
)
select payments.customer_json(
           c, spent.payments, spent.last_at, case when spent.currencies = 1 then spent.total end,
           case when spent.currencies = 1 then spent.currency end) as object,
       json_build_object('subjectType', m.subject_type, 'subjectId', m.subject_id) as extras, shown.at, shown.id
from (
    select c.id, lower(c.email) as at from payments.customers c
    where c.provider = 'stripe' and c.environment = $1 and c.account_id = any ((select ids from account)::text[])
      and ($2::text is null or (lower(c.email) collate "C", c.id) > ($2, $3::uuid))
      and ($5::boolean is null or c.deleted = $5)
      and ($6::timestamptz is null or coalesce(c.provider_created_at, c.created_at) >= $6)
      and ($7::timestamptz is null or coalesce(c.provider_created_at, c.created_at) < $7)
      and lower(c.email) collate "C" like lower($8)
    order by lower(c.email) collate "C", c.id
    limit $4
) as shown
join payments.customers c on c.id = shown.id
cross join account
cross join lateral payments.customer_spending($1, account.ids, c.provider_customer_id, c.email) as spent
left join payments.customer_mappings m
    on m.provider = 'stripe' and m.environment = $1 and m.provider_customer_id = c.provider_customer_id
order by shown.at collate "C", shown.id;
