-- Takes the recipe away, its ledger included.
drop trigger if exists follow_credit_money on payments.fulfillments;
drop trigger if exists fulfill_credits on payments.webhook_events;
drop function if exists public.follow_credit_money(), public.fulfill_credits(), public.spend_credits(bigint, text),
    public.spend_credits_of(text, text, bigint, text);
drop view if exists public.credit_balances;
drop table if exists public.credit_ledger, public.credit_packs;
drop function if exists public.refuse_change();
