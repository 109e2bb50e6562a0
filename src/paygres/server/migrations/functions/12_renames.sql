-- Renaming: what was given for an intent, or for a session that cost nothing, was given for its invoice.

-- An intent turned out to pay an invoice, or a session that cost nothing to have one: it stands for an intent. What was
-- given for it is renamed with the reversals, where developers' code may fail: the link itself must stand, or the
-- mirror counts the money twice.
create or replace function payments.queue_rename(p_environment text, p_payment_intent_id text) returns void
language plpgsql as $$
begin
    if exists (select from payments.fulfillments f
               where f.payment_key = p_payment_intent_id and f.environment = p_environment) then
        perform payments.leave_reversal(p_environment, p_payment_intent_id);
    end if;
end $$;

-- Both may have a row by then, as when Stripe first said that the intent pays none. One that gave nothing gives way, to
-- a grant, to a released one, or the intent's to the invoice's; of two grants the intent's is taken back.
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
