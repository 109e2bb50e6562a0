-- Announcing: every change of a fulfillment is told to the outbox and to the operators' list.

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
