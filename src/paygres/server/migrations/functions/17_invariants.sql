-- What must always be true, one view each: its rows are what is not. They read as whoever asks (security_invoker), so an
-- operator may look at one in psql: select * from payments.broken_refunds.
-- Every view has environment and found, an object that says what to look at.

-- No more went back than was paid.
create or replace view payments.broken_refunds with (security_invoker = true) as
select t.environment, jsonb_build_object('id', t.provider_object_id, 'amount', t.amount, 'amountRefunded', t.amount_refunded,
                                         'amountLost', t.amount_lost, 'currency', t.currency) as found
from payments.transactions t
where t.type <> 'refund' and (t.amount_refunded > t.amount or t.amount_lost > t.amount);

-- Money is never negative, and money that came has an amount and a currency.
create or replace view payments.broken_amounts with (security_invoker = true) as
select t.environment, jsonb_build_object('id', t.provider_object_id, 'amount', t.amount, 'currency', t.currency) as found
from payments.transactions t
where t.amount < 0 or t.amount_refunded < 0 or t.amount_lost < 0
   or (t.status in ('succeeded', 'refunded', 'partially_refunded') and (t.amount is null or t.currency is null));

-- The refunds that succeeded add up to what their payment says went back.
create or replace view payments.broken_refund_sums with (security_invoker = true) as
select p.environment, jsonb_build_object('id', p.provider_object_id, 'amountRefunded', p.amount_refunded,
                                         'refunds', r.total) as found
from (select t.environment, t.provider_parent_object_type as parent_type, t.provider_parent_object_id as parent_id,
             sum(t.amount) filter (where t.status = 'refunded') as total
      from payments.transactions t
      where t.provider = 'stripe' and t.type = 'refund' and t.provider_parent_object_id is not null group by 1, 2, 3) r
join payments.transactions p on p.provider = 'stripe' and p.environment = r.environment
    and (p.provider_object_type, p.provider_object_id) = (r.parent_type, r.parent_id)
where coalesce(r.total, 0) > p.amount_refunded;

-- A payment is one row.
create or replace view payments.broken_payments with (security_invoker = true) as
select t.environment, jsonb_build_object('paymentIntent', t.related_object_ids ->> 'payment_intent',
                                         'rows', jsonb_agg(t.provider_object_id order by t.provider_object_id)) as found
from payments.transactions t
where t.provider = 'stripe' and t.type <> 'refund' and t.related_object_ids ->> 'payment_intent' is not null
group by t.environment, t.related_object_ids ->> 'payment_intent'
having count(*) > 1;

-- A payment is granted once for a rule, under whatever name it goes.
create or replace view payments.broken_grants with (security_invoker = true) as
select f.environment, jsonb_build_object('rule', f.rule, 'paymentKeys', jsonb_build_array(f.payment_key, other.payment_key)) as found
from payments.fulfillments f
join payments.payment_invoices i on i.payment_intent_id = f.payment_key and i.environment = f.environment
join payments.fulfillments other on other.payment_key = i.invoice_id and other.rule = f.rule and other.environment = f.environment
where f.granted_at is not null and other.granted_at is not null and 'reversed' not in (f.status, other.status);

-- Nothing is granted for money that never came.
create or replace view payments.broken_grant_money with (security_invoker = true) as
select f.environment, jsonb_build_object('fulfillment', f.id, 'rule', f.rule, 'key', f.key, 'paymentKey', f.payment_key) as found
from payments.fulfillments f
left join lateral (
    select bool_or(t.status in ('succeeded', 'refunded', 'partially_refunded')) as came
    from payments.stripe_objects o
    join payments.transactions t on t.provider = 'stripe' and t.environment = o.environment
        and t.provider_object_id in (o.object_id, o.payment_key)
    where o.payment_key = f.payment_key and o.environment = f.environment
) money on true
where f.granted_at is not null and f.status <> 'reversed' and f.amount_paid > 0 and money.came is not true;

-- What was given follows the payment's money within two minutes.
create or replace view payments.broken_reversals with (security_invoker = true) as
select f.environment, jsonb_build_object('fulfillment', f.id, 'rule', f.rule, 'key', f.key, 'amountKept', f.amount_kept,
                                         'shouldKeep', money.amount_kept) as found
from payments.fulfillments f
cross join lateral payments.money_of(f.environment, f.payment_key) money
where f.granted_at is not null and f.status <> 'quarantined' and f.amount_kept is distinct from money.amount_kept
  and money.amount_kept is not null and f.updated_at < now() - interval '2 minutes';

-- A checkout that was paid has a stored event that says so, within ten minutes: only that fulfills it.
create or replace view payments.broken_checkouts with (security_invoker = true) as
select s.environment, jsonb_build_object('id', s.id, 'checkoutSessionId', s.checkout_session_id, 'updatedAt', s.updated_at) as found
from payments.stripe_checkout_sessions s
where s.status = 'completed' and s.payment_status in ('paid', 'no_payment_required')
  and s.updated_at < now() - interval '10 minutes'
  and not exists (
      select from payments.stripe_snapshots e
      where e.object_id = s.checkout_session_id and e.object_type = 'checkout.session' and e.environment = s.environment
        and e.source = 'event');

-- A checkout is not left half-made for more than an hour.
create or replace view payments.broken_starts with (security_invoker = true) as
select s.environment, jsonb_build_object('id', s.id, 'status', s.status, 'createdAt', s.created_at) as found
from payments.stripe_checkout_sessions s
where s.status = 'initialized' and s.created_at < now() - interval '1 hour';

