-- The current shape of the schemas payments, auth and system: what the migrations make of an empty database.
-- For reading and for reviewing changes, never executed; the functions are in functions/.
-- Written by `python -m tests.tables.write_schema`; a test compares it with the migrations.

-- schema auth
CREATE SCHEMA auth;

-- schema payments
CREATE SCHEMA payments;

-- schema system
CREATE SCHEMA system;

-- domain checkout_mode
CREATE DOMAIN payments.checkout_mode AS text
	CONSTRAINT checkout_mode_check CHECK ((VALUE = ANY (ARRAY['payment'::text, 'subscription'::text])));

-- domain checkout_payment_status
CREATE DOMAIN payments.checkout_payment_status AS text
	CONSTRAINT checkout_payment_status_check CHECK ((VALUE = ANY (ARRAY['paid'::text, 'unpaid'::text, 'no_payment_required'::text])));

-- domain checkout_status
CREATE DOMAIN payments.checkout_status AS text
	CONSTRAINT checkout_status_check CHECK ((VALUE = ANY (ARRAY['initialized'::text, 'open'::text, 'completed'::text, 'expired'::text, 'failed'::text])));

-- domain environment_name
CREATE DOMAIN payments.environment_name AS text
	CONSTRAINT environment_name_check CHECK ((VALUE = ANY (ARRAY['test'::text, 'live'::text])));

-- domain processing_status
CREATE DOMAIN payments.processing_status AS text
	CONSTRAINT processing_status_check CHECK ((VALUE = ANY (ARRAY['pending'::text, 'processed'::text, 'failed'::text, 'ignored'::text])));

-- domain provider_name
CREATE DOMAIN payments.provider_name AS text
	CONSTRAINT provider_name_check CHECK ((VALUE ~ '^[a-z][a-z0-9_]*$'::text));

-- type told_transaction
CREATE TYPE payments.told_transaction AS (
	type text,
	status text,
	subject_type text,
	subject_id text,
	subject_by_customer boolean,
	customer_id text,
	email text,
	object_type text,
	object_id text,
	raw_type text,
	raw_id text,
	parent_type text,
	parent_id text,
	replaces jsonb,
	related jsonb,
	amount bigint,
	amount_refunded bigint,
	amount_disputed bigint,
	amount_lost bigint,
	currency text,
	description text,
	paid_at bigint,
	failed_at bigint,
	refunded_at bigint,
	created bigint,
	gone boolean
);

-- domain transaction_status
CREATE DOMAIN payments.transaction_status AS text
	CONSTRAINT transaction_status_check CHECK ((VALUE = ANY (ARRAY['succeeded'::text, 'failed'::text, 'pending'::text, 'refunded'::text, 'partially_refunded'::text])));

-- domain transaction_type
CREATE DOMAIN payments.transaction_type AS text
	CONSTRAINT transaction_type_check CHECK ((VALUE = ANY (ARRAY['one_time_payment'::text, 'subscription_invoice'::text, 'refund'::text, 'failed_payment'::text])));

-- function email()
CREATE FUNCTION auth.email() RETURNS text
    LANGUAGE sql STABLE
    AS $$ select auth.jwt() ->> 'email' $$;

-- function jwt()
CREATE FUNCTION auth.jwt() RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select nullif(current_setting('request.jwt.claims', true), '')::jsonb
$$;

-- function role()
CREATE FUNCTION auth.role() RETURNS text
    LANGUAGE sql STABLE
    AS $$ select auth.jwt() ->> 'role' $$;

-- function uid()
CREATE FUNCTION auth.uid() RETURNS uuid
    LANGUAGE sql STABLE
    AS $_$
    select case
        when auth.jwt() ->> 'sub' ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
        then (auth.jwt() ->> 'sub')::uuid
    end
$_$;

-- function caller_scope()
CREATE FUNCTION payments.caller_scope() RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select nullif(current_setting('paygres.caller_scope', true), '')
$$;

-- function can_bill(text, text)
CREATE FUNCTION payments.can_bill(subject_type text, subject_id text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select coalesce(can_bill.subject_type = 'user' and can_bill.subject_id = auth.jwt() ->> 'sub', false)
$$;

-- function can_view_billing(text, text)
CREATE FUNCTION payments.can_view_billing(subject_type text, subject_id text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select payments.can_bill(can_view_billing.subject_type, can_view_billing.subject_id)
$$;

-- function capability()
CREATE FUNCTION payments.capability() RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
    select nullif(current_setting('paygres.capability', true), '')
$$;

-- table customers
CREATE TABLE payments.customers (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    account_id text DEFAULT ''::text NOT NULL,
    provider text NOT NULL,
    provider_customer_id text NOT NULL,
    email text,
    name text,
    phone text,
    deleted boolean DEFAULT false NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    raw jsonb DEFAULT '{}'::jsonb NOT NULL,
    provider_created_at timestamp with time zone,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    payment_method_id text,
    payment_method_brand text,
    payment_method_last4 text,
    country_code text,
    CONSTRAINT customers_check CHECK ((((environment)::payments.environment_name IS NOT NULL) AND ((provider)::payments.provider_name IS NOT NULL)))
)
WITH (toast_tuple_target='8160');

-- table webhook_events
CREATE TABLE payments.webhook_events (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    provider text NOT NULL,
    provider_event_id text NOT NULL,
    event_type text NOT NULL,
    livemode boolean NOT NULL,
    provider_account_id text,
    object_type text,
    object_id text,
    processing_status text DEFAULT 'pending'::text NOT NULL,
    attempt_count integer DEFAULT 0 NOT NULL,
    last_error text,
    payload jsonb NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    processed_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT webhook_events_check CHECK ((((environment)::payments.environment_name IS NOT NULL) AND ((provider)::payments.provider_name IS NOT NULL) AND ((processing_status)::payments.processing_status IS NOT NULL)))
)
WITH (toast_tuple_target='8160');

-- function forget_checkout_attempt()
CREATE FUNCTION payments.forget_checkout_attempt() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    delete from payments.checkout_attempts a where a.id = old.id;
    return null;
end $$;

-- table fulfillments
CREATE TABLE payments.fulfillments (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    account_id text DEFAULT ''::text NOT NULL,
    rule text NOT NULL,
    payment_key text NOT NULL,
    key text,
    status text NOT NULL,
    reason text,
    subject_type text,
    subject_id text,
    event_id text NOT NULL,
    event_type text NOT NULL,
    checkout_session_id uuid,
    expected_amount bigint,
    expected_currency text,
    expected_items jsonb,
    amount bigint,
    currency text,
    items jsonb,
    amount_paid bigint DEFAULT 0 NOT NULL,
    amount_kept bigint DEFAULT 0 NOT NULL,
    share_kept numeric GENERATED ALWAYS AS (
CASE
    WHEN (amount_paid > 0) THEN ((amount_kept)::numeric / (amount_paid)::numeric)
    WHEN (status = 'reversed'::text) THEN (0)::numeric
    ELSE (1)::numeric
END) STORED NOT NULL,
    granted_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT fulfillments_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text]))),
    CONSTRAINT fulfillments_rule_check CHECK ((rule <> ''::text)),
    CONSTRAINT fulfillments_status_check CHECK ((status = ANY (ARRAY['granted'::text, 'reversed'::text, 'quarantined'::text, 'released'::text])))
);

-- table stripe_subscriptions
CREATE TABLE payments.stripe_subscriptions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    account_id text DEFAULT ''::text NOT NULL,
    subscription_id text NOT NULL,
    customer_id text NOT NULL,
    subject_type text,
    subject_id text,
    status text NOT NULL,
    current_period_start timestamp with time zone,
    current_period_end timestamp with time zone,
    cancel_at_period_end boolean DEFAULT false NOT NULL,
    cancel_at timestamp with time zone,
    canceled_at timestamp with time zone,
    trial_start timestamp with time zone,
    trial_end timestamp with time zone,
    latest_invoice_id text,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    raw jsonb DEFAULT '{}'::jsonb NOT NULL,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT stripe_subscriptions_check CHECK (((environment)::payments.environment_name IS NOT NULL))
)
WITH (toast_tuple_target='8160');

-- table stripe_checkout_sessions
CREATE TABLE payments.stripe_checkout_sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    mode text NOT NULL,
    status text DEFAULT 'initialized'::text NOT NULL,
    payment_status text,
    subject_type text,
    subject_id text,
    customer_email text,
    line_items jsonb DEFAULT '[]'::jsonb NOT NULL,
    success_url text NOT NULL,
    cancel_url text NOT NULL,
    idempotency_key text,
    request_hash text,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    checkout_session_id text,
    customer_id text,
    payment_intent_id text,
    subscription_id text,
    url text,
    last_error text,
    raw jsonb DEFAULT '{}'::jsonb NOT NULL,
    account_id text DEFAULT ''::text NOT NULL,
    created_by text,
    caller_scope text DEFAULT ''::text NOT NULL,
    generation integer DEFAULT 1 NOT NULL,
    currency text,
    amount_subtotal bigint,
    attempt integer DEFAULT 1 NOT NULL,
    leased_until timestamp with time zone,
    expires_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    superseded_by uuid,
    superseded_by_subscription text,
    CONSTRAINT stripe_checkout_sessions_check CHECK ((((environment)::payments.environment_name IS NOT NULL) AND ((mode)::payments.checkout_mode IS NOT NULL) AND ((status)::payments.checkout_status IS NOT NULL) AND ((payment_status IS NULL) OR ((payment_status)::payments.checkout_payment_status IS NOT NULL)) AND (jsonb_typeof(line_items) = 'array'::text)))
)
WITH (toast_tuple_target='8160');
ALTER TABLE ONLY payments.stripe_checkout_sessions FORCE ROW LEVEL SECURITY;

-- table transactions
CREATE TABLE payments.transactions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    account_id text DEFAULT ''::text NOT NULL,
    provider text NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    subject_type text,
    subject_id text,
    provider_customer_id text,
    customer_email_snapshot text,
    provider_object_type text,
    provider_object_id text,
    provider_parent_object_type text,
    provider_parent_object_id text,
    related_object_ids jsonb DEFAULT '{}'::jsonb NOT NULL,
    amount bigint,
    amount_refunded bigint DEFAULT 0 NOT NULL,
    currency text,
    description text,
    paid_at timestamp with time zone,
    failed_at timestamp with time zone,
    refunded_at timestamp with time zone,
    provider_created_at timestamp with time zone DEFAULT now() NOT NULL,
    raw jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    amount_disputed bigint DEFAULT 0 NOT NULL,
    amount_lost bigint DEFAULT 0 NOT NULL,
    subject_by_customer boolean DEFAULT false NOT NULL,
    CONSTRAINT transactions_check CHECK ((((environment)::payments.environment_name IS NOT NULL) AND ((provider)::payments.provider_name IS NOT NULL) AND ((type)::payments.transaction_type IS NOT NULL) AND ((status)::payments.transaction_status IS NOT NULL)))
)
WITH (toast_tuple_target='8160', fillfactor='70');

-- function update_updated_at()
CREATE FUNCTION system.update_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    new.updated_at := now();
    return new;
end $$;

-- table users
CREATE TABLE auth.users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    password text,
    email_verified boolean DEFAULT false NOT NULL,
    profile jsonb,
    metadata jsonb,
    is_project_admin boolean DEFAULT false NOT NULL,
    is_anonymous boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

