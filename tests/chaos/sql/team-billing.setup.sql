insert into public.team_plans (price_id, plan) values ('price_plan', 'pro');
