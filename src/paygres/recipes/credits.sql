-- Credits: packs are bought, credits are spent, and a refund or a lost dispute takes back its share, exactly.
-- Start a checkout for the subject {"type": "user", "id": …} with prices that public.credit_packs names.

-- What a price gives. Your words, not Stripe's: a price that is not here gives nothing.
create table public.credit_packs (
    price_id text primary key,
    credits bigint not null check (credits > 0),
    amount bigint not null check (amount >= 0),          -- minor units, for one pack
    currency text not null check (currency = lower(currency))
);

-- Append-only: a balance is the sum of what happened.
create table public.credit_ledger (
    id bigint generated always as identity primary key,
    environment text not null check (environment in ('test', 'live')),
    user_id text not null,
    -- adjustment: by hand. reversal and restoration belong to the purchase with the same reference.
    kind text not null check (kind in ('purchase', 'reversal', 'restoration', 'spend', 'adjustment')),
    change bigint not null check (change <> 0),
    reference text not null,                             -- the checkout (cs_…), or what it was spent on
    created_at timestamptz not null default now()
);
create index credit_ledger_user on public.credit_ledger (environment, user_id) include (change);
create index credit_ledger_reference on public.credit_ledger (environment, reference);
create unique index credit_ledger_purchase on public.credit_ledger (environment, reference) where kind = 'purchase';
create unique index credit_ledger_spend on public.credit_ledger (environment, user_id, reference) where kind = 'spend';

create or replace function public.refuse_change() returns trigger
language plpgsql set search_path = '' as $$
begin
    raise exception 'public.credit_ledger is append-only: add an adjustment';
end $$;
create or replace trigger append_only before update or delete on public.credit_ledger
    for each statement execute function public.refuse_change();

-- What readers see is never below zero: credits that were spent and then taken back are `debt`, which the next purchase
-- pays first. security_invoker: the policies of the ledger decide about the view too.
create or replace view public.credit_balances with (security_invoker = true) as
    select l.environment, l.user_id, greatest(sum(l.change), 0)::bigint as balance,
           greatest(-sum(l.change), 0)::bigint as debt
    from public.credit_ledger l group by l.environment, l.user_id;

alter table public.credit_packs enable row level security;
alter table public.credit_ledger enable row level security;
create policy everybody on public.credit_packs for select to anon, authenticated using (true);
create policy fulfillment on public.credit_packs for select to payments_trigger using (true);
create policy own_credits on public.credit_ledger for select to authenticated
    using (user_id = (select auth.jwt() ->> 'sub'));
create policy fulfillment on public.credit_ledger to payments_trigger using (true) with check (true);
grant usage on schema public to anon, authenticated, payments_trigger;
grant select on public.credit_packs to anon, authenticated, payments_trigger;
grant select on public.credit_ledger, public.credit_balances to authenticated;
grant select, insert on public.credit_ledger to payments_trigger;

create or replace function public.fulfill_credits() returns trigger
language plpgsql set search_path = '' as $$
declare
    session jsonb := new.payload #> '{data,object}';
    -- Stamped by the server after payments.can_bill said yes; a buyer cannot write insforge_ names.
    buyer text := case session #>> '{metadata,insforge_subject_type}'
                  when 'user' then session #>> '{metadata,insforge_subject_id}' end;
    packs record;
begin
    select count(*) as kinds, jsonb_object_agg(p.price_id, b.pieces) as items, sum(p.credits * b.pieces) as credits,
           sum(p.amount * b.pieces)::bigint as amount, min(p.currency) as currency
    into packs
    from (select item ->> 'priceId' as price_id, sum((item ->> 'quantity')::bigint) as pieces
          from payments.stripe_checkout_sessions s, jsonb_array_elements(s.line_items) as item
          where s.environment = new.environment and s.checkout_session_id = new.object_id group by 1) b
    join public.credit_packs p on p.price_id = b.price_id;
    if packs.kinds = 0 then
        return null;  -- something else was sold
    end if;
    -- Anything beside packs makes it another sum than theirs, and a guest is nobody to give credits to: quarantined.
    if payments.fulfill(new, 'credits', new.object_id, case when buyer is not null then packs.amount end,
                        packs.currency, packs.items) then
        insert into public.credit_ledger (environment, user_id, kind, change, reference)
        values (new.environment, buyer, 'purchase', packs.credits, new.object_id);
    end if;
    return null;
