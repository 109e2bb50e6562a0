-- When a purchase is settled here: what the row says was told by an event, and that event's transaction, developers'
-- triggers included, is committed. Nothing is stored for it: the ledger and the queue of unfinished events know.
-- Each function sees one snapshot of the database, so it cannot call settled what is half done. Sequential scans are
-- ruled out because a plan is kept: it is often made while the tables are still empty.

-- The keys of the money a checkout moves: its session, its intent, the invoice it started a subscription with.
create or replace function payments.money_of_checkout(
    p_environment text, p_checkout_session_id text, p_payment_intent_id text
) returns text[]
language sql stable as $$
    select array_remove(array[p_checkout_session_id, p_payment_intent_id, (
        select o.payment_key from payments.stripe_objects o
        where o.object_id = p_checkout_session_id and o.object_type = 'checkout.session'
          and o.environment = p_environment)], null)
$$;

-- What a checkout still waits for; null when it is settled, which one that failed or expired is too.
-- payment: the buyer has not finished, as far as we know. event: the row is completed, and the event that says what it
-- says has not come. invoice, subscription: the same of what a subscription begins with. processing: an event about it
-- is not finished. reversal: money went back, and what was granted for it was not taken back yet.
-- operator: an event about it is dead; nothing will come of waiting.
create or replace function payments.checkout_waits_for(p_id uuid) returns text
language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    bought record;
    money text[];
    paid boolean;
    unfinished record;
begin
    select s.environment, s.mode, s.status, s.payment_status, s.checkout_session_id, s.payment_intent_id,
           s.subscription_id
    into bought from payments.stripe_checkout_sessions s where s.id = p_id;
    if not found or bought.status in ('failed', 'expired') then
        return null;
    elsif bought.status <> 'completed' then
        return 'payment';
    end if;
    money := payments.money_of_checkout(bought.environment, bought.checkout_session_id, bought.payment_intent_id);
    paid := coalesce(bought.payment_status in ('paid', 'no_payment_required'), false);

    -- Not joined: a plan made while the queue was empty would walk all of it.
    select bool_or(e.dead) as dead, bool_or(not e.dead) as alive into unfinished
    from (
        select (select q.next_attempt_at is null from payments.event_queue q
                where q.event_id = s.event_id and q.environment = s.environment) as dead
        from payments.stripe_snapshots s
        where s.object_id = any (money || array_remove(array[bought.subscription_id], null))
          and s.environment = bought.environment and s.source = 'event') e;
    if unfinished.alive then
        return 'processing';
    elsif unfinished.dead then
        return 'operator';
    end if;

    if not exists (
        select from payments.stripe_snapshots s
        where s.object_id = bought.checkout_session_id and s.object_type = 'checkout.session'
          and s.environment = bought.environment and s.source = 'event'
          and s.event_type in ('checkout.session.completed', 'checkout.session.async_payment_succeeded')
          and (not paid or s.payload::json #>> '{data,object,payment_status}' in ('paid', 'no_payment_required')))
    then
        return 'event';
    elsif bought.mode = 'subscription' then
        if paid and exists (select from unnest(money) as key where key like 'in\_%') and not exists (
            select from payments.stripe_snapshots s
            where s.object_id = any (money) and s.object_type = 'invoice' and s.environment = bought.environment
              and s.source = 'event' and s.event_type in ('invoice.paid', 'invoice.payment_succeeded'))
        then
            return 'invoice';
        elsif bought.subscription_id is not null and not exists (
            select from payments.stripe_subscriptions s
            where s.environment = bought.environment and s.subscription_id = bought.subscription_id)
        then
            return 'subscription';
        end if;
    end if;
    if exists (
        select from payments.reversal_queue r
        where r.payment_key = any (money) and r.environment = bought.environment)
    then
        return 'reversal';
    end if;
    return null;
end $$;

-- Of these rows, those whose waiting is over. Most wait for a buyer: they cost one look at their row.
create or replace function payments.ended_waits(p_ids uuid[]) returns setof uuid
language plpgsql stable set enable_seqscan = off as $$
declare
    waiting uuid;
    waits_for text;
begin
    for waiting in
        select s.id from payments.stripe_checkout_sessions s
        where s.id = any (p_ids) and s.status not in ('initialized', 'open')
    loop
        waits_for := payments.checkout_waits_for(waiting);
        if waits_for is null or waits_for = 'operator' then
            return next waiting;
        end if;
    end loop;
end $$;

-- One checkout, with what was granted for its money. A rule and a key are the developer's own words.
create or replace function payments.checkout_settlement(
    p_id uuid, out waits_for text, out account_id text, out checkout_session_id text, out fulfillments json
) language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    bought record;
begin
    select s.environment, s.account_id, s.checkout_session_id, s.payment_intent_id
    into bought from payments.stripe_checkout_sessions s where s.id = p_id;
    waits_for := payments.checkout_waits_for(p_id);
    account_id := bought.account_id;
    checkout_session_id := bought.checkout_session_id;
    select coalesce(json_agg(json_build_object('rule', f.rule, 'key', f.key, 'status', f.status)
                             order by f.rule, f.created_at), '[]')
    into fulfillments
    from payments.fulfillments f
    where f.environment = bought.environment and f.payment_key = any (
        payments.money_of_checkout(bought.environment, bought.checkout_session_id, bought.payment_intent_id));
end $$;
