-- Takes the recipe away, its rows included.
drop trigger if exists follow_team_billing on payments.webhook_events;
drop function if exists public.follow_team_billing(), public.settle_team_billing(text, text);
drop table if exists public.team_billing_status, public.team_plans;