end $$;

create or replace trigger fulfill_credits
    after update on payments.webhook_events for each row
    when (old.processing_status is distinct from new.processing_status and new.processing_status = 'processed'
          and new.provider = 'stripe'
          and new.event_type in ('checkout.session.completed', 'checkout.session.async_payment_succeeded')
          and new.payload #>> '{data,object,mode}' = 'payment')
    execute function public.fulfill_credits();

-- What a purchase gives follows its money: floor(credits * kept / paid), whatever refunds come in whatever order, and
-- all of it again when a dispute is won. Computed from whole numbers: a rounded share would lose a credit now and then.
create or replace function public.follow_credit_money() returns trigger
language plpgsql set search_path = '' as $$
declare
    given record;
    should_be bigint;
begin
    select max(l.user_id) as user_id, sum(l.change) filter (where l.kind = 'purchase') as bought, sum(l.change) as held
    into given
    from public.credit_ledger l
    where l.reference = new.key and l.environment = new.environment
      and l.kind in ('purchase', 'reversal', 'restoration');
    if given.bought is null then
        return null;  -- nothing was given for it
    end if;
    should_be := case when new.status <> 'granted' then 0
                      when new.amount_paid = 0 then given.bought
                      else div(given.bought * new.amount_kept, new.amount_paid) end;
    if should_be <> given.held then
        insert into public.credit_ledger (environment, user_id, kind, change, reference)
        values (new.environment, given.user_id,
                case when should_be < given.held then 'reversal' else 'restoration' end,
                should_be - given.held, new.key);
    end if;
    return null;
end $$;

create or replace trigger follow_credit_money
    after update of status, amount_paid, amount_kept on payments.fulfillments for each row
    when (new.rule = 'credits' and new.granted_at is not null)
    execute function public.follow_credit_money();

-- Spends a user's credits: false when there are not enough. One reference (the id of what it is spent on) spends once;
-- asking again is answered as the first time. For your server, and for the function below.
create or replace function public.spend_credits_of(
    p_environment text, p_user_id text, p_amount bigint, p_reference text
) returns boolean
language plpgsql set search_path = '' as $$
declare
    spent bigint;
begin
    if (p_amount > 0) is not true or p_user_id is null or coalesce(p_reference, '') = '' then
        raise exception 'spend a positive number of somebody''s credits, on something that has a name'
            using errcode = 'invalid_parameter_value';
    end if;
    -- One at a time for each user, or two that are each affordable would spend the same credits.
    perform pg_advisory_xact_lock(hashtextextended('credits:' || p_environment || ':' || p_user_id, 0));
    select -l.change into spent from public.credit_ledger l
    where l.kind = 'spend' and l.reference = p_reference and l.user_id = p_user_id and l.environment = p_environment;
    if spent <> p_amount then
        raise exception '% credits were spent on % already', spent, p_reference using errcode = 'invalid_parameter_value';
    elsif spent is not null then
        return true;
    end if;
    if p_amount > (select coalesce(sum(l.change), 0) from public.credit_ledger l
                   where l.user_id = p_user_id and l.environment = p_environment) then
        return false;
    end if;
    insert into public.credit_ledger (environment, user_id, kind, change, reference)
    values (p_environment, p_user_id, 'spend', -p_amount, p_reference);
    return true;
end $$;

-- The caller's own. security definer: users have no right to write the ledger.
create or replace function public.spend_credits(amount bigint, reference text) returns boolean
language sql security definer set search_path = '' as $$
    select public.spend_credits_of(payments.default_environment(), auth.jwt() ->> 'sub', amount, reference)
$$;
revoke execute on function public.spend_credits_of(text, text, bigint, text), public.spend_credits(bigint, text)
    from public;
grant execute on function public.spend_credits(bigint, text) to authenticated;
