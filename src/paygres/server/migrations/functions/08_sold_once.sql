-- A plan is sold to a subject once: later subscriptions to it need an operator, and checkouts that sell what was bought
-- meanwhile are superseded.

-- One live subscription per subject and plan family (decision 14): later ones need an operator, and what is open still
-- is not sold any more, or again.
create or replace function payments.settle_live_subscriptions(
    p_environment text, p_account_id text, p_subject_type text, p_subject_id text
) returns void
language plpgsql as $$
declare
    one record;
    first_one text;
begin
    perform payments.lock_subject(p_subject_type, p_subject_id);
    for one in
        select s.subscription_id, s.started_at, payments.is_live(s.status) as live,
               payments.subscription_families(p_environment, s.subscription_id) as families
        from payments.stripe_subscriptions s
        where s.environment = p_environment and s.subject_type = p_subject_type and s.subject_id = p_subject_id
          and s.account_id in ('', p_account_id)
        order by s.started_at, s.subscription_id
    loop
        first_one := null;
        if one.live then
            first_one := payments.live_subscription(
                p_environment, p_subject_type, p_subject_id, one.families, p_account_id);
        end if;
        perform payments.settle_attention(
            p_environment, p_account_id, 'second_subscription', 'subscription', one.subscription_id,
            coalesce(first_one <> one.subscription_id, false), p_subject_type, p_subject_id,
            'This subject pays twice for one plan: cancel this subscription and refund its payment, or keep it.',
            jsonb_build_object('first_subscription', first_one, 'plan_families', one.families));
    end loop;
    perform payments.settle_sessions(array(
        select s.id from payments.stripe_checkout_sessions s
        where s.environment = p_environment and s.subject_type = p_subject_type and s.subject_id = p_subject_id
          and s.mode = 'subscription' and s.status in ('initialized', 'open')
        order by s.id));
end $$;

-- Subjects with such an item and another subscription or an open checkout, or with an open checkout that sells such a
-- price: they may pay twice for one plan now, or not any more.
create or replace function payments.settle_renamed_plans(
    p_environment text, p_account_id text, p_ids text[]
) returns void
language plpgsql as $$
declare
    whose record;
begin
    for whose in
        select s.subject_type, s.subject_id
        from payments.stripe_subscription_items i
        join payments.stripe_subscriptions s
            on s.environment = i.environment and s.subscription_id = i.subscription_id
        where i.environment = p_environment and (i.product_id = any (p_ids) or i.price_id = any (p_ids))
          and (exists (
              select from payments.stripe_subscriptions other
              where other.environment = s.environment and other.subject_type = s.subject_type
                and other.subject_id = s.subject_id and other.subscription_id <> s.subscription_id)
               or payments.has_unfinished_sessions(p_environment, s.subject_type, s.subject_id))
        union
        select s.subject_type, s.subject_id
        from payments.stripe_checkout_sessions s
        cross join jsonb_array_elements(s.line_items) as item
        left join payments.stripe_prices r on r.environment = s.environment and r.price_id = item ->> 'priceId'
        where s.environment = p_environment and s.status in ('initialized', 'open') and s.mode = 'subscription'
          and s.subject_type is not null and (item ->> 'priceId' = any (p_ids) or r.product_id = any (p_ids))
        order by 1, 2
    loop
        perform payments.settle_live_subscriptions(
            p_environment, p_account_id, whose.subject_type, whose.subject_id);
    end loop;
end $$;