-- table attention
CREATE TABLE payments.attention (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    account_id text DEFAULT ''::text NOT NULL,
    reason text NOT NULL,
    object_type text NOT NULL,
    object_id text NOT NULL,
    subject_type text,
    subject_id text,
    message text NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    opened_at timestamp with time zone DEFAULT now() NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT attention_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])))
);

-- view broken_amounts
CREATE VIEW payments.broken_amounts WITH (security_invoker='true') AS
 SELECT environment,
    jsonb_build_object('id', provider_object_id, 'amount', amount, 'currency', currency) AS found
   FROM payments.transactions t
  WHERE ((amount < 0) OR (amount_refunded < 0) OR (amount_lost < 0) OR ((status = ANY (ARRAY['succeeded'::text, 'refunded'::text, 'partially_refunded'::text])) AND ((amount IS NULL) OR (currency IS NULL))));

-- table stripe_snapshots
CREATE TABLE payments.stripe_snapshots (
    seq bigint NOT NULL,
    environment text NOT NULL,
    account_id text NOT NULL,
    object_type text NOT NULL,
    object_id text NOT NULL,
    as_of bigint NOT NULL,
    source text NOT NULL,
    event_id text,
    event_type text,
    payload text NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    left_out boolean DEFAULT false NOT NULL
)
WITH (toast_tuple_target='8160');

-- view broken_checkouts
CREATE VIEW payments.broken_checkouts WITH (security_invoker='true') AS
 SELECT environment,
    jsonb_build_object('id', id, 'checkoutSessionId', checkout_session_id, 'updatedAt', updated_at) AS found
   FROM payments.stripe_checkout_sessions s
  WHERE ((status = 'completed'::text) AND (payment_status = ANY (ARRAY['paid'::text, 'no_payment_required'::text])) AND (updated_at < (now() - '00:10:00'::interval)) AND (NOT (EXISTS ( SELECT
           FROM payments.stripe_snapshots e
          WHERE ((e.object_id = s.checkout_session_id) AND (e.object_type = 'checkout.session'::text) AND (e.environment = s.environment) AND (e.source = 'event'::text))))));

-- table event_queue
CREATE TABLE payments.event_queue (
    environment text NOT NULL,
    event_id text NOT NULL,
    status text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone,
    leased_until timestamp with time zone,
    last_error text,
    reason text,
    deadline timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    replayed boolean DEFAULT false NOT NULL,
    waits_for text[],
    watermark bigint
);

-- view broken_dead
CREATE VIEW payments.broken_dead WITH (security_invoker='true') AS
 SELECT environment,
    jsonb_build_object('event', event_id, 'attempts', attempts, 'reason', last_error) AS found
   FROM payments.event_queue q
  WHERE (next_attempt_at IS NULL);

-- table stripe_objects
CREATE TABLE payments.stripe_objects (
    environment text NOT NULL,
    account_id text NOT NULL,
    object_type text NOT NULL,
    object_id text NOT NULL,
    as_of bigint NOT NULL,
    source text NOT NULL,
    event_id text,
    deleted boolean DEFAULT false NOT NULL,
    undecided boolean DEFAULT false NOT NULL,
    payment_key text,
    paid_at bigint,
    failed_at bigint,
    refunded_at bigint,
    raw jsonb NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (toast_tuple_target='8160', fillfactor='70');

-- view broken_grant_money
CREATE VIEW payments.broken_grant_money WITH (security_invoker='true') AS
 SELECT f.environment,
    jsonb_build_object('fulfillment', f.id, 'rule', f.rule, 'key', f.key, 'paymentKey', f.payment_key) AS found
   FROM (payments.fulfillments f
     LEFT JOIN LATERAL ( SELECT bool_or((t.status = ANY (ARRAY['succeeded'::text, 'refunded'::text, 'partially_refunded'::text]))) AS came
           FROM (payments.stripe_objects o
             JOIN payments.transactions t ON (((t.provider = 'stripe'::text) AND (t.environment = o.environment) AND ((t.provider_object_id = o.object_id) OR (t.provider_object_id = o.payment_key)))))
          WHERE ((o.payment_key = f.payment_key) AND (o.environment = f.environment))) money ON (true))
  WHERE ((f.granted_at IS NOT NULL) AND (f.status <> 'reversed'::text) AND (f.amount_paid > 0) AND (money.came IS NOT TRUE));

-- table payment_invoices
CREATE TABLE payments.payment_invoices (
    environment text NOT NULL,
    payment_intent_id text NOT NULL,
    invoice_id text NOT NULL,
    invoice_payment_id text DEFAULT ''::text NOT NULL
);

-- view broken_grants
CREATE VIEW payments.broken_grants WITH (security_invoker='true') AS
 SELECT f.environment,
    jsonb_build_object('rule', f.rule, 'paymentKeys', jsonb_build_array(f.payment_key, other.payment_key)) AS found
   FROM ((payments.fulfillments f
     JOIN payments.payment_invoices i ON (((i.payment_intent_id = f.payment_key) AND (i.environment = f.environment))))
     JOIN payments.fulfillments other ON (((other.payment_key = i.invoice_id) AND (other.rule = f.rule) AND (other.environment = f.environment))))
  WHERE ((f.granted_at IS NOT NULL) AND (other.granted_at IS NOT NULL) AND (('reversed'::text <> f.status) AND ('reversed'::text <> other.status)));

-- table customer_mappings
CREATE TABLE payments.customer_mappings (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    account_id text DEFAULT ''::text NOT NULL,
    provider text NOT NULL,
    subject_type text NOT NULL,
    subject_id text NOT NULL,
    provider_customer_id text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT customer_mappings_check CHECK ((((environment)::payments.environment_name IS NOT NULL) AND ((provider)::payments.provider_name IS NOT NULL)))
);

-- view broken_mappings
CREATE VIEW payments.broken_mappings WITH (security_invoker='true') AS
 SELECT m.environment,
    jsonb_build_object('subject', ((m.subject_type || ':'::text) || m.subject_id), 'customer', m.provider_customer_id) AS found
   FROM (payments.customer_mappings m
     JOIN payments.customers c ON (((c.provider = m.provider) AND (c.environment = m.environment) AND (c.provider_customer_id = m.provider_customer_id))))
  WHERE c.deleted;

-- table outbox
CREATE TABLE payments.outbox (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    destination_id uuid NOT NULL,
    environment text NOT NULL,
    type text NOT NULL,
    fulfillment_id uuid NOT NULL,
    content jsonb NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT now(),
    leased_until timestamp with time zone,
    delivered_at timestamp with time zone,
    last_error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

-- view broken_messages
CREATE VIEW payments.broken_messages WITH (security_invoker='true') AS
 SELECT environment,
    jsonb_build_object('message', id, 'type', type, 'fulfillment', fulfillment_id, 'lastError', last_error) AS found
   FROM payments.outbox o
  WHERE ((delivered_at IS NULL) AND (created_at < (now() - '01:00:00'::interval)));

-- view broken_payments
CREATE VIEW payments.broken_payments WITH (security_invoker='true') AS
 SELECT environment,
    jsonb_build_object('paymentIntent', (related_object_ids ->> 'payment_intent'::text), 'rows', jsonb_agg(provider_object_id ORDER BY provider_object_id)) AS found
   FROM payments.transactions t
  WHERE ((provider = 'stripe'::text) AND (type <> 'refund'::text) AND ((related_object_ids ->> 'payment_intent'::text) IS NOT NULL))
  GROUP BY environment, (related_object_ids ->> 'payment_intent'::text)
 HAVING (count(*) > 1);

-- view broken_pending
CREATE VIEW payments.broken_pending WITH (security_invoker='true') AS
 SELECT environment,
    jsonb_build_object('event', event_id, 'due', next_attempt_at, 'reason', last_error) AS found
   FROM payments.event_queue q
  WHERE (next_attempt_at < (now() - '00:15:00'::interval));

-- view broken_periods
CREATE VIEW payments.broken_periods WITH (security_invoker='true') AS
 SELECT environment,
    jsonb_build_object('subscription', subscription_id, 'currentPeriodEnd', current_period_end) AS found
   FROM payments.stripe_subscriptions s
  WHERE ((status = ANY (ARRAY['active'::text, 'trialing'::text])) AND (current_period_end < (now() - '2 days'::interval)));

-- view broken_plans
CREATE VIEW payments.broken_plans WITH (security_invoker='true') AS
 SELECT environment,
    jsonb_build_object('subscription', subscription_id, 'subject', ((subject_type || ':'::text) || subject_id)) AS found
   FROM payments.stripe_subscriptions s
  WHERE ((status = ANY (ARRAY['trialing'::text, 'active'::text, 'past_due'::text, 'unpaid'::text, 'paused'::text])) AND (subject_type IS NOT NULL) AND (EXISTS ( SELECT
           FROM payments.stripe_subscriptions first
          WHERE ((first.environment = s.environment) AND (first.subject_type = s.subject_type) AND (first.subject_id = s.subject_id) AND (first.account_id = s.account_id) AND (first.status = ANY (ARRAY['trialing'::text, 'active'::text, 'past_due'::text, 'unpaid'::text, 'paused'::text])) AND (payments.subscription_families(first.environment, first.subscription_id) && payments.subscription_families(s.environment, s.subscription_id)) AND (ROW(first.started_at, first.subscription_id) < ROW(s.started_at, s.subscription_id))))) AND (NOT (EXISTS ( SELECT
           FROM payments.attention a
          WHERE ((a.environment = s.environment) AND (a.reason = 'second_subscription'::text) AND (a.object_id = s.subscription_id))))));

-- table refetch_queue
CREATE TABLE payments.refetch_queue (
    environment text NOT NULL,
    object_type text NOT NULL,
    object_id text NOT NULL,
    reason text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT now() NOT NULL,
    leased_until timestamp with time zone,
    last_error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    only_if_unknown boolean DEFAULT false NOT NULL,
    hinted_at timestamp with time zone
);

-- view broken_refetches
CREATE VIEW payments.broken_refetches WITH (security_invoker='true') AS
 SELECT environment,
    jsonb_build_object('objectType', object_type, 'objectId', object_id, 'reason', reason, 'lastError', last_error) AS found
   FROM payments.refetch_queue r
  WHERE (created_at < (now() - '01:00:00'::interval));

-- view broken_refund_sums
CREATE VIEW payments.broken_refund_sums WITH (security_invoker='true') AS
 SELECT p.environment,
    jsonb_build_object('id', p.provider_object_id, 'amountRefunded', p.amount_refunded, 'refunds', r.total) AS found
   FROM (( SELECT t.environment,
            t.provider_parent_object_type AS parent_type,
            t.provider_parent_object_id AS parent_id,
            sum(t.amount) FILTER (WHERE (t.status = 'refunded'::text)) AS total
           FROM payments.transactions t
          WHERE ((t.provider = 'stripe'::text) AND (t.type = 'refund'::text) AND (t.provider_parent_object_id IS NOT NULL))
          GROUP BY t.environment, t.provider_parent_object_type, t.provider_parent_object_id) r
     JOIN payments.transactions p ON (((p.provider = 'stripe'::text) AND (p.environment = r.environment) AND ((p.provider_object_type = r.parent_type) AND (p.provider_object_id = r.parent_id)))))
  WHERE (COALESCE(r.total, (0)::numeric) > (p.amount_refunded)::numeric);

-- view broken_refunds
CREATE VIEW payments.broken_refunds WITH (security_invoker='true') AS
 SELECT environment,
    jsonb_build_object('id', provider_object_id, 'amount', amount, 'amountRefunded', amount_refunded, 'amountLost', amount_lost, 'currency', currency) AS found
   FROM payments.transactions t
  WHERE ((type <> 'refund'::text) AND ((amount_refunded > amount) OR (amount_lost > amount)));

-- view broken_reversals
CREATE VIEW payments.broken_reversals WITH (security_invoker='true') AS
 SELECT f.environment,
    jsonb_build_object('fulfillment', f.id, 'rule', f.rule, 'key', f.key, 'amountKept', f.amount_kept, 'shouldKeep', money.amount_kept) AS found
   FROM (payments.fulfillments f
     CROSS JOIN LATERAL payments.money_of(f.environment, f.payment_key) money(amount_paid, amount_kept, subject_type, subject_id))
  WHERE ((f.granted_at IS NOT NULL) AND (f.status <> 'quarantined'::text) AND (f.amount_kept IS DISTINCT FROM money.amount_kept) AND (money.amount_kept IS NOT NULL) AND (f.updated_at < (now() - '00:02:00'::interval)));

-- view broken_starts
CREATE VIEW payments.broken_starts WITH (security_invoker='true') AS
 SELECT environment,
    jsonb_build_object('id', id, 'status', status, 'createdAt', created_at) AS found
   FROM payments.stripe_checkout_sessions s
  WHERE ((status = 'initialized'::text) AND (created_at < (now() - '01:00:00'::interval)));

-- view broken_subjects
CREATE VIEW payments.broken_subjects WITH (security_invoker='true') AS
 SELECT environment,
    jsonb_build_object('subscription', subscription_id, 'customer', customer_id) AS found
   FROM payments.stripe_subscriptions s
  WHERE ((status = ANY (ARRAY['trialing'::text, 'active'::text, 'past_due'::text, 'unpaid'::text, 'paused'::text])) AND (subject_type IS NULL) AND (NOT (EXISTS ( SELECT
           FROM payments.attention a
          WHERE ((a.environment = s.environment) AND (a.closed_at IS NULL) AND (a.object_id = ANY (ARRAY[s.subscription_id, s.customer_id])))))));

-- table provider_connections
CREATE TABLE payments.provider_connections (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    provider text NOT NULL,
    status text DEFAULT 'unconfigured'::text NOT NULL,
    provider_account_id text,
    account_email text,
    account_name text,
    account_livemode boolean,
    webhook_endpoint_id text,
    webhook_endpoint_url text,
    webhook_configured_at timestamp with time zone,
    last_synced_at timestamp with time zone,
    last_sync_status text,
    last_sync_error text,
    last_sync_counts jsonb DEFAULT '{}'::jsonb NOT NULL,
    raw jsonb DEFAULT '{}'::jsonb NOT NULL,
    connected_at timestamp with time zone,
    webhook_error text,
    sync_leased_until timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    webhook_status text,
    webhook_problems jsonb DEFAULT '[]'::jsonb NOT NULL,
    webhook_checked_at timestamp with time zone,
    webhook_check_due timestamp with time zone,
    webhook_checked_for text,
    CONSTRAINT provider_connections_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text]))),
    CONSTRAINT provider_connections_last_sync_status_check CHECK ((last_sync_status = ANY (ARRAY['succeeded'::text, 'failed'::text]))),
    CONSTRAINT provider_connections_provider_check CHECK ((provider ~ '^[a-z][a-z0-9_]*$'::text)),
    CONSTRAINT provider_connections_status_check CHECK ((status = ANY (ARRAY['unconfigured'::text, 'connected'::text, 'error'::text]))),
    CONSTRAINT provider_connections_webhook_status_check CHECK ((webhook_status = ANY (ARRAY['ok'::text, 'problem'::text, 'unknown'::text])))
);

