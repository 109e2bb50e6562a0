insert into public.credit_packs (price_id, credits, amount, currency) values ('price_1', 100, 2500, 'usd');
