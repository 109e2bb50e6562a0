-- The event road: open_event records and reads, the server settles and projects, close_event applies and marks.
-- Both run in ONE transaction; developers' code runs only inside close_event's savepoints.

-- The contract's event, keys in its order. PostgreSQL puts its text in the place of the call, so the row's payload is not
-- carried along.
create or replace function payments.event_json(e payments.webhook_events) returns json
language sql stable as $$
    select json_build_object(
        'environment', e.environment, 'eventId', e.provider_event_id, 'eventType', e.event_type,
        'livemode', e.livemode, 'accountId', e.provider_account_id, 'objectType', e.object_type,
        'objectId', e.object_id, 'processingStatus', e.processing_status, 'attemptCount', e.attempt_count,
        'lastError', e.last_error, 'receivedAt', payments.iso(e.received_at),
        'processedAt', payments.iso(e.processed_at), 'createdAt', payments.iso(e.created_at),
        'updatedAt', payments.iso(e.updated_at))
$$;

-- `{id, object, deleted}`: the object is gone, and nothing else is said of it. The same for a row of the ledger.
create or replace function payments.says_only_gone(p_object jsonb) returns boolean
language sql immutable as $$
    select p_object ->> 'deleted' = 'true' and p_object - array['id', 'object', 'deleted', 'livemode'] = '{}'
$$;