-- table sweeps
CREATE TABLE payments.sweeps (
    environment text NOT NULL,
    account_id text NOT NULL,
    complete_from bigint NOT NULL,
    complete_through bigint NOT NULL,
    wanted_since bigint,
    short_due timestamp with time zone DEFAULT (now() + '00:01:00'::interval) NOT NULL,
    long_due timestamp with time zone DEFAULT (now() + '01:00:00'::interval) NOT NULL,
    holder uuid,
    leased_until timestamp with time zone,
    swept_at timestamp with time zone,
    error text,
    listed bigint DEFAULT 0 NOT NULL,
    missing bigint DEFAULT 0 NOT NULL,
    CONSTRAINT sweeps_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])))
);

-- view broken_sweeps
CREATE VIEW payments.broken_sweeps WITH (security_invoker='true') AS
 SELECT s.environment,
    jsonb_build_object('completeThrough', payments.unix(s.complete_through), 'error', s.error) AS found
   FROM (payments.sweeps s
     JOIN payments.provider_connections c ON (((c.provider = 'stripe'::text) AND (c.environment = s.environment) AND (c.provider_account_id = s.account_id) AND (c.status = 'connected'::text))))
  WHERE (payments.unix(s.complete_through) < (now() - '00:15:00'::interval));

-- table chain_gaps
CREATE TABLE payments.chain_gaps (
    environment text NOT NULL,
    object_type text NOT NULL,
    object_id text NOT NULL,
    event_id text NOT NULL,
    as_of bigint NOT NULL,
    before_as_of bigint NOT NULL,
    noticed_at timestamp with time zone DEFAULT now() NOT NULL,
    look_at timestamp with time zone DEFAULT (now() + '00:00:15'::interval) NOT NULL,
    looks integer DEFAULT 0 NOT NULL
);

-- table checkout_attempts
CREATE TABLE payments.checkout_attempts (
    id uuid NOT NULL,
    params text NOT NULL,
    attempt integer DEFAULT 1 NOT NULL,
    leased_until timestamp with time zone
);

-- table checkout_options
CREATE TABLE payments.checkout_options (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    price_id text,
    allow_promotion_codes boolean,
    automatic_tax boolean,
    tax_id_collection boolean,
    phone_number_collection boolean,
    billing_address_collection text,
    locale text,
    adjustable_quantity boolean,
    expires_after_minutes integer,
    trial_period_days integer,
    payment_method_collection text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT checkout_options_billing_address_collection_check CHECK ((billing_address_collection = ANY (ARRAY['auto'::text, 'required'::text]))),
    CONSTRAINT checkout_options_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text]))),
    CONSTRAINT checkout_options_expires_after_minutes_check CHECK (((expires_after_minutes >= 30) AND (expires_after_minutes <= 1440))),
    CONSTRAINT checkout_options_payment_method_collection_check CHECK ((payment_method_collection = ANY (ARRAY['always'::text, 'if_required'::text]))),
    CONSTRAINT checkout_options_trial_period_days_check CHECK (((trial_period_days >= 1) AND (trial_period_days <= 730)))
);

-- table destinations
CREATE TABLE payments.destinations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    url text,
    types text[] NOT NULL,
    active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT destinations_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text]))),
    CONSTRAINT destinations_kind_check CHECK ((kind = ANY (ARRAY['webhook'::text, 'after_commit'::text])))
);

-- table event_attempts
CREATE TABLE payments.event_attempts (
    seq bigint NOT NULL,
    environment text NOT NULL,
    event_id text NOT NULL,
    attempt integer NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    outcome text NOT NULL,
    error text,
    duration_ms integer
);

-- sequence event_attempts_seq_seq
ALTER TABLE payments.event_attempts ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME payments.event_attempts_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- table event_renderings
CREATE TABLE payments.event_renderings (
    environment text NOT NULL,
    event_id text NOT NULL,
    payload text NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);

-- table guest_counts
CREATE UNLOGGED TABLE payments.guest_counts (
    minute timestamp with time zone NOT NULL,
    network text NOT NULL,
    checkouts integer NOT NULL
);

-- table invariant_checks
CREATE TABLE payments.invariant_checks (
    environment text NOT NULL,
    name text NOT NULL,
    violations bigint NOT NULL,
    samples jsonb NOT NULL,
    since timestamp with time zone,
    checked_at timestamp with time zone NOT NULL,
    CONSTRAINT invariant_checks_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])))
);

-- table listeners
CREATE TABLE payments.listeners (
    name text NOT NULL,
    environment text,
    event_types text[] NOT NULL,
    last_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT listeners_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])))
);

-- table operator_requests
CREATE TABLE payments.operator_requests (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    account_id text DEFAULT ''::text NOT NULL,
    idempotency_key text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    request_hash text NOT NULL,
    attempt integer DEFAULT 1 NOT NULL,
    status text DEFAULT 'started'::text NOT NULL,
    answer jsonb,
    last_error text,
    actor text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT operator_requests_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text]))),
    CONSTRAINT operator_requests_status_check CHECK ((status = ANY (ARRAY['started'::text, 'succeeded'::text, 'failed'::text])))
);

-- table reconciliation_findings
CREATE TABLE payments.reconciliation_findings (
    reconciliation_id uuid NOT NULL,
    nth bigint NOT NULL,
    class text NOT NULL,
    table_name text NOT NULL,
    key text NOT NULL,
    object_type text NOT NULL,
    object_id text NOT NULL,
    columns jsonb DEFAULT '{}'::jsonb NOT NULL,
    payment_key text,
    amount bigint,
    currency text,
    fixed boolean DEFAULT false NOT NULL,
    CONSTRAINT reconciliation_findings_class_check CHECK ((class = ANY (ARRAY['missing'::text, 'stale'::text, 'extra'::text, 'unmapped'::text, 'foreign'::text])))
);

-- sequence reconciliation_findings_nth_seq
ALTER TABLE payments.reconciliation_findings ALTER COLUMN nth ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME payments.reconciliation_findings_nth_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- table reconciliation_objects
CREATE UNLOGGED TABLE payments.reconciliation_objects (
    reconciliation_id uuid NOT NULL,
    object_type text NOT NULL,
    object_id text NOT NULL,
    payment_key text,
    as_of bigint NOT NULL,
    payload text
);

-- table reconciliations
CREATE TABLE payments.reconciliations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    account_id text NOT NULL,
    status text DEFAULT 'running'::text NOT NULL,
    fix boolean NOT NULL,
    confirm boolean NOT NULL,
    objects text[] NOT NULL,
    since bigint,
    counts jsonb DEFAULT '{}'::jsonb NOT NULL,
    classes jsonb DEFAULT '{}'::jsonb NOT NULL,
    money jsonb DEFAULT '{}'::jsonb NOT NULL,
    unconfirmed jsonb DEFAULT '{}'::jsonb NOT NULL,
    error text,
    requested_by text NOT NULL,
    alive_until timestamp with time zone DEFAULT (now() + '00:00:30'::interval) NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT reconciliations_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text]))),
    CONSTRAINT reconciliations_status_check CHECK ((status = ANY (ARRAY['running'::text, 'succeeded'::text, 'failed'::text, 'interrupted'::text])))
);

