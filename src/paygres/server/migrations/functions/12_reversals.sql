-- Reversing: what was given follows its payment's money, back and forth, at the end of the event's transaction or
-- when the worker comes to it.

-- Payments whose fulfillments must be looked at before this transaction ends; close_event does.
create or replace function payments.note_reversal(p_payment_key text) returns void
language sql as $$
    select set_config('payments.reversals',
                      coalesce(nullif(current_setting('payments.reversals', true), '') || ',', '') || p_payment_key, true)
$$;

-- The same, for the worker too, should this transaction not come to it.
create or replace function payments.leave_reversal(p_environment text, p_payment_key text) returns void
language plpgsql as $$
begin
    insert into payments.reversal_queue (environment, payment_key) values (p_environment, p_payment_key)
    on conflict do nothing;
    perform payments.note_reversal(p_payment_key);
end $$;

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
          -- what still stands under a former name once its invoice is known was superseded, or is renamed first
          and not exists (select from payments.payment_invoices i
                          where i.payment_intent_id = f.payment_key and i.environment = f.environment
                            and i.invoice_id <> '')
    loop
        perform payments.leave_reversal(p_environment, found_key);
    end loop;
end $$;

-- What was given for a payment follows its money, in the role of developers' triggers, which take back or give again.
-- What was given for an intent that pays an invoice, or a free session that has one, is renamed and follows it.
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
