-- The rest of a small shop, written the way your own tables would be. `paygres dev` runs this once, as the owner, after
-- the recipe for orders (recipes/orders.sql).
comment on table public.orders is 'paygres dev: sample shop';

-- Teams: who may buy a subscription for one. Security definer, so callers need no grant on team_members.
create table public.team_members (
    team_id text not null,
    user_id text not null,
    role text not null default 'member' check (role in ('owner', 'member')),
    primary key (team_id, user_id)
);

create or replace function payments.can_bill(subject_type text, subject_id text) returns boolean
language sql stable security definer set search_path = '' as $$
    select case can_bill.subject_type
        when 'user' then coalesce(can_bill.subject_id = auth.jwt() ->> 'sub', false)
        when 'team' then exists (
            select from public.team_members member
             where member.team_id = can_bill.subject_id
               and member.user_id = auth.jwt() ->> 'sub'
               and member.role = 'owner')
        else false
    end
$$;
