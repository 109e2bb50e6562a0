-- Takes the recipe away, its orders included.
drop trigger if exists follow_order_money on payments.fulfillments;
drop trigger if exists fulfill_order on payments.webhook_events;
drop function if exists public.follow_order_money(), public.fulfill_order(), public.place_order(text, bigint),
    public.order_id_in(text);
drop table if exists public.orders;
