-- payments.transactions: one row a payment, one a refund; and which payment intent pays which invoice.

-- A link never changes; the smallest invoice payment decides should two ever claim an intent. '' (pays none) gives way.
-- The intent's objects move into the invoice's family. A session that cost nothing has no intent: where its invoice is
-- told, the session stands for the intent, and for the invoice payment too.
create or replace function payments.apply_links(p_environment text, p_links jsonb) returns void
language plpgsql as $$
declare
    r record;
begin
    for r in
        select * from jsonb_to_recordset(p_links) as found (
            payment_intent_id text, invoice_id text, invoice_payment_id text)
    loop
        insert into payments.payment_invoices as known (
            environment, payment_intent_id, invoice_id, invoice_payment_id)
        values (p_environment, r.payment_intent_id, r.invoice_id, r.invoice_payment_id)
        on conflict (environment, payment_intent_id) do update
            set invoice_id = excluded.invoice_id, invoice_payment_id = excluded.invoice_payment_id
            where known.invoice_id = '' or excluded.invoice_payment_id < known.invoice_payment_id;
        if found then
            update payments.stripe_objects o set payment_key = r.invoice_id
            where o.payment_key = r.payment_intent_id and o.environment = p_environment;
            perform payments.queue_rename(p_environment, r.payment_intent_id);
        end if;
    end loop;
end $$;

create or replace function payments.apply_transactions(
    p_environment text, p_account_id text, p_transactions jsonb
) returns void
language plpgsql as $$
declare
    r payments.told_transaction;
    former record;
    owner record;
    names text[];  -- every one the payment may go by
begin
    for nth in 0..jsonb_array_length(p_transactions) - 1 loop
        r := jsonb_populate_record(null::payments.told_transaction, p_transactions -> nth);
        if r.replaces is not null then
            for former in
                select * from jsonb_to_recordset(r.replaces) as f (object_type text, object_id text)
            loop
                -- The row keeps its place under its new name; a second one was the same money twice.
                update payments.transactions t
                set provider_object_type = r.object_type, provider_object_id = r.object_id
                where t.provider = 'stripe' and t.environment = p_environment
                  and t.provider_object_type = former.object_type and t.provider_object_id = former.object_id
                  and not exists (
                      select from payments.transactions other
                      where other.provider = 'stripe' and other.environment = p_environment
                        and other.provider_object_type = r.object_type and other.provider_object_id = r.object_id);
                delete from payments.transactions t
                where t.provider = 'stripe' and t.environment = p_environment
                  and t.provider_object_type = former.object_type and t.provider_object_id = former.object_id;
            end loop;
        end if;
        if r.gone then
            delete from payments.transactions t
            where t.provider = 'stripe' and t.environment = p_environment
              and t.provider_object_type = r.object_type and t.provider_object_id = r.object_id;
            continue;
        end if;
        if r.subject_by_customer and r.customer_id is not null then
            perform payments.lock_customer(p_environment, r.customer_id);
            select * into owner from payments.subject_of_customer(p_environment, r.customer_id);
            r.subject_type := owner.subject_type;
            r.subject_id := owner.subject_id;
        end if;
        insert into payments.transactions (
            environment, account_id, provider, type, status, subject_type, subject_id, subject_by_customer,
            provider_customer_id, customer_email_snapshot, provider_object_type, provider_object_id,
            provider_parent_object_type, provider_parent_object_id, related_object_ids, amount, amount_refunded,
            amount_disputed, amount_lost, currency, description, paid_at, failed_at, refunded_at,
            provider_created_at, raw)
        values (
            p_environment, p_account_id, 'stripe', r.type, r.status, r.subject_type, r.subject_id,
            coalesce(r.subject_by_customer, false), r.customer_id, r.email, r.object_type, r.object_id,
            r.parent_type, r.parent_id, r.related, r.amount, r.amount_refunded, coalesce(r.amount_disputed, 0),
            coalesce(r.amount_lost, 0), r.currency, r.description, payments.unix(r.paid_at),
            payments.unix(r.failed_at), payments.unix(r.refunded_at), coalesce(payments.unix(r.created), now()),
            coalesce((select o.raw from payments.stripe_objects o
                      where o.object_id = r.raw_id and o.object_type = r.raw_type
                        and o.environment = p_environment), '{}'))
        on conflict (provider, environment, provider_object_type, provider_object_id) do update set
            account_id = excluded.account_id, type = excluded.type, status = excluded.status,
            subject_type = excluded.subject_type, subject_id = excluded.subject_id,
            subject_by_customer = excluded.subject_by_customer,
            provider_customer_id = excluded.provider_customer_id,
            customer_email_snapshot = excluded.customer_email_snapshot,
            provider_parent_object_type = excluded.provider_parent_object_type,
            provider_parent_object_id = excluded.provider_parent_object_id,
            related_object_ids = excluded.related_object_ids, amount = excluded.amount,
            amount_refunded = excluded.amount_refunded, amount_disputed = excluded.amount_disputed,
            amount_lost = excluded.amount_lost, currency = excluded.currency,
            description = excluded.description, paid_at = excluded.paid_at, failed_at = excluded.failed_at,
            refunded_at = excluded.refunded_at, provider_created_at = excluded.provider_created_at,
            raw = excluded.raw;
        if r.type <> 'refund' then
            names := array[r.object_id, r.related ->> 'invoice', r.related ->> 'payment_intent',
                           r.related ->> 'checkout_session', r.related ->> 'charge'];
            if exists (select from payments.fulfillments f
                       where f.payment_key = any (names) and f.environment = p_environment) then
                perform payments.queue_reversal(
                    p_environment, names, r.amount,
                    greatest(0, r.amount - r.amount_refunded - coalesce(r.amount_lost, 0)));
            end if;
        end if;
    end loop;
end $$;
