-- Takes the recipe away, its entitlements included.
drop trigger if exists follow_entitlement_money on payments.fulfillments;
drop trigger if exists fulfill_entitlements on payments.webhook_events;
drop function if exists public.follow_entitlement_money(), public.fulfill_entitlements(),
    public.settle_user_entitlements(text, text), public.is_entitled(text);
drop table if exists public.user_entitlements, public.entitlement_prices;
