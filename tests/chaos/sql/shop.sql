-- What every planted fault begins with: one order for 25 dollars that waits for its money.
create table public.orders (
    id text primary key, amount bigint not null, currency text not null, status text not null default 'pending',
    paid_at timestamptz);
create table public.grants (
    id bigint generated always as identity primary key, order_id text not null, event_id text, credits bigint not null,
    created_at timestamptz not null default now());
insert into public.orders (id, amount, currency) values ('o1', 2500, 'usd');
grant select, update on public.orders to payments_trigger;
grant select, insert, delete on public.grants to payments_trigger;
create function public.order_in(payload jsonb) returns text language sql immutable set search_path = '' as $$
    select payload #>> '{data,object,metadata,order_id}'
$$;
