-- What an event says was bought, and what is known of its money: all that payments.fulfill decides by.

-- What an event says was bought, and what is known of its money. `payment_key` is null when the event pays nothing;
-- `intents`: those that pay the invoice which it is (or the session that cost nothing), null for none.
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

revoke execute on function payments.bought(text, jsonb), payments.money_of(text, text) from public;
grant execute on function payments.bought(text, jsonb), payments.money_of(text, text)
    to paygres_service, payments_trigger, project_admin;