-- table reversal_queue
CREATE TABLE payments.reversal_queue (
    environment text NOT NULL,
    payment_key text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT now() NOT NULL,
    leased_until timestamp with time zone,
    last_error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

-- table stripe_customer_portal_sessions
CREATE TABLE payments.stripe_customer_portal_sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    status text DEFAULT 'initialized'::text NOT NULL,
    subject_type text NOT NULL,
    subject_id text NOT NULL,
    customer_id text,
    return_url text,
    configuration_id text,
    url text,
    last_error text,
    raw jsonb DEFAULT '{}'::jsonb NOT NULL,
    account_id text DEFAULT ''::text NOT NULL,
    created_by text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT stripe_customer_portal_sessions_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text]))),
    CONSTRAINT stripe_customer_portal_sessions_status_check CHECK ((status = ANY (ARRAY['initialized'::text, 'created'::text, 'failed'::text])))
);
ALTER TABLE ONLY payments.stripe_customer_portal_sessions FORCE ROW LEVEL SECURITY;

-- table stripe_prices
CREATE TABLE payments.stripe_prices (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    account_id text DEFAULT ''::text NOT NULL,
    price_id text NOT NULL,
    product_id text,
    active boolean NOT NULL,
    currency text NOT NULL,
    unit_amount bigint,
    unit_amount_decimal text,
    type text NOT NULL,
    lookup_key text,
    billing_scheme text,
    tax_behavior text,
    recurring_interval text,
    recurring_interval_count integer,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    raw jsonb DEFAULT '{}'::jsonb NOT NULL,
    deleted boolean DEFAULT false NOT NULL,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT stripe_prices_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])))
)
WITH (toast_tuple_target='8160');

-- table stripe_products
CREATE TABLE payments.stripe_products (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    account_id text DEFAULT ''::text NOT NULL,
    product_id text NOT NULL,
    name text NOT NULL,
    description text,
    active boolean NOT NULL,
    default_price_id text,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    raw jsonb DEFAULT '{}'::jsonb NOT NULL,
    deleted boolean DEFAULT false NOT NULL,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT stripe_products_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])))
)
WITH (toast_tuple_target='8160');

-- sequence stripe_snapshots_seq_seq
ALTER TABLE payments.stripe_snapshots ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME payments.stripe_snapshots_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- table stripe_subscription_items
CREATE TABLE payments.stripe_subscription_items (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    account_id text DEFAULT ''::text NOT NULL,
    subscription_item_id text NOT NULL,
    subscription_id text NOT NULL,
    product_id text,
    price_id text,
    quantity bigint,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    raw jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    provider_created_at timestamp with time zone GENERATED ALWAYS AS (COALESCE(
CASE
    WHEN (jsonb_typeof((raw -> 'created'::text)) = 'number'::text) THEN to_timestamp(((raw ->> 'created'::text))::double precision)
    ELSE NULL::timestamp with time zone
END, created_at)) STORED NOT NULL,
    CONSTRAINT stripe_subscription_items_check CHECK (((environment)::payments.environment_name IS NOT NULL))
)
WITH (toast_tuple_target='8160');

-- table subject_customers
CREATE TABLE payments.subject_customers (
    environment text NOT NULL,
    account_id text NOT NULL,
    subject_type text NOT NULL,
    subject_id text NOT NULL,
    customer_id text NOT NULL,
    since bigint NOT NULL,
    evidence_id text CONSTRAINT subject_customers_checkout_session_id_not_null NOT NULL,
    by_operator boolean DEFAULT false NOT NULL
);

-- table sync_windows
CREATE TABLE payments.sync_windows (
    sync_id uuid NOT NULL,
    listing text NOT NULL,
    nth integer NOT NULL,
    created_from bigint,
    created_to bigint,
    last_id text,
    reached bigint,
    seen integer DEFAULT 0 NOT NULL,
    pages integer DEFAULT 0 NOT NULL,
    done boolean DEFAULT false NOT NULL,
    as_of bigint
);

-- table syncs
CREATE TABLE payments.syncs (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    environment text NOT NULL,
    account_id text NOT NULL,
    status text DEFAULT 'running'::text NOT NULL,
    objects text[] NOT NULL,
    confirm_missing boolean DEFAULT false NOT NULL,
    counts jsonb DEFAULT '{}'::jsonb NOT NULL,
    missing jsonb DEFAULT '{}'::jsonb NOT NULL,
    error text,
    requested_by text DEFAULT ''::text NOT NULL,
    holder uuid NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT syncs_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text]))),
    CONSTRAINT syncs_status_check CHECK ((status = ANY (ARRAY['running'::text, 'succeeded'::text, 'failed'::text])))
);

-- table api_keys
CREATE TABLE system.api_keys (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    hash text NOT NULL,
    value text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    CONSTRAINT api_keys_check CHECK (((kind = 'anon'::text) OR (value IS NULL))),
    CONSTRAINT api_keys_kind_check CHECK ((kind = ANY (ARRAY['api'::text, 'anon'::text])))
);

-- table audit_log
CREATE TABLE system.audit_log (
    seq bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    environment text,
    target text,
    reason text,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    request_id text
);

-- sequence audit_log_seq_seq
ALTER TABLE system.audit_log ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME system.audit_log_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

-- table installation
CREATE TABLE system.installation (
    only_row boolean DEFAULT true NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    past_due_grace interval DEFAULT '7 days'::interval NOT NULL,
    CONSTRAINT installation_only_row_check CHECK (only_row)
);

