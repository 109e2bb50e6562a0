-- PostgreSQL compresses rows above 2 kB, which is nearly every object of Stripe's. With lz4 that is cheap. Builds without
-- it (the embedded one is such) use pglz, which took a quarter of the CPU time of a sync: there, rows stay as they are up
-- to the size of a page.
do $$
declare
    named text;
begin
    if 'lz4' = any (coalesce((select enumvals from pg_catalog.pg_settings
                              where name = 'default_toast_compression'), '{}')) then
        return;
    end if;
    foreach named in array array[
        'stripe_snapshots', 'stripe_objects', 'webhook_events', 'transactions', 'customers', 'stripe_checkout_sessions',
        'stripe_products', 'stripe_prices', 'stripe_subscriptions', 'stripe_subscription_items'] loop
        execute format('alter table payments.%I set (toast_tuple_target = 8160)', named);
    end loop;
end $$;
