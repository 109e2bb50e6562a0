Reading system.audit_log; audit.sql writes it.

-- name: page
-- $1 and $2: time and number of the last record of the page before, $3 limit, then the filters.
select a.seq, a.at, payments.iso(a.at) as shown_at, a.actor, a.action, a.environment, a.target, a.reason,
       a.details::text as details, a.request_id
from system.audit_log a
where (a.at, a.seq) < (coalesce($1::timestamptz, 'infinity'), coalesce($2::bigint, 0))
  and ($4::text is null or a.actor = $4) and ($5::text is null or a.action = $5)
  and ($6::text is null or starts_with(a.action, $6))
  and ($7::text is null or a.environment = $7) and ($8::text is null or a.target = $8)
  and a.at >= coalesce($9::timestamptz, '-infinity') and a.at < coalesce($10::timestamptz, 'infinity')
order by a.at desc, a.seq desc
limit $3::integer;