-- A live subscription belongs to a subject, or is on the operators' list.
create or replace view payments.broken_subjects with (security_invoker = true) as
select s.environment, jsonb_build_object('subscription', s.subscription_id, 'customer', s.customer_id) as found
from payments.stripe_subscriptions s
where s.status in ('trialing', 'active', 'past_due', 'unpaid', 'paused') and s.subject_type is null
  and not exists (select from payments.attention a
                  where a.environment = s.environment and a.closed_at is null
                    and a.object_id in (s.subscription_id, s.customer_id));

-- A subject has one live subscription a plan, or the others are on the operators' list.
create or replace view payments.broken_plans with (security_invoker = true) as
select s.environment, jsonb_build_object('subscription', s.subscription_id, 'subject', s.subject_type || ':' || s.subject_id) as found
from payments.stripe_subscriptions s
where s.status in ('trialing', 'active', 'past_due', 'unpaid', 'paused') and s.subject_type is not null
  and exists (select from payments.stripe_subscriptions first
              where first.environment = s.environment and first.subject_type = s.subject_type
                and first.subject_id = s.subject_id and first.account_id = s.account_id
                and first.status in ('trialing', 'active', 'past_due', 'unpaid', 'paused')
                and payments.subscription_families(first.environment, first.subscription_id)
                    && payments.subscription_families(s.environment, s.subscription_id)
                and (first.started_at, first.subscription_id) < (s.started_at, s.subscription_id))
  and not exists (select from payments.attention a
                  where a.environment = s.environment and a.reason = 'second_subscription'
                    and a.object_id = s.subscription_id);

-- The period of a subscription that is paid for has not ended days ago: renewals reach us.
create or replace view payments.broken_periods with (security_invoker = true) as
select s.environment, jsonb_build_object('subscription', s.subscription_id, 'currentPeriodEnd', s.current_period_end) as found
from payments.stripe_subscriptions s
where s.status in ('active', 'trialing') and s.current_period_end < now() - interval '2 days';

-- A subject is not mapped to a customer that Stripe deleted.
create or replace view payments.broken_mappings with (security_invoker = true) as
select m.environment, jsonb_build_object('subject', m.subject_type || ':' || m.subject_id, 'customer', m.provider_customer_id) as found
from payments.customer_mappings m
join payments.customers c on c.provider = m.provider and c.environment = m.environment
    and c.provider_customer_id = m.provider_customer_id
where c.deleted;

-- No event waits for its turn more than a quarter of an hour after it was due.
create or replace view payments.broken_pending with (security_invoker = true) as
select q.environment, jsonb_build_object('event', q.event_id, 'due', q.next_attempt_at, 'reason', q.last_error) as found
from payments.event_queue q
where q.next_attempt_at < now() - interval '15 minutes';

-- No event is dead: given up, and waiting for an operator.
create or replace view payments.broken_dead with (security_invoker = true) as
select q.environment, jsonb_build_object('event', q.event_id, 'attempts', q.attempts, 'reason', q.last_error) as found
from payments.event_queue q
where q.next_attempt_at is null;

-- What must be read at Stripe is read within an hour.
create or replace view payments.broken_refetches with (security_invoker = true) as
select r.environment, jsonb_build_object('objectType', r.object_type, 'objectId', r.object_id, 'reason', r.reason,
                                         'lastError', r.last_error) as found
from payments.refetch_queue r
where r.created_at < now() - interval '1 hour';

-- Messages leave within an hour, and none was given up.
create or replace view payments.broken_messages with (security_invoker = true) as
select o.environment, jsonb_build_object('message', o.id, 'type', o.type, 'fulfillment', o.fulfillment_id,
                                         'lastError', o.last_error) as found
from payments.outbox o
where o.delivered_at is null and o.created_at < now() - interval '1 hour';

-- Stripe's list of events has been compared with ours up to a quarter of an hour ago.
create or replace view payments.broken_sweeps with (security_invoker = true) as
select s.environment, jsonb_build_object('completeThrough', payments.unix(s.complete_through), 'error', s.error) as found
from payments.sweeps s
join payments.provider_connections c on c.provider = 'stripe' and c.environment = s.environment
    and c.provider_account_id = s.account_id and c.status = 'connected'
where payments.unix(s.complete_through) < now() - interval '15 minutes';

-- Runs all of them. One look at a time; what is slow is given up by the caller's statement_timeout.
create or replace function payments.check_invariants() returns void
language plpgsql as $$
declare
    world text;
    invariant text;
    many bigint;
    found_ones jsonb;
begin
    foreach invariant in array array[
        'refunds', 'amounts', 'refund_sums', 'payments', 'grants', 'grant_money', 'reversals', 'checkouts', 'starts',
        'subjects', 'plans', 'periods', 'mappings', 'pending', 'dead', 'refetches', 'messages', 'sweeps'] loop
        foreach world in array array['test', 'live'] loop
            execute format(
                'select count(*), coalesce(jsonb_agg(found) filter (where nth <= 5), ''[]'')'
                ' from (select found, row_number() over () as nth from payments.%I where environment = $1) found',
                'broken_' || invariant) into many, found_ones using world;
            insert into payments.invariant_checks as known (environment, name, violations, samples, since, checked_at)
            values (world, invariant, many, found_ones, case when many > 0 then now() end, now())
            on conflict (environment, name) do update set
                violations = excluded.violations, samples = excluded.samples, checked_at = excluded.checked_at,
                since = case when excluded.violations > 0 then coalesce(known.since, excluded.since) end;
        end loop;
    end loop;
end $$;

do $$
declare
    named text;
begin
    for named in select c.relname from pg_catalog.pg_class c
                 where c.relnamespace = 'payments'::regnamespace and c.relkind = 'v' and c.relname like 'broken\_%' loop
        execute format('grant select on payments.%I to paygres_service, project_admin', named);
    end loop;
end $$;
