-- Team billing: what a team has subscribed to, for pages, seat limits and reports.
-- Start a checkout in mode `subscription` for the subject {"type": "team", "id": …}; payments.can_bill says who may.

-- Which plan a price is, in your words. A price that is not here is no plan.
create table public.team_plans (
    price_id text primary key,
    plan text not null
);

-- One row a team that ever subscribed: its subscription that counts.
create table public.team_billing_status (
    environment text not null check (environment in ('test', 'live')),
    team_id text not null,
    status text not null,                                -- Stripe's word: active, trialing, past_due, canceled, …
    plan text,
    seats bigint not null default 0,                     -- pieces of the plan's price
    current_period_end timestamptz,
    cancel_at timestamptz,                               -- when it ends, once that is fixed
    -- May the team use its plan? `access_until` is the end of that as things stand (canceled, or in the grace of a
    -- failed renewal). payments.has_access answers the same at every moment, without this table.
    has_access boolean not null default false,
    access_until timestamptz,
    subscription_id text not null,
    customer_id text not null,
    updated_at timestamptz not null default now(),
    primary key (environment, team_id)
);
create index team_billing_status_subscription on public.team_billing_status (environment, subscription_id);

alter table public.team_plans enable row level security;
alter table public.team_billing_status enable row level security;
create policy everybody on public.team_plans for select to anon, authenticated using (true);
create policy fulfillment on public.team_plans for select to payments_trigger using (true);
-- Whoever may see what the team pays for: payments.can_view_billing asks can_bill until you replace it.
create policy own_teams on public.team_billing_status for select to authenticated
    using (payments.can_view_billing('team', team_id));
create policy fulfillment on public.team_billing_status to payments_trigger using (true) with check (true);
grant usage on schema public to anon, authenticated, payments_trigger;
grant select on public.team_plans to anon, authenticated, payments_trigger;
grant select on public.team_billing_status to authenticated;
grant select, insert, update, delete on public.team_billing_status to payments_trigger;

-- The team's row, from the settled tables: the same whatever event asks for it, and how often. Call it yourself after a
-- change that no event tells of, such as a customer that an operator mapped.
create or replace function public.settle_team_billing(p_environment text, p_team_id text) returns void
language plpgsql set search_path = '' as $$
begin
    -- One at a time for each team: the later one reads what the earlier one's event has committed.
    perform pg_advisory_xact_lock(hashtextextended('team_billing:' || p_environment || ':' || p_team_id, 0));
    with counts as (
        select s.subscription_id, s.customer_id, s.status, s.current_period_end,
               coalesce(s.cancel_at, case when s.cancel_at_period_end then s.current_period_end end) as cancel_at,
               p.plan, coalesce(p.seats, 0) as seats, p.plan is not null and coalesce(a.granted, false) as has_access,
               case when a.granted and a.renews_at is null then a.until end as access_until
        from payments.stripe_subscriptions s
        left join lateral (
            select known.plan, sum(i.quantity) as seats from payments.stripe_subscription_items i
            join public.team_plans known on known.price_id = i.price_id
            where i.environment = s.environment and i.subscription_id = s.subscription_id
            group by known.plan order by known.plan limit 1) p on true
        left join lateral (
            select own.granted, own.until, own.renews_at
            from payments.access_of(p_environment, 'team', p_team_id) own
            where own.source = 'subscription' and own.source_id = s.subscription_id limit 1) a on true
        where s.environment = p_environment and s.subject_type = 'team' and s.subject_id = p_team_id
        -- the one that gives access, then the newest; a plan goes before what is none
        order by has_access desc, p.plan is not null desc, s.started_at desc, s.subscription_id limit 1
    ), gone as (
        delete from public.team_billing_status t
        where t.environment = p_environment and t.team_id = p_team_id and not exists (select from counts)
    )
    insert into public.team_billing_status as t (
        environment, team_id, status, plan, seats, current_period_end, cancel_at, has_access, access_until,
        subscription_id, customer_id)
    select p_environment, p_team_id, c.status, c.plan, c.seats, c.current_period_end, c.cancel_at, c.has_access,
           c.access_until, c.subscription_id, c.customer_id
    from counts c
    on conflict (environment, team_id) do update set
        status = excluded.status, plan = excluded.plan, seats = excluded.seats,
        current_period_end = excluded.current_period_end, cancel_at = excluded.cancel_at,
        has_access = excluded.has_access, access_until = excluded.access_until,
        subscription_id = excluded.subscription_id, customer_id = excluded.customer_id, updated_at = now()
        where (t.status, t.plan, t.seats, t.current_period_end, t.cancel_at, t.has_access, t.access_until,
               t.subscription_id, t.customer_id)
              is distinct from (excluded.status, excluded.plan, excluded.seats, excluded.current_period_end,
                                excluded.cancel_at, excluded.has_access, excluded.access_until,
                                excluded.subscription_id, excluded.customer_id);
end $$;

create or replace function public.follow_team_billing() returns trigger
language plpgsql set search_path = '' as $$
declare
    customer text := new.payload #>> '{data,object,customer}';
begin
    -- The event is only a hint; the tables are settled before it is marked, whatever came first. By customer, since a
    -- checkout may be what tells whose an older subscription is; and whoever had one that is another team's now.
    perform public.settle_team_billing(new.environment, whose.team_id)
    from (select s.subject_id as team_id from payments.stripe_subscriptions s
          where s.environment = new.environment and s.customer_id = customer and s.subject_type = 'team'
          union
          select t.team_id from payments.stripe_subscriptions s
          join public.team_billing_status t on t.environment = s.environment and t.subscription_id = s.subscription_id
          where s.environment = new.environment and s.customer_id = customer
          order by 1) whose;
    return null;
end $$;

create or replace trigger follow_team_billing
    after update on payments.webhook_events for each row
    when (old.processing_status is distinct from new.processing_status and new.processing_status = 'processed'
          and new.provider = 'stripe'
          and (new.event_type = 'checkout.session.completed' or new.event_type like 'customer.subscription.%'
               or new.event_type like 'invoice.%'))
    execute function public.follow_team_billing();