-- table migrations
CREATE TABLE system.migrations (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

-- table secrets
CREATE TABLE system.secrets (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    key text NOT NULL,
    value_ciphertext text NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    is_reserved boolean DEFAULT false NOT NULL,
    last_used_at timestamp with time zone,
    expires_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

-- table sign_in_counts
CREATE UNLOGGED TABLE system.sign_in_counts (
    key text NOT NULL,
    until timestamp with time zone NOT NULL,
    attempts integer NOT NULL
);

-- table sign_ins
CREATE TABLE system.sign_ins (
    id uuid NOT NULL,
    kind text NOT NULL,
    sub text NOT NULL,
    token_hash bytea NOT NULL,
    replaced_hashes bytea[] DEFAULT '{}'::bytea[] NOT NULL,
    replaced_at timestamp with time zone[] DEFAULT '{}'::timestamp with time zone[] NOT NULL,
    credential bytea,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    used_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    revoked_because text,
    CONSTRAINT sign_ins_kind_check CHECK ((kind = ANY (ARRAY['user'::text, 'admin'::text]))),
    CONSTRAINT sign_ins_revoked_because_check CHECK ((revoked_because = ANY (ARRAY['signed_out'::text, 'reused'::text, 'by_admin'::text, 'user_deleted'::text])))
);

-- constraint users users_email_key
ALTER TABLE ONLY auth.users
    ADD CONSTRAINT users_email_key UNIQUE (email);

-- constraint users users_pkey
ALTER TABLE ONLY auth.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

-- constraint attention attention_pkey
ALTER TABLE ONLY payments.attention
    ADD CONSTRAINT attention_pkey PRIMARY KEY (id);

-- constraint chain_gaps chain_gaps_pkey
ALTER TABLE ONLY payments.chain_gaps
    ADD CONSTRAINT chain_gaps_pkey PRIMARY KEY (event_id, environment);

-- constraint checkout_attempts checkout_attempts_pkey
ALTER TABLE ONLY payments.checkout_attempts
    ADD CONSTRAINT checkout_attempts_pkey PRIMARY KEY (id);

-- constraint checkout_options checkout_options_environment_price_id_key
ALTER TABLE ONLY payments.checkout_options
    ADD CONSTRAINT checkout_options_environment_price_id_key UNIQUE NULLS NOT DISTINCT (environment, price_id);

-- constraint checkout_options checkout_options_pkey
ALTER TABLE ONLY payments.checkout_options
    ADD CONSTRAINT checkout_options_pkey PRIMARY KEY (id);

-- constraint customer_mappings customer_mappings_customer
ALTER TABLE ONLY payments.customer_mappings
    ADD CONSTRAINT customer_mappings_customer UNIQUE (provider_customer_id, environment, provider);

-- constraint customer_mappings customer_mappings_pkey
ALTER TABLE ONLY payments.customer_mappings
    ADD CONSTRAINT customer_mappings_pkey PRIMARY KEY (id);

-- constraint customer_mappings customer_mappings_subject
ALTER TABLE ONLY payments.customer_mappings
    ADD CONSTRAINT customer_mappings_subject UNIQUE (subject_id, subject_type, environment, provider);

-- constraint customers customers_pkey
ALTER TABLE ONLY payments.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (id);

-- constraint destinations destinations_environment_kind_name_key
ALTER TABLE ONLY payments.destinations
    ADD CONSTRAINT destinations_environment_kind_name_key UNIQUE (environment, kind, name);

-- constraint destinations destinations_pkey
ALTER TABLE ONLY payments.destinations
    ADD CONSTRAINT destinations_pkey PRIMARY KEY (id);

-- constraint event_attempts event_attempts_pkey
ALTER TABLE ONLY payments.event_attempts
    ADD CONSTRAINT event_attempts_pkey PRIMARY KEY (seq);

-- constraint event_queue event_queue_pkey
ALTER TABLE ONLY payments.event_queue
    ADD CONSTRAINT event_queue_pkey PRIMARY KEY (event_id, environment);

-- constraint event_renderings event_renderings_pkey
ALTER TABLE ONLY payments.event_renderings
    ADD CONSTRAINT event_renderings_pkey PRIMARY KEY (environment, event_id);

-- constraint fulfillments fulfillments_payment_key_rule_environment_key
ALTER TABLE ONLY payments.fulfillments
    ADD CONSTRAINT fulfillments_payment_key_rule_environment_key UNIQUE (payment_key, rule, environment);

-- constraint fulfillments fulfillments_pkey
ALTER TABLE ONLY payments.fulfillments
    ADD CONSTRAINT fulfillments_pkey PRIMARY KEY (id);

-- constraint guest_counts guest_counts_pkey
ALTER TABLE ONLY payments.guest_counts
    ADD CONSTRAINT guest_counts_pkey PRIMARY KEY (minute, network);

-- constraint invariant_checks invariant_checks_pkey
ALTER TABLE ONLY payments.invariant_checks
    ADD CONSTRAINT invariant_checks_pkey PRIMARY KEY (environment, name);

-- constraint listeners listeners_pkey
ALTER TABLE ONLY payments.listeners
    ADD CONSTRAINT listeners_pkey PRIMARY KEY (name);

-- constraint operator_requests operator_requests_pkey
ALTER TABLE ONLY payments.operator_requests
    ADD CONSTRAINT operator_requests_pkey PRIMARY KEY (id);

-- constraint outbox outbox_pkey
ALTER TABLE ONLY payments.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);

-- constraint payment_invoices payment_invoices_pkey
ALTER TABLE ONLY payments.payment_invoices
    ADD CONSTRAINT payment_invoices_pkey PRIMARY KEY (payment_intent_id, environment);

-- constraint provider_connections provider_connections_pkey
ALTER TABLE ONLY payments.provider_connections
    ADD CONSTRAINT provider_connections_pkey PRIMARY KEY (id);

-- constraint provider_connections provider_connections_provider_environment_key
ALTER TABLE ONLY payments.provider_connections
    ADD CONSTRAINT provider_connections_provider_environment_key UNIQUE (provider, environment);

-- constraint reconciliation_findings reconciliation_findings_pkey
ALTER TABLE ONLY payments.reconciliation_findings
    ADD CONSTRAINT reconciliation_findings_pkey PRIMARY KEY (reconciliation_id, nth);

-- constraint reconciliation_objects reconciliation_objects_pkey
ALTER TABLE ONLY payments.reconciliation_objects
    ADD CONSTRAINT reconciliation_objects_pkey PRIMARY KEY (reconciliation_id, object_type, object_id);

-- constraint reconciliations reconciliations_pkey
ALTER TABLE ONLY payments.reconciliations
    ADD CONSTRAINT reconciliations_pkey PRIMARY KEY (id);

-- constraint refetch_queue refetch_queue_pkey
ALTER TABLE ONLY payments.refetch_queue
    ADD CONSTRAINT refetch_queue_pkey PRIMARY KEY (object_id, object_type, environment);

-- constraint reversal_queue reversal_queue_pkey
ALTER TABLE ONLY payments.reversal_queue
    ADD CONSTRAINT reversal_queue_pkey PRIMARY KEY (payment_key, environment);

-- constraint stripe_checkout_sessions stripe_checkout_sessions_pkey
ALTER TABLE ONLY payments.stripe_checkout_sessions
    ADD CONSTRAINT stripe_checkout_sessions_pkey PRIMARY KEY (id);

-- constraint stripe_customer_portal_sessions stripe_customer_portal_sessions_pkey
ALTER TABLE ONLY payments.stripe_customer_portal_sessions
    ADD CONSTRAINT stripe_customer_portal_sessions_pkey PRIMARY KEY (id);

-- constraint stripe_objects stripe_objects_pkey
ALTER TABLE ONLY payments.stripe_objects
    ADD CONSTRAINT stripe_objects_pkey PRIMARY KEY (object_id, object_type, environment);

-- constraint stripe_prices stripe_prices_pkey
ALTER TABLE ONLY payments.stripe_prices
    ADD CONSTRAINT stripe_prices_pkey PRIMARY KEY (id);

-- constraint stripe_products stripe_products_pkey
ALTER TABLE ONLY payments.stripe_products
    ADD CONSTRAINT stripe_products_pkey PRIMARY KEY (id);

-- constraint stripe_snapshots stripe_snapshots_pkey
ALTER TABLE ONLY payments.stripe_snapshots
    ADD CONSTRAINT stripe_snapshots_pkey PRIMARY KEY (seq);

-- constraint stripe_subscription_items stripe_subscription_items_pkey
ALTER TABLE ONLY payments.stripe_subscription_items
    ADD CONSTRAINT stripe_subscription_items_pkey PRIMARY KEY (id);

-- constraint stripe_subscriptions stripe_subscriptions_pkey
ALTER TABLE ONLY payments.stripe_subscriptions
    ADD CONSTRAINT stripe_subscriptions_pkey PRIMARY KEY (id);

-- constraint subject_customers subject_customers_pkey
ALTER TABLE ONLY payments.subject_customers
    ADD CONSTRAINT subject_customers_pkey PRIMARY KEY (subject_id, subject_type, environment, customer_id);

-- constraint sweeps sweeps_pkey
ALTER TABLE ONLY payments.sweeps
    ADD CONSTRAINT sweeps_pkey PRIMARY KEY (environment, account_id);

-- constraint sync_windows sync_windows_pkey
ALTER TABLE ONLY payments.sync_windows
    ADD CONSTRAINT sync_windows_pkey PRIMARY KEY (sync_id, listing, nth);

-- constraint syncs syncs_pkey
ALTER TABLE ONLY payments.syncs
    ADD CONSTRAINT syncs_pkey PRIMARY KEY (id);

-- constraint transactions transactions_pkey
ALTER TABLE ONLY payments.transactions
    ADD CONSTRAINT transactions_pkey PRIMARY KEY (id);

-- constraint webhook_events webhook_events_pkey
ALTER TABLE ONLY payments.webhook_events
    ADD CONSTRAINT webhook_events_pkey PRIMARY KEY (id);

-- constraint api_keys api_keys_hash_key
ALTER TABLE ONLY system.api_keys
    ADD CONSTRAINT api_keys_hash_key UNIQUE (hash);

-- constraint api_keys api_keys_pkey
ALTER TABLE ONLY system.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

-- constraint audit_log audit_log_pkey
ALTER TABLE ONLY system.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (seq);

-- constraint installation installation_pkey
ALTER TABLE ONLY system.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (only_row);

-- constraint migrations migrations_pkey
ALTER TABLE ONLY system.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (name);

-- constraint secrets secrets_key_key
ALTER TABLE ONLY system.secrets
    ADD CONSTRAINT secrets_key_key UNIQUE (key);

-- constraint secrets secrets_pkey
ALTER TABLE ONLY system.secrets
    ADD CONSTRAINT secrets_pkey PRIMARY KEY (id);

-- constraint sign_in_counts sign_in_counts_pkey
ALTER TABLE ONLY system.sign_in_counts
    ADD CONSTRAINT sign_in_counts_pkey PRIMARY KEY (key);

-- constraint sign_ins sign_ins_pkey
ALTER TABLE ONLY system.sign_ins
    ADD CONSTRAINT sign_ins_pkey PRIMARY KEY (id);

-- index auth_users_lower_email
CREATE INDEX auth_users_lower_email ON auth.users USING btree (lower(email));

-- index attention_listed
CREATE INDEX attention_listed ON payments.attention USING btree (environment, opened_at DESC, id DESC);

-- index attention_open
CREATE UNIQUE INDEX attention_open ON payments.attention USING btree (object_id, reason, environment) WHERE (closed_at IS NULL);

-- index attention_subject
CREATE INDEX attention_subject ON payments.attention USING btree (subject_id, subject_type, environment);

-- index chain_gaps_due
CREATE INDEX chain_gaps_due ON payments.chain_gaps USING btree (look_at);

-- index customer_mappings_listed
CREATE INDEX customer_mappings_listed ON payments.customer_mappings USING btree (environment, created_at DESC, id DESC);

-- index customers_address
CREATE INDEX customers_address ON payments.customers USING btree (environment, lower(email) COLLATE "C", id);

-- index customers_created
CREATE INDEX customers_created ON payments.customers USING btree (provider, environment, provider_created_at DESC);

-- index customers_deleted
CREATE INDEX customers_deleted ON payments.customers USING btree (environment, deleted, COALESCE(email, name, provider_customer_id), provider_customer_id);

-- index customers_email
CREATE INDEX customers_email ON payments.customers USING btree (environment, email);

-- index customers_environment
CREATE INDEX customers_environment ON payments.customers USING btree (provider, environment);

-- index customers_gone
CREATE INDEX customers_gone ON payments.customers USING btree (environment, COALESCE(provider_created_at, created_at) DESC, id DESC) WHERE deleted;

-- index customers_key
CREATE UNIQUE INDEX customers_key ON payments.customers USING btree (provider, environment, provider_customer_id);

-- index customers_listed
CREATE INDEX customers_listed ON payments.customers USING btree (environment, COALESCE(provider_created_at, created_at) DESC, id DESC);

-- index event_attempts_event
CREATE INDEX event_attempts_event ON payments.event_attempts USING btree (event_id, environment);

-- index event_queue_due
CREATE INDEX event_queue_due ON payments.event_queue USING btree (next_attempt_at) WHERE (next_attempt_at IS NOT NULL);

-- index fulfillments_created
CREATE INDEX fulfillments_created ON payments.fulfillments USING btree (environment, created_at);

-- index fulfillments_given_key
CREATE INDEX fulfillments_given_key ON payments.fulfillments USING btree (key, environment) WHERE (key IS NOT NULL);

-- index fulfillments_key
CREATE UNIQUE INDEX fulfillments_key ON payments.fulfillments USING btree (key, rule, environment) WHERE ((status = 'granted'::text) AND (key IS NOT NULL));

-- index fulfillments_status
CREATE INDEX fulfillments_status ON payments.fulfillments USING btree (environment, status, created_at);

-- index fulfillments_subject
CREATE INDEX fulfillments_subject ON payments.fulfillments USING btree (subject_id, subject_type, environment, created_at) WHERE (subject_id IS NOT NULL);

-- index operator_requests_key
CREATE UNIQUE INDEX operator_requests_key ON payments.operator_requests USING btree (environment, idempotency_key);

-- index outbox_destination
CREATE INDEX outbox_destination ON payments.outbox USING btree (destination_id, next_attempt_at) WHERE (next_attempt_at IS NOT NULL);

-- index outbox_due
CREATE INDEX outbox_due ON payments.outbox USING btree (next_attempt_at) WHERE (next_attempt_at IS NOT NULL);

-- index outbox_fulfillment
CREATE INDEX outbox_fulfillment ON payments.outbox USING btree (fulfillment_id);

-- index outbox_messages
CREATE INDEX outbox_messages ON payments.outbox USING btree (destination_id, created_at, id);

-- index payment_invoices_invoice
CREATE INDEX payment_invoices_invoice ON payments.payment_invoices USING btree (invoice_id, environment);

-- index reconciliation_findings_row
CREATE UNIQUE INDEX reconciliation_findings_row ON payments.reconciliation_findings USING btree (reconciliation_id, class, table_name, key);

-- index reconciliation_objects_different
CREATE INDEX reconciliation_objects_different ON payments.reconciliation_objects USING btree (reconciliation_id, object_type, object_id) WHERE (payload IS NOT NULL);

-- index reconciliation_objects_payment
CREATE INDEX reconciliation_objects_payment ON payments.reconciliation_objects USING btree (reconciliation_id, payment_key) WHERE (payment_key IS NOT NULL);

-- index reconciliations_running
CREATE UNIQUE INDEX reconciliations_running ON payments.reconciliations USING btree (environment) WHERE (status = 'running'::text);

-- index reconciliations_started
CREATE INDEX reconciliations_started ON payments.reconciliations USING btree (environment, started_at DESC);

-- index refetch_queue_due
CREATE INDEX refetch_queue_due ON payments.refetch_queue USING btree (next_attempt_at);

-- index reversal_queue_due
CREATE INDEX reversal_queue_due ON payments.reversal_queue USING btree (next_attempt_at);

-- index stripe_checkout_sessions_customer
CREATE INDEX stripe_checkout_sessions_customer ON payments.stripe_checkout_sessions USING btree (environment, customer_id) WHERE (customer_id IS NOT NULL);

-- index stripe_checkout_sessions_idempotency
CREATE UNIQUE INDEX stripe_checkout_sessions_idempotency ON payments.stripe_checkout_sessions USING btree (environment, caller_scope, idempotency_key, generation) WHERE (idempotency_key IS NOT NULL);

-- index stripe_checkout_sessions_purchases
CREATE INDEX stripe_checkout_sessions_purchases ON payments.stripe_checkout_sessions USING btree (environment, subject_type, subject_id) WHERE ((subject_type IS NOT NULL) AND (mode = 'payment'::text) AND (status = 'completed'::text));

-- index stripe_checkout_sessions_status
CREATE INDEX stripe_checkout_sessions_status ON payments.stripe_checkout_sessions USING btree (environment, status, created_at DESC, id DESC);

-- index stripe_checkout_sessions_stripe_id
CREATE UNIQUE INDEX stripe_checkout_sessions_stripe_id ON payments.stripe_checkout_sessions USING btree (environment, checkout_session_id);

-- index stripe_checkout_sessions_subject
CREATE INDEX stripe_checkout_sessions_subject ON payments.stripe_checkout_sessions USING btree (environment, subject_type, subject_id) WHERE (subject_type IS NOT NULL);

-- index stripe_checkout_sessions_subscriptions
CREATE INDEX stripe_checkout_sessions_subscriptions ON payments.stripe_checkout_sessions USING btree (environment, created_at DESC, id DESC) WHERE (mode = 'subscription'::text);

-- index stripe_checkout_sessions_superseded
CREATE INDEX stripe_checkout_sessions_superseded ON payments.stripe_checkout_sessions USING btree (created_at) WHERE (((superseded_by IS NOT NULL) OR (superseded_by_subscription IS NOT NULL)) AND (status = 'open'::text));

-- index stripe_customer_portal_sessions_customer
CREATE INDEX stripe_customer_portal_sessions_customer ON payments.stripe_customer_portal_sessions USING btree (environment, customer_id) WHERE (customer_id IS NOT NULL);

-- index stripe_customer_portal_sessions_status
CREATE INDEX stripe_customer_portal_sessions_status ON payments.stripe_customer_portal_sessions USING btree (environment, status);

-- index stripe_customer_portal_sessions_subject
CREATE INDEX stripe_customer_portal_sessions_subject ON payments.stripe_customer_portal_sessions USING btree (environment, subject_type, subject_id);

-- index stripe_objects_payment
CREATE INDEX stripe_objects_payment ON payments.stripe_objects USING btree (payment_key, environment);

-- index stripe_prices_key
CREATE UNIQUE INDEX stripe_prices_key ON payments.stripe_prices USING btree (environment, price_id);

-- index stripe_prices_lookup_key
CREATE INDEX stripe_prices_lookup_key ON payments.stripe_prices USING btree (environment, lookup_key) WHERE (lookup_key IS NOT NULL);

-- index stripe_prices_product
CREATE INDEX stripe_prices_product ON payments.stripe_prices USING btree (environment, product_id);

-- index stripe_products_active
CREATE INDEX stripe_products_active ON payments.stripe_products USING btree (environment, active);

-- index stripe_products_default_price
CREATE INDEX stripe_products_default_price ON payments.stripe_products USING btree (environment, default_price_id) WHERE (default_price_id IS NOT NULL);

-- index stripe_products_key
CREATE UNIQUE INDEX stripe_products_key ON payments.stripe_products USING btree (environment, product_id);

-- index stripe_snapshots_event
CREATE UNIQUE INDEX stripe_snapshots_event ON payments.stripe_snapshots USING btree (event_id, environment);

-- index stripe_snapshots_object
CREATE INDEX stripe_snapshots_object ON payments.stripe_snapshots USING btree (object_id, object_type, environment, as_of);

-- index stripe_snapshots_type
CREATE INDEX stripe_snapshots_type ON payments.stripe_snapshots USING btree (event_type, environment, received_at);

-- index stripe_subscription_items_key
CREATE UNIQUE INDEX stripe_subscription_items_key ON payments.stripe_subscription_items USING btree (environment, subscription_item_id);

-- index stripe_subscription_items_price
CREATE INDEX stripe_subscription_items_price ON payments.stripe_subscription_items USING btree (environment, price_id, provider_created_at DESC, id DESC);

-- index stripe_subscription_items_subscription
CREATE INDEX stripe_subscription_items_subscription ON payments.stripe_subscription_items USING btree (environment, subscription_id);

-- index stripe_subscriptions_customer
CREATE INDEX stripe_subscriptions_customer ON payments.stripe_subscriptions USING btree (environment, customer_id, started_at DESC, id DESC);

-- index stripe_subscriptions_key
CREATE UNIQUE INDEX stripe_subscriptions_key ON payments.stripe_subscriptions USING btree (environment, subscription_id);

-- index stripe_subscriptions_started
CREATE INDEX stripe_subscriptions_started ON payments.stripe_subscriptions USING btree (environment, started_at DESC, id DESC);

-- index stripe_subscriptions_status
CREATE INDEX stripe_subscriptions_status ON payments.stripe_subscriptions USING btree (environment, status, started_at DESC, id DESC);

-- index stripe_subscriptions_subject
CREATE INDEX stripe_subscriptions_subject ON payments.stripe_subscriptions USING btree (environment, subject_type, subject_id, started_at DESC, id DESC);

-- index stripe_subscriptions_updated
CREATE INDEX stripe_subscriptions_updated ON payments.stripe_subscriptions USING btree (environment, updated_at DESC, id DESC);

-- index subject_customers_customer
CREATE INDEX subject_customers_customer ON payments.subject_customers USING btree (customer_id, environment);

-- index syncs_running
CREATE UNIQUE INDEX syncs_running ON payments.syncs USING btree (environment) WHERE (status = 'running'::text);

-- index syncs_started
CREATE INDEX syncs_started ON payments.syncs USING btree (environment, started_at DESC);

-- index transactions_created
CREATE INDEX transactions_created ON payments.transactions USING btree (provider, environment, provider_created_at DESC, id DESC);

-- index transactions_currency
CREATE INDEX transactions_currency ON payments.transactions USING btree (provider, environment, currency, provider_created_at DESC, id DESC);

-- index transactions_customer
CREATE INDEX transactions_customer ON payments.transactions USING btree (provider, environment, provider_customer_id, provider_created_at DESC, id DESC);

-- index transactions_email
CREATE INDEX transactions_email ON payments.transactions USING btree (environment, lower(customer_email_snapshot));

-- index transactions_object
CREATE UNIQUE INDEX transactions_object ON payments.transactions USING btree (provider, environment, provider_object_type, provider_object_id);

-- index transactions_status
CREATE INDEX transactions_status ON payments.transactions USING btree (provider, environment, status, provider_created_at DESC, id DESC);

-- index transactions_subject
CREATE INDEX transactions_subject ON payments.transactions USING btree (provider, environment, subject_type, subject_id, provider_created_at DESC, id DESC);

-- index transactions_type
CREATE INDEX transactions_type ON payments.transactions USING btree (provider, environment, type, provider_created_at DESC, id DESC);

-- index webhook_events_key
CREATE UNIQUE INDEX webhook_events_key ON payments.webhook_events USING btree (provider, environment, provider_event_id);

-- index webhook_events_object
CREATE INDEX webhook_events_object ON payments.webhook_events USING btree (environment, object_type, object_id);

-- index webhook_events_status
CREATE INDEX webhook_events_status ON payments.webhook_events USING brin (environment, processing_status) WITH (autosummarize='true');

-- index audit_log_at
CREATE INDEX audit_log_at ON system.audit_log USING btree (at DESC);

-- index sign_in_counts_until
CREATE INDEX sign_in_counts_until ON system.sign_in_counts USING btree (until);

-- index sign_ins_expires_at
CREATE INDEX sign_ins_expires_at ON system.sign_ins USING btree (expires_at);

-- index sign_ins_sub
CREATE INDEX sign_ins_sub ON system.sign_ins USING btree (sub) WHERE (revoked_at IS NULL);

-- trigger users trg_auth_users_updated_at
CREATE TRIGGER trg_auth_users_updated_at BEFORE UPDATE ON auth.users FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger checkout_options trg_payments_checkout_options_updated_at
CREATE TRIGGER trg_payments_checkout_options_updated_at BEFORE UPDATE ON payments.checkout_options FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger stripe_checkout_sessions trg_payments_checkout_sessions_forgotten
CREATE TRIGGER trg_payments_checkout_sessions_forgotten AFTER DELETE ON payments.stripe_checkout_sessions FOR EACH ROW EXECUTE FUNCTION payments.forget_checkout_attempt();

-- trigger customer_mappings trg_payments_customer_mappings_updated_at
CREATE TRIGGER trg_payments_customer_mappings_updated_at BEFORE UPDATE ON payments.customer_mappings FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger customers trg_payments_customers_updated_at
CREATE TRIGGER trg_payments_customers_updated_at BEFORE UPDATE ON payments.customers FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger destinations trg_payments_destinations_updated_at
CREATE TRIGGER trg_payments_destinations_updated_at BEFORE UPDATE ON payments.destinations FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger fulfillments trg_payments_fulfillments_announced
CREATE TRIGGER trg_payments_fulfillments_announced AFTER INSERT OR UPDATE ON payments.fulfillments FOR EACH ROW EXECUTE FUNCTION payments.announce_fulfillment();

-- trigger fulfillments trg_payments_fulfillments_updated_at
CREATE TRIGGER trg_payments_fulfillments_updated_at BEFORE UPDATE ON payments.fulfillments FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger operator_requests trg_payments_operator_requests_updated_at
CREATE TRIGGER trg_payments_operator_requests_updated_at BEFORE UPDATE ON payments.operator_requests FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger provider_connections trg_payments_provider_connections_updated_at
CREATE TRIGGER trg_payments_provider_connections_updated_at BEFORE UPDATE ON payments.provider_connections FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger stripe_checkout_sessions trg_payments_stripe_checkout_sessions_updated_at
CREATE TRIGGER trg_payments_stripe_checkout_sessions_updated_at BEFORE UPDATE ON payments.stripe_checkout_sessions FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger stripe_customer_portal_sessions trg_payments_stripe_customer_portal_sessions_updated_at
CREATE TRIGGER trg_payments_stripe_customer_portal_sessions_updated_at BEFORE UPDATE ON payments.stripe_customer_portal_sessions FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger stripe_prices trg_payments_stripe_prices_updated_at
CREATE TRIGGER trg_payments_stripe_prices_updated_at BEFORE UPDATE ON payments.stripe_prices FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger stripe_products trg_payments_stripe_products_updated_at
CREATE TRIGGER trg_payments_stripe_products_updated_at BEFORE UPDATE ON payments.stripe_products FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger stripe_subscription_items trg_payments_stripe_subscription_items_updated_at
CREATE TRIGGER trg_payments_stripe_subscription_items_updated_at BEFORE UPDATE ON payments.stripe_subscription_items FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger stripe_subscriptions trg_payments_stripe_subscriptions_updated_at
CREATE TRIGGER trg_payments_stripe_subscriptions_updated_at BEFORE UPDATE ON payments.stripe_subscriptions FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger transactions trg_payments_transactions_updated_at
CREATE TRIGGER trg_payments_transactions_updated_at BEFORE UPDATE ON payments.transactions FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger webhook_events trg_payments_webhook_events_updated_at
CREATE TRIGGER trg_payments_webhook_events_updated_at BEFORE UPDATE ON payments.webhook_events FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger secrets trg_system_secrets_updated_at
CREATE TRIGGER trg_system_secrets_updated_at BEFORE UPDATE ON system.secrets FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- fk constraint outbox outbox_destination_id_fkey
ALTER TABLE ONLY payments.outbox
    ADD CONSTRAINT outbox_destination_id_fkey FOREIGN KEY (destination_id) REFERENCES payments.destinations(id) ON DELETE CASCADE;

-- fk constraint reconciliation_findings reconciliation_findings_reconciliation_id_fkey
ALTER TABLE ONLY payments.reconciliation_findings
    ADD CONSTRAINT reconciliation_findings_reconciliation_id_fkey FOREIGN KEY (reconciliation_id) REFERENCES payments.reconciliations(id) ON DELETE CASCADE;

-- fk constraint sync_windows sync_windows_sync_id_fkey
ALTER TABLE ONLY payments.sync_windows
    ADD CONSTRAINT sync_windows_sync_id_fkey FOREIGN KEY (sync_id) REFERENCES payments.syncs(id) ON DELETE CASCADE;

-- policy users service
CREATE POLICY service ON auth.users TO paygres_service USING (true) WITH CHECK (true);

-- row security users
ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;

-- policy stripe_checkout_sessions admins
CREATE POLICY admins ON payments.stripe_checkout_sessions TO project_admin USING (true) WITH CHECK (true);

-- policy stripe_customer_portal_sessions admins
CREATE POLICY admins ON payments.stripe_customer_portal_sessions TO project_admin USING (true) WITH CHECK (true);

-- policy stripe_checkout_sessions asked_for_only
CREATE POLICY asked_for_only ON payments.stripe_checkout_sessions AS RESTRICTIVE FOR INSERT TO anon, authenticated WITH CHECK (((caller_scope = ANY (ARRAY[''::text, current_setting('paygres.caller_scope'::text, true)])) AND (status = 'initialized'::text) AND (payment_status IS NULL) AND (checkout_session_id IS NULL) AND (customer_id IS NULL) AND (payment_intent_id IS NULL) AND (subscription_id IS NULL) AND (url IS NULL) AND (last_error IS NULL) AND (raw = '{}'::jsonb) AND (currency IS NULL) AND (amount_subtotal IS NULL) AND (attempt = 1) AND (leased_until IS NULL) AND (expires_at IS NULL) AND (superseded_by IS NULL) AND (superseded_by_subscription IS NULL)));

-- policy stripe_checkout_sessions guests_insert
CREATE POLICY guests_insert ON payments.stripe_checkout_sessions FOR INSERT TO anon WITH CHECK (((mode = 'payment'::text) AND (subject_type IS NULL) AND (subject_id IS NULL) AND (created_by IS NULL) AND (caller_scope = payments.caller_scope())));

-- policy stripe_checkout_sessions guests_select
CREATE POLICY guests_select ON payments.stripe_checkout_sessions FOR SELECT TO anon USING (((subject_type IS NULL) AND (created_by IS NULL) AND ((caller_scope = payments.caller_scope()) OR ((payments.capability() = (id)::text) OR (payments.capability() = checkout_session_id)))));

-- policy stripe_checkout_sessions service
CREATE POLICY service ON payments.stripe_checkout_sessions TO paygres_service, payments_trigger USING (true) WITH CHECK (true);

-- policy stripe_customer_portal_sessions service
CREATE POLICY service ON payments.stripe_customer_portal_sessions TO paygres_service, payments_trigger USING (true) WITH CHECK (true);

-- row security stripe_checkout_sessions
ALTER TABLE payments.stripe_checkout_sessions ENABLE ROW LEVEL SECURITY;

-- row security stripe_customer_portal_sessions
ALTER TABLE payments.stripe_customer_portal_sessions ENABLE ROW LEVEL SECURITY;

-- policy stripe_checkout_sessions users_insert
CREATE POLICY users_insert ON payments.stripe_checkout_sessions FOR INSERT TO authenticated WITH CHECK (((created_by = (auth.jwt() ->> 'sub'::text)) AND (((subject_type IS NULL) AND (subject_id IS NULL)) OR payments.can_bill(subject_type, subject_id))));

-- policy stripe_customer_portal_sessions users_insert
CREATE POLICY users_insert ON payments.stripe_customer_portal_sessions FOR INSERT TO authenticated WITH CHECK (((created_by = (auth.jwt() ->> 'sub'::text)) AND payments.can_bill(subject_type, subject_id)));

-- policy stripe_checkout_sessions users_select
CREATE POLICY users_select ON payments.stripe_checkout_sessions FOR SELECT TO authenticated USING (
CASE
    WHEN (subject_type IS NULL) THEN ((created_by = (auth.jwt() ->> 'sub'::text)) OR ((created_by IS NULL) AND ((payments.capability() = (id)::text) OR (payments.capability() = checkout_session_id))))
    ELSE payments.can_bill(subject_type, subject_id)
END);

-- policy stripe_customer_portal_sessions users_select
CREATE POLICY users_select ON payments.stripe_customer_portal_sessions FOR SELECT TO authenticated USING (payments.can_bill(subject_type, subject_id));

-- acl SCHEMA auth
GRANT USAGE ON SCHEMA auth TO PUBLIC;

-- acl SCHEMA payments
GRANT USAGE ON SCHEMA payments TO anon;
GRANT USAGE ON SCHEMA payments TO authenticated;
GRANT USAGE ON SCHEMA payments TO project_admin;
GRANT USAGE ON SCHEMA payments TO paygres_service;
GRANT USAGE ON SCHEMA payments TO payments_trigger;

-- acl SCHEMA system
GRANT USAGE ON SCHEMA system TO paygres_service;

-- acl FUNCTION access_of(p_environment text, p_subject_type text, p_subject_id text)
REVOKE ALL ON FUNCTION payments.access_of(p_environment text, p_subject_type text, p_subject_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.access_of(p_environment text, p_subject_type text, p_subject_id text) TO paygres_service;
GRANT ALL ON FUNCTION payments.access_of(p_environment text, p_subject_type text, p_subject_id text) TO project_admin;
GRANT ALL ON FUNCTION payments.access_of(p_environment text, p_subject_type text, p_subject_id text) TO payments_trigger;

-- acl FUNCTION analyze_new_tables()
REVOKE ALL ON FUNCTION payments.analyze_new_tables() FROM PUBLIC;
GRANT ALL ON FUNCTION payments.analyze_new_tables() TO paygres_service;

-- acl FUNCTION bought(p_environment text, p_event jsonb, OUT payment_key text, OUT checkout_session_id uuid, OUT amount bigint, OUT currency text, OUT items jsonb, OUT amount_paid bigint, OUT amount_kept bigint, OUT subject_type text, OUT subject_id text, OUT intents text[])
REVOKE ALL ON FUNCTION payments.bought(p_environment text, p_event jsonb, OUT payment_key text, OUT checkout_session_id uuid, OUT amount bigint, OUT currency text, OUT items jsonb, OUT amount_paid bigint, OUT amount_kept bigint, OUT subject_type text, OUT subject_id text, OUT intents text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.bought(p_environment text, p_event jsonb, OUT payment_key text, OUT checkout_session_id uuid, OUT amount bigint, OUT currency text, OUT items jsonb, OUT amount_paid bigint, OUT amount_kept bigint, OUT subject_type text, OUT subject_id text, OUT intents text[]) TO paygres_service;
GRANT ALL ON FUNCTION payments.bought(p_environment text, p_event jsonb, OUT payment_key text, OUT checkout_session_id uuid, OUT amount bigint, OUT currency text, OUT items jsonb, OUT amount_paid bigint, OUT amount_kept bigint, OUT subject_type text, OUT subject_id text, OUT intents text[]) TO payments_trigger;
GRANT ALL ON FUNCTION payments.bought(p_environment text, p_event jsonb, OUT payment_key text, OUT checkout_session_id uuid, OUT amount bigint, OUT currency text, OUT items jsonb, OUT amount_paid bigint, OUT amount_kept bigint, OUT subject_type text, OUT subject_id text, OUT intents text[]) TO project_admin;

-- acl FUNCTION caller_scope()
GRANT ALL ON FUNCTION payments.caller_scope() TO anon;
GRANT ALL ON FUNCTION payments.caller_scope() TO authenticated;
GRANT ALL ON FUNCTION payments.caller_scope() TO project_admin;
GRANT ALL ON FUNCTION payments.caller_scope() TO paygres_service;
GRANT ALL ON FUNCTION payments.caller_scope() TO payments_trigger;

-- acl FUNCTION can_bill(subject_type text, subject_id text)
GRANT ALL ON FUNCTION payments.can_bill(subject_type text, subject_id text) TO anon;
GRANT ALL ON FUNCTION payments.can_bill(subject_type text, subject_id text) TO authenticated;
GRANT ALL ON FUNCTION payments.can_bill(subject_type text, subject_id text) TO project_admin;
GRANT ALL ON FUNCTION payments.can_bill(subject_type text, subject_id text) TO paygres_service;
GRANT ALL ON FUNCTION payments.can_bill(subject_type text, subject_id text) TO payments_trigger;

-- acl FUNCTION can_view_billing(subject_type text, subject_id text)
GRANT ALL ON FUNCTION payments.can_view_billing(subject_type text, subject_id text) TO anon;
GRANT ALL ON FUNCTION payments.can_view_billing(subject_type text, subject_id text) TO authenticated;
GRANT ALL ON FUNCTION payments.can_view_billing(subject_type text, subject_id text) TO project_admin;
GRANT ALL ON FUNCTION payments.can_view_billing(subject_type text, subject_id text) TO paygres_service;
GRANT ALL ON FUNCTION payments.can_view_billing(subject_type text, subject_id text) TO payments_trigger;

-- acl FUNCTION capability()
GRANT ALL ON FUNCTION payments.capability() TO anon;
GRANT ALL ON FUNCTION payments.capability() TO authenticated;
GRANT ALL ON FUNCTION payments.capability() TO project_admin;
GRANT ALL ON FUNCTION payments.capability() TO paygres_service;
GRANT ALL ON FUNCTION payments.capability() TO payments_trigger;

-- acl TABLE customers
GRANT SELECT,TRIGGER ON TABLE payments.customers TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.customers TO paygres_service;
GRANT SELECT,INSERT,UPDATE ON TABLE payments.customers TO payments_trigger;

-- acl FUNCTION default_environment()
GRANT ALL ON FUNCTION payments.default_environment() TO anon;
GRANT ALL ON FUNCTION payments.default_environment() TO authenticated;
GRANT ALL ON FUNCTION payments.default_environment() TO project_admin;
GRANT ALL ON FUNCTION payments.default_environment() TO paygres_service;
GRANT ALL ON FUNCTION payments.default_environment() TO payments_trigger;

-- acl TABLE webhook_events
GRANT SELECT,TRIGGER ON TABLE payments.webhook_events TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.webhook_events TO paygres_service;
GRANT SELECT,INSERT,UPDATE ON TABLE payments.webhook_events TO payments_trigger;

-- acl TABLE fulfillments
GRANT SELECT,TRIGGER ON TABLE payments.fulfillments TO project_admin;
GRANT SELECT,DELETE ON TABLE payments.fulfillments TO paygres_service;
GRANT SELECT,INSERT,UPDATE ON TABLE payments.fulfillments TO payments_trigger;

-- acl FUNCTION has_access(subject_type text, subject_id text, lookup_key text, environment text)
GRANT ALL ON FUNCTION payments.has_access(subject_type text, subject_id text, lookup_key text, environment text) TO anon;
GRANT ALL ON FUNCTION payments.has_access(subject_type text, subject_id text, lookup_key text, environment text) TO authenticated;
GRANT ALL ON FUNCTION payments.has_access(subject_type text, subject_id text, lookup_key text, environment text) TO project_admin;
GRANT ALL ON FUNCTION payments.has_access(subject_type text, subject_id text, lookup_key text, environment text) TO paygres_service;
GRANT ALL ON FUNCTION payments.has_access(subject_type text, subject_id text, lookup_key text, environment text) TO payments_trigger;

-- acl FUNCTION money_of(p_environment text, p_payment_key text, OUT amount_paid bigint, OUT amount_kept bigint, OUT subject_type text, OUT subject_id text)
REVOKE ALL ON FUNCTION payments.money_of(p_environment text, p_payment_key text, OUT amount_paid bigint, OUT amount_kept bigint, OUT subject_type text, OUT subject_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.money_of(p_environment text, p_payment_key text, OUT amount_paid bigint, OUT amount_kept bigint, OUT subject_type text, OUT subject_id text) TO paygres_service;
GRANT ALL ON FUNCTION payments.money_of(p_environment text, p_payment_key text, OUT amount_paid bigint, OUT amount_kept bigint, OUT subject_type text, OUT subject_id text) TO payments_trigger;
GRANT ALL ON FUNCTION payments.money_of(p_environment text, p_payment_key text, OUT amount_paid bigint, OUT amount_kept bigint, OUT subject_type text, OUT subject_id text) TO project_admin;

-- acl TABLE stripe_subscriptions
GRANT SELECT ON TABLE payments.stripe_subscriptions TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.stripe_subscriptions TO paygres_service;
GRANT SELECT ON TABLE payments.stripe_subscriptions TO payments_trigger;

-- acl TABLE stripe_checkout_sessions
GRANT SELECT,INSERT,TRIGGER ON TABLE payments.stripe_checkout_sessions TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.stripe_checkout_sessions TO paygres_service;
GRANT SELECT,UPDATE ON TABLE payments.stripe_checkout_sessions TO payments_trigger;
GRANT SELECT,INSERT ON TABLE payments.stripe_checkout_sessions TO anon;
GRANT SELECT,INSERT ON TABLE payments.stripe_checkout_sessions TO authenticated;

-- acl FUNCTION superseding(s payments.stripe_checkout_sessions)
REVOKE ALL ON FUNCTION payments.superseding(s payments.stripe_checkout_sessions) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.superseding(s payments.stripe_checkout_sessions) TO paygres_service;
GRANT ALL ON FUNCTION payments.superseding(s payments.stripe_checkout_sessions) TO payments_trigger;

-- acl TABLE transactions
GRANT SELECT ON TABLE payments.transactions TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.transactions TO paygres_service;
GRANT SELECT ON TABLE payments.transactions TO payments_trigger;

-- acl TABLE users
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.users TO paygres_service;

-- acl TABLE attention
GRANT SELECT ON TABLE payments.attention TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.attention TO paygres_service;
GRANT SELECT ON TABLE payments.attention TO payments_trigger;

-- acl TABLE broken_amounts
GRANT SELECT ON TABLE payments.broken_amounts TO project_admin;
GRANT SELECT ON TABLE payments.broken_amounts TO paygres_service;

-- acl TABLE stripe_snapshots
GRANT SELECT,INSERT ON TABLE payments.stripe_snapshots TO paygres_service;

-- acl TABLE broken_checkouts
GRANT SELECT ON TABLE payments.broken_checkouts TO project_admin;
GRANT SELECT ON TABLE payments.broken_checkouts TO paygres_service;

-- acl TABLE event_queue
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.event_queue TO paygres_service;

-- acl TABLE broken_dead
GRANT SELECT ON TABLE payments.broken_dead TO project_admin;
GRANT SELECT ON TABLE payments.broken_dead TO paygres_service;

-- acl TABLE stripe_objects
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.stripe_objects TO paygres_service;

-- acl TABLE broken_grant_money
GRANT SELECT ON TABLE payments.broken_grant_money TO project_admin;
GRANT SELECT ON TABLE payments.broken_grant_money TO paygres_service;

-- acl TABLE payment_invoices
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.payment_invoices TO paygres_service;

-- acl TABLE broken_grants
GRANT SELECT ON TABLE payments.broken_grants TO project_admin;
GRANT SELECT ON TABLE payments.broken_grants TO paygres_service;

-- acl TABLE customer_mappings
GRANT SELECT ON TABLE payments.customer_mappings TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.customer_mappings TO paygres_service;
GRANT SELECT ON TABLE payments.customer_mappings TO payments_trigger;

-- acl TABLE broken_mappings
GRANT SELECT ON TABLE payments.broken_mappings TO project_admin;
GRANT SELECT ON TABLE payments.broken_mappings TO paygres_service;

-- acl TABLE outbox
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.outbox TO paygres_service;

-- acl TABLE broken_messages
GRANT SELECT ON TABLE payments.broken_messages TO project_admin;
GRANT SELECT ON TABLE payments.broken_messages TO paygres_service;

-- acl TABLE broken_payments
GRANT SELECT ON TABLE payments.broken_payments TO project_admin;
GRANT SELECT ON TABLE payments.broken_payments TO paygres_service;

-- acl TABLE broken_pending
GRANT SELECT ON TABLE payments.broken_pending TO project_admin;
GRANT SELECT ON TABLE payments.broken_pending TO paygres_service;

-- acl TABLE broken_periods
GRANT SELECT ON TABLE payments.broken_periods TO project_admin;
GRANT SELECT ON TABLE payments.broken_periods TO paygres_service;

-- acl TABLE broken_plans
GRANT SELECT ON TABLE payments.broken_plans TO project_admin;
GRANT SELECT ON TABLE payments.broken_plans TO paygres_service;

-- acl TABLE refetch_queue
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.refetch_queue TO paygres_service;

-- acl TABLE broken_refetches
GRANT SELECT ON TABLE payments.broken_refetches TO project_admin;
GRANT SELECT ON TABLE payments.broken_refetches TO paygres_service;

-- acl TABLE broken_refund_sums
GRANT SELECT ON TABLE payments.broken_refund_sums TO project_admin;
GRANT SELECT ON TABLE payments.broken_refund_sums TO paygres_service;

-- acl TABLE broken_refunds
GRANT SELECT ON TABLE payments.broken_refunds TO project_admin;
GRANT SELECT ON TABLE payments.broken_refunds TO paygres_service;

-- acl TABLE broken_reversals
GRANT SELECT ON TABLE payments.broken_reversals TO project_admin;
GRANT SELECT ON TABLE payments.broken_reversals TO paygres_service;

-- acl TABLE broken_starts
GRANT SELECT ON TABLE payments.broken_starts TO project_admin;
GRANT SELECT ON TABLE payments.broken_starts TO paygres_service;

-- acl TABLE broken_subjects
GRANT SELECT ON TABLE payments.broken_subjects TO project_admin;
GRANT SELECT ON TABLE payments.broken_subjects TO paygres_service;

-- acl TABLE provider_connections
GRANT SELECT ON TABLE payments.provider_connections TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.provider_connections TO paygres_service;
GRANT SELECT ON TABLE payments.provider_connections TO payments_trigger;

-- acl TABLE sweeps
GRANT SELECT ON TABLE payments.sweeps TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.sweeps TO paygres_service;

-- acl TABLE broken_sweeps
GRANT SELECT ON TABLE payments.broken_sweeps TO project_admin;
GRANT SELECT ON TABLE payments.broken_sweeps TO paygres_service;

-- acl TABLE chain_gaps
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.chain_gaps TO paygres_service;

-- acl TABLE checkout_attempts
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.checkout_attempts TO paygres_service;

-- acl TABLE checkout_options
GRANT SELECT ON TABLE payments.checkout_options TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.checkout_options TO paygres_service;

-- acl TABLE destinations
GRANT SELECT ON TABLE payments.destinations TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.destinations TO paygres_service;

-- acl TABLE event_attempts
GRANT SELECT,INSERT ON TABLE payments.event_attempts TO paygres_service;

-- acl TABLE event_renderings
GRANT SELECT,INSERT ON TABLE payments.event_renderings TO paygres_service;

-- acl TABLE guest_counts
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.guest_counts TO paygres_service;

-- acl TABLE invariant_checks
GRANT SELECT ON TABLE payments.invariant_checks TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.invariant_checks TO paygres_service;

-- acl TABLE listeners
GRANT SELECT ON TABLE payments.listeners TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.listeners TO paygres_service;

-- acl TABLE operator_requests
GRANT SELECT ON TABLE payments.operator_requests TO project_admin;
GRANT SELECT,INSERT,UPDATE ON TABLE payments.operator_requests TO paygres_service;

-- acl TABLE reconciliation_findings
GRANT SELECT ON TABLE payments.reconciliation_findings TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.reconciliation_findings TO paygres_service;

-- acl TABLE reconciliation_objects
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.reconciliation_objects TO paygres_service;

-- acl TABLE reconciliations
GRANT SELECT ON TABLE payments.reconciliations TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.reconciliations TO paygres_service;

-- acl TABLE reversal_queue
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.reversal_queue TO paygres_service;

-- acl TABLE stripe_customer_portal_sessions
GRANT SELECT,INSERT,TRIGGER ON TABLE payments.stripe_customer_portal_sessions TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.stripe_customer_portal_sessions TO paygres_service;
GRANT SELECT,UPDATE ON TABLE payments.stripe_customer_portal_sessions TO payments_trigger;
GRANT SELECT,INSERT ON TABLE payments.stripe_customer_portal_sessions TO anon;
GRANT SELECT,INSERT ON TABLE payments.stripe_customer_portal_sessions TO authenticated;

-- acl TABLE stripe_prices
GRANT SELECT ON TABLE payments.stripe_prices TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.stripe_prices TO paygres_service;
GRANT SELECT ON TABLE payments.stripe_prices TO payments_trigger;

-- acl TABLE stripe_products
GRANT SELECT ON TABLE payments.stripe_products TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.stripe_products TO paygres_service;
GRANT SELECT ON TABLE payments.stripe_products TO payments_trigger;

-- acl TABLE stripe_subscription_items
GRANT SELECT ON TABLE payments.stripe_subscription_items TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.stripe_subscription_items TO paygres_service;
GRANT SELECT ON TABLE payments.stripe_subscription_items TO payments_trigger;

-- acl TABLE subject_customers
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.subject_customers TO paygres_service;

-- acl TABLE sync_windows
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.sync_windows TO paygres_service;

-- acl TABLE syncs
GRANT SELECT ON TABLE payments.syncs TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.syncs TO paygres_service;

-- acl TABLE api_keys
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE system.api_keys TO paygres_service;

-- acl TABLE audit_log
GRANT SELECT,INSERT ON TABLE system.audit_log TO paygres_service;

-- acl TABLE installation
GRANT SELECT ON TABLE system.installation TO paygres_service;

-- acl COLUMN installation.past_due_grace
GRANT UPDATE(past_due_grace) ON TABLE system.installation TO paygres_service;

-- acl TABLE migrations
GRANT SELECT ON TABLE system.migrations TO paygres_service;

-- acl TABLE secrets
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE system.secrets TO paygres_service;

-- acl TABLE sign_in_counts
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE system.sign_in_counts TO paygres_service;

-- acl TABLE sign_ins
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE system.sign_ins TO paygres_service;

-- default acl DEFAULT PRIVILEGES FOR TABLES
ALTER DEFAULT PRIVILEGES FOR ROLE paygres_owner IN SCHEMA payments GRANT SELECT ON TABLES TO project_admin;
