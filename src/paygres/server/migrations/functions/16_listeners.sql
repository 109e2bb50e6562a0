-- The event road when developers' Python listens: project_event, then the listeners, then close_event without rows.

-- Called by every process that starts: these are mine. A listener's newest definition counts.
create or replace function payments.register_listener(p_name text, p_environment text, p_event_types text[])
returns void
language sql as $$
    insert into payments.listeners as l (name, environment, event_types) values (p_name, p_environment, p_event_types)
    on conflict (name) do update
        set environment = excluded.environment, event_types = excluded.event_types, last_seen_at = now()
$$;

-- Functions that run after the commit are destinations of their own kind, one an environment.
create or replace function payments.register_after_commit(p_name text, p_environments text[], p_types text[])
returns void
language sql as $$
    insert into payments.destinations as d (environment, kind, name, types)
    select environment, 'after_commit', p_name, p_types from unnest(p_environments) as environment
    on conflict (environment, kind, name) do update set types = excluded.types
        where d.types is distinct from excluded.types
$$;

-- An operator says that no process will have this listener again; what waited for it goes on. False when it is unknown.
create or replace function payments.forget_listener(p_name text) returns boolean
language plpgsql as $$
begin
    delete from payments.listeners l where l.name = p_name;
    if not found then
        return false;
    end if;
    update payments.event_queue q
    set waits_for = nullif(array_remove(q.waits_for, p_name), '{}'), next_attempt_at = clock_timestamp()
    where p_name = any (q.waits_for);
    return true;
end $$;
