insert into public.entitlement_prices (price_id, features, amount, currency)
values ('price_1', '{export}', 2500, 'usd'), ('price_plan', '{export,import}', null, null);