create or replace function payments.says_only_gone(p_source text, p_payload text) returns boolean
language sql immutable as $$
    select payments.says_only_gone(
        case p_source when 'event' then p_payload::jsonb #> '{data,object}' else p_payload::jsonb end)
$$;

-- The lock of one payment: in every road it comes after the objects' and before the customers'.
create or replace function payments.lock_payment(p_environment text, p_payment_key text) returns void
language sql as $$
    select pg_advisory_xact_lock(hashtextextended('payment:' || p_environment || ':' || p_payment_key, 7130))
$$;

-- What decides an object's newest state, read under its lock; the locks of its payments are taken here, invoices last.
-- `head`: what was settled so far, without payload. `rivals`: the events of its two newest seconds and the newest API
-- reads; null when the snapshot at hand (p_as_of, p_source) is alone in the newest second. What was left out decides
-- nothing. `family`: the settled objects about the same payment, without itself. `invoice`: which one its payment intent
-- pays, '' for none, null for not known.
create or replace function payments.known(
    p_environment text, p_object_type text, p_object_id text, p_as_of bigint, p_source text, p_event_id text,
    p_payment_keys text[], out head json, out rivals json, out family json, out invoice text
) language plpgsql
-- Where keys are an array PostgreSQL would plan anew for each event, to find the same plan: by index, even of a plan that
-- was made while the tables were empty.
set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    newest bigint;       -- second of the newest event
    newest_read bigint;
    previous bigint;     -- the second before it in which something happened
    parked text[];
    keys text[] := coalesce(p_payment_keys, '{}');
    key text;
    settled_key text;
    is_gone boolean;     -- deleted: then what says no more than that must not take the place of a telling
begin
    select json_build_object('as_of', o.as_of, 'source', o.source, 'event_id', o.event_id, 'deleted', o.deleted,
                             'undecided', o.undecided, 'bare', o.deleted and payments.says_only_gone(o.raw),
                             'paid_at', o.paid_at, 'failed_at', o.failed_at, 'refunded_at', o.refunded_at),
           o.payment_key, o.deleted
    into head, settled_key, is_gone
    from payments.stripe_objects o
    where o.environment = p_environment and o.object_type = p_object_type and o.object_id = p_object_id;

    if settled_key is not null and settled_key <> all (keys) then
        -- an invoice's lock comes last; a stale snapshot may know less of its payment than we do
        keys := case when settled_key like 'in\_%' then keys || settled_key else settled_key || keys end;
    end if;
    if cardinality(keys) > 0 then
        foreach key in array keys loop
            perform payments.lock_payment(p_environment, key);
        end loop;
        select i.invoice_id into invoice from payments.payment_invoices i
        where i.payment_intent_id = any (keys) and i.environment = p_environment
        order by i.invoice_id desc limit 1;
        if invoice <> '' and invoice <> all (keys) then
            perform payments.lock_payment(p_environment, invoice);
            keys := keys || invoice;
        end if;
        select json_agg(json_build_object(
            'object_type', o.object_type, 'object_id', o.object_id, 'as_of', o.as_of, 'paid_at', o.paid_at,
            'failed_at', o.failed_at, 'refunded_at', o.refunded_at, 'raw', o.raw))
        into family
        from payments.stripe_objects o
        where o.environment = p_environment and o.payment_key = any (keys)
          and (o.object_type, o.object_id) <> (p_object_type, p_object_id);
    end if;

    if not exists (
        select from payments.stripe_snapshots s
        where s.environment = p_environment and s.object_type = p_object_type and s.object_id = p_object_id
          and s.as_of >= p_as_of and (s.as_of > p_as_of or p_source = 'api' or s.source = 'event')
          and (p_event_id is null or s.event_id is distinct from p_event_id) and not s.left_out
          and not (is_gone is true and payments.says_only_gone(s.source, s.payload))) then
        return;
    end if;
    select max(s.as_of) filter (where s.source = 'event'), max(s.as_of) filter (where s.source = 'api')
    into newest, newest_read
    from payments.stripe_snapshots s
    where s.environment = p_environment and s.object_type = p_object_type and s.object_id = p_object_id
      and (p_event_id is null or s.event_id is distinct from p_event_id) and not s.left_out
      and not (is_gone is true and payments.says_only_gone(s.source, s.payload));
    -- Parked ones are of a shape that this version does not read: they decide nothing, however new they are.
    select array_agg(s.event_id) into parked
    from payments.stripe_snapshots s
    where s.environment = p_environment and s.object_type = p_object_type and s.object_id = p_object_id
      -- Offset 0, so that it is no join: planned while nothing waits, one reads the whole queue when much does.
      and exists (
          select from payments.event_queue q
          where q.event_id = s.event_id and q.environment = s.environment and q.reason like 'parked:%' offset 0);
    if parked is not null then
        select max(s.as_of) into newest from payments.stripe_snapshots s
        where s.environment = p_environment and s.object_type = p_object_type and s.object_id = p_object_id
          and s.source = 'event' and s.event_id <> all (parked) and s.event_id is distinct from p_event_id
          and not s.left_out
          and not (is_gone is true and payments.says_only_gone(s.source, s.payload));
    end if;
    if p_source = 'event' then
        newest := greatest(newest, p_as_of);
    end if;
    select max(s.as_of) into previous
    from payments.stripe_snapshots s
    where s.environment = p_environment and s.object_type = p_object_type and s.object_id = p_object_id
      and s.source = 'event' and s.as_of < newest and (parked is null or s.event_id <> all (parked))
      and not s.left_out
      and not (is_gone is true and payments.says_only_gone(s.source, s.payload));
    select json_agg(json_build_object(
        'source', s.source, 'as_of', s.as_of, 'event_id', s.event_id, 'event_type', s.event_type,
        'payload', coalesce(r.payload, s.payload)::json) order by s.seq)
    into rivals
    from payments.stripe_snapshots s
    left join payments.event_renderings r on r.event_id = s.event_id and r.environment = s.environment
    where s.environment = p_environment and s.object_type = p_object_type and s.object_id = p_object_id
      and (p_event_id is null or s.event_id is distinct from p_event_id) and not s.left_out
      and (s.source = 'event' and s.as_of in (newest, previous) and (parked is null or s.event_id <> all (parked))
           or s.source = 'api' and s.as_of = newest_read)
      and not (is_gone is true and payments.says_only_gone(s.source, s.payload));
end $$;

create or replace function payments.take_locks(p_locks bigint[]) returns void
language sql as $$
    select pg_advisory_xact_lock(key) from unnest(p_locks) as key
$$;

-- state: new (first time), retry (stored, not done), done (nothing to do).
-- p_changed: the attributes an update says it changed, null for any other event. `before`: what they were in the state
-- that is the newest so far, when that is told by an older event and certain. `listeners`: functions in developers'
-- Python that must run before such an event is marked. Of one that waited: whether it was `parked`, an operator wants it
-- `replayed`, and the `watermark` it was taken on under.
create or replace function payments.open_event(
    p_environment text, p_account_id text, p_event_id text, p_event_type text, p_object_type text,
    p_object_id text, p_as_of bigint, p_payload text, p_left_out boolean, p_lock bigint, p_payment_keys text[],
    p_changed text[],
    out state text, out attempts integer, out head json, out rivals json, out family json, out invoice text,
    out event json, out before json, out listeners text[], out parked boolean, out replayed boolean,
    out watermark bigint
) language plpgsql as $$
declare
    known record;
begin
    insert into payments.stripe_snapshots (
        environment, account_id, object_type, object_id, as_of, source, event_id, event_type, payload, left_out)
    values (p_environment, p_account_id, p_object_type, p_object_id, p_as_of, 'event', p_event_id, p_event_type,
            p_payload, p_left_out)
    on conflict (environment, event_id) do nothing
    -- Listeners are looked up in the same statement: one of its own costs an ordinary event twice as much.
    returning array(select l.name from payments.listeners l
                    where p_event_type = any (l.event_types)
                      and (l.environment is null or l.environment = p_environment))
    into listeners;
    if found then
        state := 'new';
        attempts := 0;
    else
        -- Waits here while another delivery of this event runs; then sees what that one committed.
        select q.attempts, q.reason like 'parked:%', q.replayed, q.watermark
        into attempts, parked, replayed, watermark
        from payments.event_queue q
        where q.environment = p_environment and q.event_id = p_event_id for update;
        if not found then
            state := 'done';
            select payments.event_json(e) into event from payments.webhook_events e
            where e.provider = 'stripe' and e.environment = p_environment and e.provider_event_id = p_event_id;
            return;
        end if;
        state := 'retry';
        listeners := array(select l.name from payments.listeners l
                           where p_event_type = any (l.event_types)
                             and (l.environment is null or l.environment = p_environment));
    end if;
    if p_left_out then
        return;
    end if;
    if p_lock is not null then
        perform pg_advisory_xact_lock(p_lock);
    end if;
    -- Assigned, for that needs no query around the function.
    known := payments.known(
        p_environment, p_object_type, p_object_id, p_as_of, 'event', p_event_id, p_payment_keys);
    head := known.head;
    rivals := known.rivals;
    family := known.family;
    invoice := known.invoice;
    if p_changed is not null then
        select json_build_object('as_of', o.as_of, 'told', (
                   select json_object_agg(key, o.raw -> key) from unnest(p_changed) as key))
        into before
        from payments.stripe_objects o
        where o.environment = p_environment and o.object_type = p_object_type and o.object_id = p_object_id
          and o.source = 'event' and o.as_of < p_as_of and not o.undecided and not o.deleted;
    end if;
end $$;

-- Mark the event, inside the role of developers' triggers. Returns the row, null when a trigger swallowed it.
create or replace function payments.mark_event(
    p_environment text, p_account_id text, p_event jsonb, p_status text, p_attempts integer, p_error text
) returns json
language plpgsql as $$
declare
    own_role text := current_setting('role');
    acting text;  -- set_config's answer: performed, each call would be a query
    row_id uuid;
    marked json;
begin
    acting := set_config('role', 'payments_trigger', true);
    insert into payments.webhook_events (
        environment, provider, provider_event_id, event_type, livemode, provider_account_id, object_type,
        object_id, processing_status, attempt_count, payload)
    values (p_environment, 'stripe', p_event ->> 'id', p_event ->> 'type', coalesce((p_event ->> 'livemode')::boolean, false),
            nullif(p_account_id, ''), p_event #>> '{data,object,object}', p_event #>> '{data,object,id}',
            'pending', p_attempts, p_event)
    on conflict (provider, environment, provider_event_id) do update
        set processing_status = 'pending', attempt_count = excluded.attempt_count, last_error = null,
            processed_at = null
    returning id into row_id;
    if p_status <> 'pending' or p_error is not null then
        update payments.webhook_events e
        set processing_status = p_status, last_error = p_error,
            processed_at = case when p_status in ('processed', 'ignored') then now() end
        where e.id = row_id
        returning payments.event_json(e) into marked;
    end if;
    set constraints all immediate;  -- a developer's deferred trigger must fail here, not at our COMMIT
    if marked is null then  -- it stays pending, or a developer's trigger let it be so
        select payments.event_json(e) into marked from payments.webhook_events e where e.id = row_id;
    end if;
    acting := set_config('role', own_role, true);
    return marked;
end $$;

-- What the queue's row of an event says in one word. parked: it waits for something, tried now and then until a
-- deadline. dead: nothing will be tried until an operator asks. Null without a row: the event is done.
create or replace function payments.event_state(p_status text, p_reason text, p_next_attempt_at timestamptz)
returns text
language sql immutable as $$
    select case p_status
        when 'failed' then case when p_next_attempt_at is null then 'dead' else 'failed' end
        when 'pending' then case when p_reason like 'parked:%' then 'parked' else 'pending' end
    end
$$;

-- Milliseconds since this transaction began.
create or replace function payments.ms_so_far() returns integer
language sql stable as $$
    select (extract(epoch from clock_timestamp() - transaction_timestamp()) * 1000)::integer
$$;

-- The first half of close_event: apply the rows in a savepoint. Status `processed`, or `failed` with its error.
create or replace function payments.project_event(
    p_environment text, p_account_id text, p_event jsonb, p_rows jsonb, out status text, out error text
) language plpgsql as $$
begin
    perform payments.apply_rows(p_environment, p_account_id, p_rows, p_event);
    set constraints all immediate;
    status := 'processed';
exception
    when deadlock_detected or lock_not_available or serialization_failure then
        raise;  -- the whole transaction is tried again
    when query_canceled then
        status := 'failed';
        error := 'projection: took longer than its time limit';
    when others then
        status := 'failed';
        error := format('projection: %s (%s)', sqlerrm, sqlstate);
end $$;

-- Two savepoints: (a) projections, (b) the mark that fires developers' triggers. A failure in (b) keeps (a).
-- p_status: processed, ignored; pending (parked: p_reason says why) keeps the event for the worker. p_waited: it has been
-- in the queue.
create or replace function payments.close_event(
    p_environment text, p_account_id text, p_event jsonb, p_rows jsonb, p_status text, p_reason text,
    p_attempts integer, p_waited boolean, p_retry_in interval,
    out status text, out error text, out event json
) language plpgsql as $$
declare
    projected record;
    asked text := 'payments.webhook_events';  -- whose triggers run
begin
    status := p_status;
    error := p_reason;
    if p_rows is not null then
        projected := payments.project_event(p_environment, p_account_id, p_event, p_rows);
        if projected.status = 'failed' then
            status := 'failed';
            error := projected.error;
        end if;
    end if;
    if status in ('processed', 'ignored') then
        begin
            event := payments.mark_event(p_environment, p_account_id, p_event, status, p_attempts, error);
            if current_setting('payments.reversals', true) <> '' then
                asked := 'payments.fulfillments';
                perform payments.settle_noted_reversals(p_environment);
                set constraints all immediate;
            end if;
            if p_waited then
                delete from payments.event_queue q
                where q.environment = p_environment and q.event_id = p_event ->> 'id';
            end if;
            if p_attempts > 1 then  -- at its first attempt an event writes nothing more than it must
                insert into payments.event_attempts (environment, event_id, attempt, outcome, error, duration_ms)
                values (p_environment, p_event ->> 'id', p_attempts, status, error, payments.ms_so_far());
            end if;
            return;
        exception
            when query_canceled then
                status := 'failed';
                error := format('a trigger on %s took longer than its time limit', asked);
            when lock_not_available then
                status := 'failed';
                error := format('a trigger on %s waited too long for a lock: %s', asked, sqlerrm);
            when others then
                status := 'failed';
                error := format('a trigger on %s raised: %s (%s)', asked, sqlerrm, sqlstate);
        end;
    end if;
    event := null;  -- what was marked has been rolled back, the variable has not
    -- The failed mark fires developers' triggers once more; the server makes it as a statement of its own,
    -- with a time limit of its own.
    perform payments.queue_event(p_environment, p_event ->> 'id', status, p_attempts, error, p_retry_in);
end $$;

create or replace function payments.queue_event(
    p_environment text, p_event_id text, p_status text, p_attempts integer, p_error text, p_retry_in interval
) returns void
language sql as $$
    with kept as (
        insert into payments.event_queue as q (
            environment, event_id, status, attempts, next_attempt_at, last_error, reason, deadline, watermark)
        values (p_environment, p_event_id, p_status, p_attempts, clock_timestamp() + p_retry_in, p_error,
                case when p_status = 'pending' then p_error end,
                case when p_status = 'pending' and p_error like 'parked:%' then now() + interval '72 hours' end,
                (select floor(extract(epoch from c.connected_at))::bigint from payments.provider_connections c
                 where c.provider = 'stripe' and c.environment = p_environment))
        on conflict (environment, event_id) do update set
            -- Parked past its deadline: dead, an operator decides, and what they ask for has a new deadline. Only what
            -- is parked has one: an event that waits for a slow database, or failed, ends by its number of attempts.
            status = case when excluded.deadline is not null and q.deadline < now() then 'failed' else excluded.status end,
            next_attempt_at = case when excluded.deadline is null or q.deadline >= now() or q.deadline is null
                                   then excluded.next_attempt_at end,
            attempts = excluded.attempts, last_error = excluded.last_error, reason = excluded.reason,
            deadline = case when excluded.deadline is not null and not coalesce(q.deadline < now(), false)
                            then coalesce(q.deadline, excluded.deadline) end,
            leased_until = null
        returning q.status, q.reason, q.next_attempt_at
    )
    insert into payments.event_attempts (environment, event_id, attempt, outcome, error, duration_ms)
    select p_environment, p_event_id, p_attempts,
           payments.event_state(kept.status, kept.reason, kept.next_attempt_at), p_error, payments.ms_so_far()
    from kept
$$;

-- The last resort: nothing but the event itself, kept for the worker. No developer's code can run here.
create or replace function payments.keep_event(
    p_environment text, p_account_id text, p_event_id text, p_event_type text, p_object_type text,
    p_object_id text, p_as_of bigint, p_payload text, p_left_out boolean, p_error text, p_retry_in interval
) returns boolean
language plpgsql as $$
begin
    insert into payments.stripe_snapshots (
        environment, account_id, object_type, object_id, as_of, source, event_id, event_type, payload, left_out)
    values (p_environment, p_account_id, p_object_type, p_object_id, p_as_of, 'event', p_event_id, p_event_type,
            p_payload, p_left_out)
    on conflict (environment, event_id) do nothing;
    if found then
        perform payments.queue_event(p_environment, p_event_id, 'pending', 1, p_error, p_retry_in);
        return true;
    end if;
    return false;
end $$;
