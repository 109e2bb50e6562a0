payments.stripe_checkout_sessions for operators: lists, one by any id, and what is to be expired at Stripe.

A list merges the statuses asked for ($5, or all), each read from its own index in the order wanted.

-- name: list_newest
with page as (
    select found.* from unnest(case when $5::text is null
                               then array['initialized', 'open', 'completed', 'expired', 'failed']
                               else array[$5] end) as wanted (status)
    cross join lateral (
        select s.created_at, s.id from payments.stripe_checkout_sessions s
        where s.environment = $1 and s.status = wanted.status
          and ($2::timestamptz is null or (s.created_at, s.id) < ($2, $3::uuid))
          and ($6::text is null or s.mode = $6)
          and ($7::text is null or s.subject_type = $7 and s.subject_id = $8::text)
          and ($9::text is null or s.customer_id = $9)
          and ($10::timestamptz is null or s.created_at >= $10)
          and ($11::timestamptz is null or s.created_at < $11)
        order by s.created_at desc, s.id desc limit $4) found
    order by found.created_at desc, found.id desc limit $4)
select shown.at, shown.id, shown.session
from payments.listed_checkout_sessions(array(select page.id from page)) shown
order by shown.at desc, shown.id desc;

-- name: list_oldest
with page as (
    select found.* from unnest(case when $5::text is null
                               then array['initialized', 'open', 'completed', 'expired', 'failed']
                               else array[$5] end) as wanted (status)
    cross join lateral (
        select s.created_at, s.id from payments.stripe_checkout_sessions s
        where s.environment = $1 and s.status = wanted.status
          and ($2::timestamptz is null or (s.created_at, s.id) > ($2, $3::uuid))
          and ($6::text is null or s.mode = $6)
          and ($7::text is null or s.subject_type = $7 and s.subject_id = $8::text)
          and ($9::text is null or s.customer_id = $9)
          and ($10::timestamptz is null or s.created_at >= $10)
          and ($11::timestamptz is null or s.created_at < $11)
        order by s.created_at, s.id limit $4) found
    order by found.created_at, found.id limit $4)
select shown.at, shown.id, shown.session
from payments.listed_checkout_sessions(array(select page.id from page)) shown
order by shown.at, shown.id;

-- name: find
select id, status, account_id, checkout_session_id from payments.stripe_checkout_sessions
where environment = $1 and (id = $2 or checkout_session_id = $3);

-- name: lease_superseded
select id, environment, account_id, checkout_session_id from payments.lease_superseded_sessions($1);
