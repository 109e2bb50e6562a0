-- One order, waiting for its money. Metadata: {"order_id": "0b9a4f3e-…"}.
insert into public.orders (id, price_id, amount, currency)
values ('0b9a4f3e-5a8c-4d6e-9f10-2b3c4d5e6f70', 'price_1', 2500, 'usd');
