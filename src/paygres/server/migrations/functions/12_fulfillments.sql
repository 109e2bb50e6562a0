-- Granting: payments.fulfill says yes exactly once for a rule and a payment, in developers' triggers, in their role,
-- inside the event's transaction; an operator may let pass what it kept back.

create or replace function payments.lock_fulfillment(p_environment text, p_rule text, p_key text) returns void
language sql as $$
    select pg_advisory_xact_lock(hashtextextended('fulfillment:' || p_environment || ':' || p_rule || ':' || p_key, 7130))
$$;

-- Was the key's fulfillment granted for another payment, and does that stand? Asked under the key's lock.
create or replace function payments.fulfilled_by_another(
    p_environment text, p_rule text, p_key text, p_payment_key text
) returns boolean
language plpgsql stable as $$  -- not in SQL: that would be planned anew for each grant
begin
    return exists (
        select from payments.fulfillments other
        where other.key = p_key and other.rule = p_rule and other.environment = p_environment
          and other.status = 'granted' and other.payment_key <> p_payment_key);
end $$;

-- Why this is not what the developer meant to sell; null when it is.
create or replace function payments.misfit(
    p_amount bigint, p_currency text, p_items jsonb, p_expected_amount bigint, p_expected_currency text,
    p_expected_items jsonb
) returns text
language sql immutable as $$
    select case
        when p_expected_amount is null or p_expected_currency is null
            then 'nothing was expected for this payment: no amount or currency was given to fulfill'
        when p_amount is distinct from p_expected_amount or p_currency is distinct from lower(p_expected_currency)
            then format('%s %s was bought where %s %s was expected', coalesce(p_amount::text, 'an unknown amount of'), p_currency,
                        p_expected_amount, lower(p_expected_currency))
        when p_expected_items is not null and p_items is distinct from p_expected_items
            then format('%s was bought where %s was expected', coalesce(p_items::text, 'something not known here'),
                        p_expected_items)
    end
$$;

-- True exactly once for a rule and a payment: give what was bought, in this transaction. False when the event is not
-- about money that has come, when it was given already, when all of the money has gone back, and when what was bought is
-- not what the developer expected: that is kept as `quarantined` for an operator. An event of a quarantined payment that
-- runs again is weighed again.
create or replace function payments.fulfill_event(
    p_environment text, p_account_id text, p_event jsonb, p_rule text, p_key text, p_expected_amount bigint,
    p_expected_currency text, p_expected_items jsonb default null
) returns boolean
language plpgsql as $$
declare
    money record;
    before payments.fulfillments;
    now_is text := 'granted';
    problem text;
