-- Fulfillment as a fact: payments.fulfill says yes exactly once for a rule and a payment, and what was given follows the
-- payment's money from then on. It runs in developers' triggers, in their role, inside the event's transaction.

-- What an event says was bought, and what is known of its money. `payment_key` is null when the event pays nothing;
-- `intents`: those that pay the invoice which it is, null for none.
-- security definer: the ledger is ours alone.
create or replace function payments.bought(
    p_environment text, p_event jsonb,
    out payment_key text, out checkout_session_id uuid, out amount bigint, out currency text, out items jsonb,
    out amount_paid bigint, out amount_kept bigint, out subject_type text, out subject_id text, out intents text[]
) language plpgsql stable security definer set search_path = '' as $$
declare
    told jsonb := p_event #> '{data,object}';
    happened text := p_event ->> 'type';
    stamped text := coalesce(told #>> '{metadata,insforge_checkout_session_id}',
                             -- a payment link takes any client_reference_id from its visitors
                             case when told ->> 'payment_link' is null then told ->> 'client_reference_id' end);
    subtotal_then bigint;  -- as Stripe answered when our row was made
    items_then jsonb;
    total bigint;
    known record;
begin
    if stamped ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then
        select s.id, s.amount_subtotal,
               (select jsonb_object_agg(i.price, i.quantity)
                from (select item ->> 'priceId' as price, sum((item ->> 'quantity')::bigint) as quantity
                      from jsonb_array_elements(s.line_items) as item group by 1) i)
        into checkout_session_id, subtotal_then, items_then
        from payments.stripe_checkout_sessions s
        where s.id = stamped::uuid and (s.environment = p_environment) is true;
    end if;
    if happened in ('checkout.session.completed', 'checkout.session.async_payment_succeeded') then
        if coalesce(told ->> 'payment_status', '') not in ('paid', 'no_payment_required') then
            return;
        end if;
        amount := (told ->> 'amount_subtotal')::bigint;
        total := (told ->> 'amount_total')::bigint;
        items := items_then;
    elsif happened in ('invoice.paid', 'invoice.payment_succeeded') then
        if told ->> 'status' is distinct from 'paid' then
            return;
        end if;
        amount := (told ->> 'subtotal')::bigint;
        total := (told ->> 'amount_paid')::bigint;
        select jsonb_object_agg(i.price, i.quantity) into items
        from (select coalesce(line #>> '{pricing,price_details,price}', line #>> '{price,id}') as price,
                     sum(coalesce((line ->> 'quantity')::bigint, 1)) as quantity
              from jsonb_array_elements(coalesce(told #> '{lines,data}', '[]')) as line group by 1) i
        where i.price is not null;
    elsif happened = 'payment_intent.succeeded' then
        amount := case when checkout_session_id is null then (told ->> 'amount')::bigint else subtotal_then end;
        total := coalesce((told ->> 'amount_received')::bigint, (told ->> 'amount')::bigint);
        items := items_then;
    else
        return;
    end if;
    currency := lower(told ->> 'currency');
    select coalesce(o.payment_key, told ->> 'id') into payment_key
    from payments.stripe_objects o
    where o.object_id = told ->> 'id' and o.object_type = told ->> 'object' and o.environment = p_environment;
    payment_key := coalesce(payment_key, told ->> 'id');
    if happened = 'payment_intent.succeeded' and payments.may_pay_an_invoice(p_environment, payment_key) then
        raise exception 'it is not known yet whether % pays an invoice; that takes up to half a minute', told ->> 'id'
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'The event is tried again. invoice.paid and checkout.session.completed know at once.';
    end if;
    select * into known from payments.money_of(p_environment, payment_key);
    amount_paid := coalesce(known.amount_paid, total, 0);
    amount_kept := coalesce(known.amount_kept, total, 0);
    subject_type := known.subject_type;
    subject_id := known.subject_id;
    if payment_key like 'in\_%' then
        select array_agg(i.payment_intent_id) into intents
        from payments.payment_invoices i where i.invoice_id = payment_key and i.environment = p_environment;
    end if;
end $$;

-- An intent of a customer that nobody stamped and no session claims, as long as Stripe has not told. The row of such a
-- payment waits for the answer too: _may_pay_an_invoice in projections/transactions.py.
create or replace function payments.may_pay_an_invoice(p_environment text, p_payment_key text) returns boolean
language sql stable as $$
    select p_payment_key like 'pi\_%'
      and not exists (select from payments.payment_invoices i
                      where i.payment_intent_id = p_payment_key and i.environment = p_environment)
      and coalesce((
          select bool_or(o.raw ->> 'customer' is not null)
                 and not bool_or(o.object_type = 'checkout.session'
                                 or o.raw @? '$.metadata.keyvalue() ? (@.key starts with "insforge_")')
          from payments.stripe_objects o
          where o.payment_key = p_payment_key and o.environment = p_environment
            and o.object_type in ('payment_intent', 'charge', 'checkout.session')), false)
$$;

-- What the payment's row says: the amount that was paid, and what of it is neither refunded nor lost in a dispute.
-- Of an intent that pays an invoice nothing: the money is the invoice's.
create or replace function payments.money_of(
    p_environment text, p_payment_key text,
    out amount_paid bigint, out amount_kept bigint, out subject_type text, out subject_id text
) language sql stable security definer set search_path = '' as $$
    select t.amount, greatest(0, t.amount - t.amount_refunded - t.amount_lost), t.subject_type, t.subject_id
    from payments.transactions t
    where t.provider = 'stripe' and t.environment = p_environment
      and (t.provider_object_type, t.provider_object_id) in (
          select case left(named.id, 3) when 'pi_' then 'payment_intent' when 'cs_' then 'checkout_session'
                                        when 'in_' then 'invoice' else 'charge' end,
                 named.id
          from (select p_payment_key as id
                where not exists (select from payments.payment_invoices i
                                  where i.payment_intent_id = p_payment_key and i.environment = p_environment
                                    and i.invoice_id <> '')
                union
                select i.payment_intent_id from payments.payment_invoices i
                where i.invoice_id = p_payment_key and i.environment = p_environment and p_payment_key like 'in\_%'
                union
                select coalesce(o.raw #>> '{payment,payment_intent}', o.object_id) from payments.stripe_objects o
                where p_payment_key like 'in\_%' and o.payment_key = p_payment_key and o.environment = p_environment
                  and o.object_type in ('payment_intent', 'invoice_payment')) named)
    order by t.provider_object_id limit 1
$$;

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

-- Payments whose fulfillments must be looked at before this transaction ends; close_event does.
create or replace function payments.note_reversal(p_payment_key text) returns void
language sql as $$
    select set_config('payments.reversals',
                      coalesce(nullif(current_setting('payments.reversals', true), '') || ',', '') || p_payment_key, true)
$$;

-- The payment's row has changed: are there fulfillments that keep another amount? p_ids: every name it may go by.
create or replace function payments.queue_reversal(
    p_environment text, p_ids text[], p_amount_paid bigint, p_amount_kept bigint
) returns void
language plpgsql as $$
declare
    found_key text;
begin
    for found_key in
        select distinct f.payment_key from payments.fulfillments f
        where f.payment_key = any (p_ids) and f.environment = p_environment
          and f.status in ('granted', 'reversed', 'quarantined')
          and (f.amount_paid, f.amount_kept) is distinct from (p_amount_paid, p_amount_kept)
          -- what still stands under an intent's name once its invoice is known was superseded, or is renamed first
          and not exists (select from payments.payment_invoices i
                          where i.payment_intent_id = f.payment_key and i.environment = f.environment
                            and i.invoice_id <> '')
    loop
        insert into payments.reversal_queue (environment, payment_key) values (p_environment, found_key)
        on conflict do nothing;
        perform payments.note_reversal(found_key);
    end loop;
end $$;

-- An intent turned out to pay an invoice. What was given for it is renamed with the reversals, where developers' code
-- may fail: the link itself must stand, or the mirror counts the money twice.
create or replace function payments.queue_rename(p_environment text, p_payment_intent_id text) returns void
language plpgsql as $$
begin
    if exists (select from payments.fulfillments f
               where f.payment_key = p_payment_intent_id and f.environment = p_environment) then
        insert into payments.reversal_queue (environment, payment_key) values (p_environment, p_payment_intent_id)
        on conflict do nothing;
        perform payments.note_reversal(p_payment_intent_id);
    end if;
end $$;

-- What was given for a payment follows its money, in the role of developers' triggers, which take back or give again.
-- What was given for an intent that pays an invoice is renamed, and follows the invoice.
create or replace function payments.settle_reversal(p_environment text, p_payment_key text) returns void
language plpgsql as $$
declare
    own_role text := current_setting('role');
    given payments.fulfillments;
    money record;
    now_is text;
    why text;
    its_invoice text;
begin
    select i.invoice_id into its_invoice from payments.payment_invoices i
    where i.payment_intent_id = p_payment_key and i.environment = p_environment and i.invoice_id <> '';
    if found then
        perform payments.lock_payment(p_environment, its_invoice);  -- the worker has that of the intent
        perform payments.rename_payment(p_environment, p_payment_key, its_invoice);
        delete from payments.reversal_queue q where q.payment_key = p_payment_key and q.environment = p_environment;
        perform payments.settle_reversal(p_environment, its_invoice);
        return;
    end if;
    select * into money from payments.money_of(p_environment, p_payment_key);
    if money.amount_paid is null and exists (
        select from payments.fulfillments f where f.payment_key = p_payment_key and f.environment = p_environment) then
        -- Its row has gone, or goes by another name: asked again, ever later, for three days.
        update payments.reversal_queue q
        set attempts = q.attempts + 1, last_error = 'its money is not known', leased_until = null,
            next_attempt_at = clock_timestamp() + make_interval(secs => least(5 * 2 ^ least(q.attempts, 10), 3600))
        where q.payment_key = p_payment_key and q.environment = p_environment
          and q.created_at > now() - interval '3 days';
        if found then
            return;
        end if;
    end if;
    for given in
        select * from payments.fulfillments f
        where f.payment_key = p_payment_key and f.environment = p_environment order by f.rule
    loop
        continue when money.amount_paid is null or given.status = 'released';
        now_is := given.status;
        why := given.reason;
        if money.amount_paid > 0 and money.amount_kept = 0 then
            now_is := 'reversed';
        elsif given.status = 'reversed' and given.granted_at is not null then
            if given.key is not null then
                perform payments.lock_fulfillment(p_environment, given.rule, given.key);
            end if;
            if payments.fulfilled_by_another(p_environment, given.rule, given.key, p_payment_key) then
                now_is := 'quarantined';
                why := format('its money is back, and %s was fulfilled by another payment meanwhile', given.key);
            else
                now_is := 'granted';
            end if;
        elsif given.status = 'reversed' then
            -- it was never given, and now there is money again: its event runs once more
            insert into payments.event_queue (
                environment, event_id, status, attempts, next_attempt_at, reason, replayed)
            values (p_environment, given.event_id, 'pending', 0, now(), 'the money of its payment is back', true)
            on conflict do nothing;
        end if;
        perform set_config('role', 'payments_trigger', true);
        update payments.fulfillments f
        set amount_paid = money.amount_paid, amount_kept = money.amount_kept, status = now_is, reason = why
        where f.id = given.id
          and (f.amount_paid, f.amount_kept, f.status) is distinct from (money.amount_paid, money.amount_kept, now_is);
        perform set_config('role', own_role, true);
    end loop;
    delete from payments.reversal_queue q where q.payment_key = p_payment_key and q.environment = p_environment;
end $$;

-- Those noted in this transaction; called when everything else of the event was done.
create or replace function payments.settle_noted_reversals(p_environment text) returns void
language plpgsql as $$
declare
    noted text := current_setting('payments.reversals', true);
begin
    perform set_config('payments.reversals', '', true);
    perform payments.settle_reversal(p_environment, named.key)
    from (select distinct key from unnest(string_to_array(noted, ',')) as key order by key) named;
end $$;

-- An intent turned out to pay an invoice: what was given for it was given for the invoice. Both may have a row by then,
-- as when Stripe first said that the intent pays none. One that gave nothing gives way, to a grant, to a released one,
-- or the intent's to the invoice's; of two grants the intent's is taken back.
create or replace function payments.rename_payment(p_environment text, p_former text, p_payment_key text) returns void
language plpgsql as $$
declare
    own_role text := current_setting('role');
begin
    with gone as (
        delete from payments.fulfillments f using payments.fulfillments other
        where f.payment_key in (p_former, p_payment_key) and f.environment = p_environment and f.granted_at is null
          and other.payment_key in (p_former, p_payment_key) and other.environment = p_environment
          and other.rule = f.rule and other.id <> f.id
          and (false, f.status = 'released', f.payment_key = p_payment_key)
              < (other.granted_at is not null, other.status = 'released', other.payment_key = p_payment_key)
        returning f.id)
    update payments.attention a set closed_at = now()
    from gone where a.object_id = gone.id::text and a.reason = 'quarantine' and a.environment = p_environment
      and a.closed_at is null;
    perform set_config('role', 'payments_trigger', true);
    update payments.fulfillments f set payment_key = p_payment_key
    where f.payment_key = p_former and f.environment = p_environment
      and not exists (select from payments.fulfillments other
                      where other.payment_key = p_payment_key and other.rule = f.rule
                        and other.environment = p_environment);
    update payments.fulfillments f
    set status = 'reversed', amount_kept = 0, reason = format('it is the payment %s, which has its own', p_payment_key)
    where f.payment_key = p_former and f.environment = p_environment and (f.status, f.amount_kept) <> ('reversed', 0);
    perform set_config('role', own_role, true);
end $$;

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

-- A fulfillment as messages and lists show it.
create or replace function payments.fulfillment_json(f payments.fulfillments) returns jsonb
language sql stable as $$
    select jsonb_build_object(
        'id', f.id, 'environment', f.environment, 'rule', f.rule, 'key', f.key, 'paymentKey', f.payment_key,
        'status', f.status, 'reason', f.reason, 'subjectType', f.subject_type, 'subjectId', f.subject_id,
        'eventId', f.event_id, 'eventType', f.event_type, 'checkoutSessionId', f.checkout_session_id,
        'expectedAmount', f.expected_amount, 'expectedCurrency', f.expected_currency, 'expectedItems', f.expected_items,
        'amount', f.amount, 'currency', f.currency, 'items', f.items, 'amountPaid', f.amount_paid,
        'amountKept', f.amount_kept, 'shareKept', f.share_kept, 'grantedAt', payments.iso(f.granted_at),
        'createdAt', payments.iso(f.created_at), 'updatedAt', payments.iso(f.updated_at))
$$;

-- Tells the outbox and the operators' list. security definer: developers' role writes neither; what it says is ours.
create or replace function payments.announce_fulfillment() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
    happened text;
begin
    if new.status = 'quarantined' and (tg_op = 'INSERT' or old.status <> 'quarantined') then
        happened := 'fulfillment.quarantined';
        insert into payments.attention (
            environment, account_id, reason, object_type, object_id, subject_type, subject_id, message, details)
        values (new.environment, new.account_id, 'quarantine', 'fulfillment', new.id::text, new.subject_type,
                new.subject_id, format('%s was paid and not fulfilled (%s): %s. Refund it, or release it.',
                                       new.payment_key, new.rule, new.reason),
                pg_catalog.jsonb_build_object('rule', new.rule, 'key', new.key, 'paymentKey', new.payment_key,
                                              'amountPaid', new.amount_paid, 'currency', new.currency))
        on conflict do nothing;
    elsif tg_op = 'UPDATE' and old.status = 'quarantined' and new.status <> 'quarantined' then
        update payments.attention a set closed_at = pg_catalog.now()
        where a.object_id = new.id::text and a.reason = 'quarantine' and a.environment = new.environment
          and a.closed_at is null;
    end if;
    if new.granted_at is not null and (tg_op = 'INSERT' or old.granted_at is null) then
        happened := 'fulfillment.granted';
    elsif tg_op = 'UPDATE' and new.granted_at is not null and happened is null then
        happened := case when old.status = 'quarantined' and new.status = 'granted' then 'fulfillment.restored'
                         when new.share_kept < old.share_kept then 'fulfillment.reversed'
                         when new.share_kept > old.share_kept then 'fulfillment.restored' end;
    end if;
    if happened is not null then
        insert into payments.outbox (destination_id, environment, type, fulfillment_id, content)
        select d.id, new.environment, happened, new.id, payments.fulfillment_json(new)
        from payments.destinations d
        where d.environment = new.environment and d.active and happened = any (d.types);
    end if;
    return null;
end $$;

do $$
begin
    if not exists (select from pg_catalog.pg_trigger t
                   where t.tgrelid = 'payments.fulfillments'::regclass and t.tgname = 'trg_payments_fulfillments_announced') then
        create trigger trg_payments_fulfillments_announced after insert or update on payments.fulfillments
            for each row execute function payments.announce_fulfillment();
    end if;
end $$;

revoke execute on function payments.bought(text, jsonb), payments.money_of(text, text) from public;
grant execute on function payments.bought(text, jsonb), payments.money_of(text, text)
    to paygres_service, payments_trigger, project_admin;