-- Two subscription checkouts of a subject may sell the same plan: the session that was completed instead of this one, the
-- earliest if there are several. One that can still be paid is superseded while the subscription bought instead has not
-- ended, and by the plan which that is now: it may have been changed since it was sold. One that has expired, by a
-- session made in its time that sold the same, unless what that bought had ended before this one was made.
-- Only what never changes is compared: when a state was read or told is known to the second at best.
-- security definer: asked in the role of developers' triggers, which may not read what Stripe said.
create or replace function payments.superseding(s payments.stripe_checkout_sessions) returns uuid
language sql stable security definer set search_path = '' as $$
    select w.id from payments.stripe_checkout_sessions w
    left join payments.stripe_subscriptions bought
        on bought.subscription_id = w.subscription_id and bought.environment = w.environment
        and bought.status in ('canceled', 'incomplete_expired')
    where w.environment = s.environment and w.subject_type = s.subject_type and w.subject_id = s.subject_id
      and w.account_id = s.account_id and w.mode = 'subscription' and w.status = 'completed' and w.id <> s.id
      and case when s.status <> 'expired' and exists (
                  select from payments.stripe_subscription_items i
                  where i.environment = w.environment and i.subscription_id = w.subscription_id)
               then payments.subscription_families(w.environment, w.subscription_id)
               else payments.session_families(w.id) end && payments.session_families(s.id)
      and case when s.status = 'expired' then exists (
              select from payments.stripe_objects won
              join payments.stripe_objects lost
                  on lost.object_id = s.checkout_session_id and lost.object_type = 'checkout.session'
                  and lost.environment = s.environment
              where won.object_id = w.checkout_session_id and won.object_type = 'checkout.session'
                and won.environment = w.environment
                and (won.raw ->> 'created')::bigint <= (lost.raw ->> 'expires_at')::bigint
                and coalesce((bought.raw ->> 'ended_at')::bigint >= (lost.raw ->> 'created')::bigint, true))
          else bought.subscription_id is null end
    order by w.created_at, w.id limit 1
$$;

-- The live subscription to such a plan that came from elsewhere: a change of plan, the dashboard. The one that a
-- session itself began is stamped with its id, and may be heard of first.
create or replace function payments.superseding_subscription(s payments.stripe_checkout_sessions) returns text
language sql stable as $$
    select u.subscription_id from payments.stripe_subscriptions u
    where u.environment = s.environment and u.subject_type = s.subject_type and u.subject_id = s.subject_id
      and u.account_id in ('', s.account_id) and payments.is_live(u.status)
      and u.metadata ->> 'insforge_checkout_session_id' is distinct from s.id::text
      and payments.subscription_families(u.environment, u.subscription_id) && payments.session_families(s.id)
    order by u.started_at, u.subscription_id limit 1
$$;

-- The worker expires at Stripe what is open and superseded. A completed session supersedes others and is not
-- superseded. A subscription is named where no session can be. Written in the role of developers' triggers.
create or replace function payments.settle_sessions(p_ids uuid[]) returns void
language plpgsql as $$
declare
    own_role text := current_setting('role');
begin
    if p_ids = '{}' then
        return;
    end if;
    perform set_config('role', 'payments_trigger', true);
    update payments.stripe_checkout_sessions s
    set superseded_by = told.by_session, superseded_by_subscription = told.by_subscription
    from (
        select known.id, found.by_session,
               case when found.by_session is null and known.status in ('initialized', 'open')
                    then payments.superseding_subscription(known) end as by_subscription
        from payments.stripe_checkout_sessions known
        cross join lateral (
            select case when known.status <> 'completed' then payments.superseding(known) end as by_session
            offset 0) found
        where known.id = any (p_ids)
    ) told
    where s.id = told.id
      and (s.superseded_by, s.superseded_by_subscription) is distinct from (told.by_session, told.by_subscription);
    perform set_config('role', own_role, true);
end $$;

-- A session has become something else: it is settled, and once it is completed its siblings too.
create or replace function payments.settle_siblings(p_session_id uuid) returns void
language sql as $$
    select payments.settle_sessions(array(
        select known.id
        from payments.stripe_checkout_sessions own
        join payments.stripe_checkout_sessions known
            on known.environment = own.environment and known.subject_type = own.subject_type
            and known.subject_id = own.subject_id and known.account_id = own.account_id
        where own.id = p_session_id and own.mode = 'subscription'
          and known.mode = 'subscription' and known.status <> 'failed'
          and (known.id = own.id or own.status = 'completed')
        order by known.id))
$$;

-- Is the subject buying a subscription just now?
create or replace function payments.has_unfinished_sessions(
    p_environment text, p_subject_type text, p_subject_id text
) returns boolean
language sql stable as $$
    select exists (
        select from payments.stripe_checkout_sessions s
        where s.environment = p_environment and s.subject_type = p_subject_type and s.subject_id = p_subject_id
          and s.mode = 'subscription' and s.status in ('initialized', 'open'))
$$;

revoke execute on function payments.superseding(payments.stripe_checkout_sessions) from public;
grant execute on function payments.superseding(payments.stripe_checkout_sessions) to paygres_service, payments_trigger;