begin
    if coalesce(p_rule, '') = '' then
        raise exception 'payments.fulfill: rule must name what is given, for example orders'
            using errcode = 'invalid_parameter_value';
    end if;
    select * into money from payments.bought(p_environment, p_event);
    if money.payment_key is null then
        return false;
    end if;
    if p_key is not null then
        perform payments.lock_fulfillment(p_environment, p_rule, p_key);
    end if;
    if money.intents is not null then  -- given for an intent is given for its invoice, renamed or not yet
        update payments.fulfillments f set payment_key = money.payment_key
        where f.id = (select its.id from payments.fulfillments its
                      where its.payment_key = any (money.intents) and its.rule = p_rule
                        and its.environment = p_environment
                      order by its.granted_at is null, its.status <> 'released', its.payment_key limit 1)
          and not exists (select from payments.fulfillments other
                          where other.payment_key = money.payment_key and other.rule = p_rule
                            and other.environment = p_environment);
        if exists (select from payments.fulfillments f
                   where f.payment_key = any (money.intents) and f.rule = p_rule and f.environment = p_environment
                     and f.granted_at is not null) then
            return false;
        end if;
    end if;
    select * into before from payments.fulfillments f
    where f.payment_key = money.payment_key and f.rule = p_rule and f.environment = p_environment for update;
    if before.granted_at is not null then
        return false;
    end if;
    if before.status is distinct from 'released' then
        problem := payments.misfit(
            money.amount, money.currency, money.items, p_expected_amount, p_expected_currency, p_expected_items);
    end if;
    if problem is null and payments.fulfilled_by_another(p_environment, p_rule, p_key, money.payment_key) then
        problem := format('%s was fulfilled by another payment already', p_key);
    end if;
    if money.amount_paid > 0 and money.amount_kept = 0 then
        now_is := 'reversed';
        problem := coalesce(problem, 'all of it had gone back before it was given');
    elsif problem is not null then
        now_is := 'quarantined';
    end if;
    insert into payments.fulfillments as f (
        environment, account_id, rule, payment_key, key, status, reason, subject_type, subject_id, event_id, event_type,
        checkout_session_id, expected_amount, expected_currency, expected_items, amount, currency, items, amount_paid,
        amount_kept, granted_at)
    values (
        p_environment, coalesce(p_account_id, ''), p_rule, money.payment_key, p_key, now_is, problem,
        money.subject_type, money.subject_id, p_event ->> 'id', p_event ->> 'type', money.checkout_session_id,
        p_expected_amount, lower(p_expected_currency), p_expected_items, money.amount, money.currency, money.items,
        money.amount_paid, case when now_is = 'granted' then money.amount_paid else money.amount_kept end,
        case when now_is = 'granted' then now() end)
    on conflict (payment_key, rule, environment) do update set
        key = excluded.key, status = excluded.status, reason = excluded.reason, event_id = excluded.event_id,
        event_type = excluded.event_type, expected_amount = excluded.expected_amount,
        expected_currency = excluded.expected_currency, expected_items = excluded.expected_items,
        amount = excluded.amount, currency = excluded.currency, items = excluded.items,
        amount_paid = excluded.amount_paid, amount_kept = excluded.amount_kept, granted_at = excluded.granted_at,
        subject_type = excluded.subject_type, subject_id = excluded.subject_id,
        checkout_session_id = excluded.checkout_session_id
        where f.granted_at is null;
    if not found or now_is <> 'granted' then
        return false;
    end if;
    if money.amount_kept <> money.amount_paid then  -- given as a whole now, and taken back in part after the mark
        perform payments.note_reversal(money.payment_key);
    end if;
    return true;
end $$;

-- The form for triggers on payments.webhook_events: `if payments.fulfill(new, 'orders', …) then … end if`.
create or replace function payments.fulfill(
    event payments.webhook_events, rule text, key text, expected_amount bigint, expected_currency text,
    expected_items jsonb default null
) returns boolean
language sql as $$
    select case when (event).provider = 'stripe' and (event).processing_status = 'processed' then
        payments.fulfill_event((event).environment, (event).provider_account_id, (event).payload, rule, key,
                               expected_amount, expected_currency, expected_items)
    else false end
$$;

-- An operator lets a quarantined payment pass; the caller has its event, which this returns, run again. Null when
-- it is not quarantined, or was granted before.
create or replace function payments.release_fulfillment(p_environment text, p_id uuid) returns text
language plpgsql as $$
declare
    own_role text := current_setting('role');
    its_event text;
begin
    perform set_config('role', 'payments_trigger', true);
    update payments.fulfillments f set status = 'released'
    where f.id = p_id and f.environment = p_environment and f.status = 'quarantined' and f.granted_at is null
    returning f.event_id into its_event;
    perform set_config('role', own_role, true);
    return its_event;
end $$;

-- One that was granted, taken back and quarantined when its money came back, because its key was fulfilled by another
-- payment meanwhile: granted again, unless that other one still stands.
create or replace function payments.grant_again(p_environment text, p_id uuid) returns boolean
language plpgsql as $$
declare
    own_role text := current_setting('role');
    its payments.fulfillments;
    done boolean;
begin
    select * into its from payments.fulfillments f where f.id = p_id and f.environment = p_environment;
    if its.key is not null then
        perform payments.lock_fulfillment(p_environment, its.rule, its.key);
    end if;
    perform set_config('role', 'payments_trigger', true);
    update payments.fulfillments f set status = 'granted', reason = null
    where f.id = p_id and f.environment = p_environment and f.status = 'quarantined' and f.granted_at is not null
      and not payments.fulfilled_by_another(p_environment, f.rule, f.key, f.payment_key);
    done := found;
    perform set_config('role', own_role, true);
    return done;
end $$;
