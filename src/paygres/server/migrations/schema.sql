-- The current shape of the schemas payments, auth and system: what the migrations make of an empty database.
-- For reading and for reviewing changes, never executed; the functions are in functions/.
-- Written by `python -m tests.tables.write_schema`; a test compares it with the migrations.

-- schema auth
CREATE SCHEMA auth;

-- schema payments
CREATE SCHEMA payments;

-- schema system
CREATE SCHEMA system;

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
    CONSTRAINT customers_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text]))),
    CONSTRAINT customers_provider_check CHECK ((provider ~ '^[a-z][a-z0-9_]*$'::text))
)
WITH (toast_tuple_target='8160');

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
    CONSTRAINT stripe_subscriptions_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])))
)
WITH (toast_tuple_target='8160');

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
    CONSTRAINT transactions_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text]))),
    CONSTRAINT transactions_provider_check CHECK ((provider ~ '^[a-z][a-z0-9_]*$'::text)),
    CONSTRAINT transactions_status_check CHECK ((status = ANY (ARRAY['succeeded'::text, 'failed'::text, 'pending'::text, 'refunded'::text, 'partially_refunded'::text]))),
    CONSTRAINT transactions_type_check CHECK ((type = ANY (ARRAY['one_time_payment'::text, 'subscription_invoice'::text, 'refund'::text, 'failed_payment'::text])))
)
WITH (toast_tuple_target='8160');

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
    CONSTRAINT customer_mappings_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text]))),
    CONSTRAINT customer_mappings_provider_check CHECK ((provider ~ '^[a-z][a-z0-9_]*$'::text))
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
    replayed boolean DEFAULT false NOT NULL
);

-- table guest_counts
CREATE UNLOGGED TABLE payments.guest_counts (
    minute timestamp with time zone NOT NULL,
    network text NOT NULL,
    checkouts integer NOT NULL
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

-- table payment_invoices
CREATE TABLE payments.payment_invoices (
    environment text NOT NULL,
    payment_intent_id text NOT NULL,
    invoice_id text NOT NULL,
    invoice_payment_id text DEFAULT ''::text NOT NULL
);

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
    only_if_unknown boolean DEFAULT false NOT NULL
);

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
    stripe_params jsonb,
    attempt integer DEFAULT 1 NOT NULL,
    leased_until timestamp with time zone,
    expires_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    superseded_by uuid,
    CONSTRAINT stripe_checkout_sessions_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text]))),
    CONSTRAINT stripe_checkout_sessions_line_items_check CHECK ((jsonb_typeof(line_items) = 'array'::text)),
    CONSTRAINT stripe_checkout_sessions_mode_check CHECK ((mode = ANY (ARRAY['payment'::text, 'subscription'::text]))),
    CONSTRAINT stripe_checkout_sessions_payment_status_check CHECK ((payment_status = ANY (ARRAY['paid'::text, 'unpaid'::text, 'no_payment_required'::text]))),
    CONSTRAINT stripe_checkout_sessions_status_check CHECK ((status = ANY (ARRAY['initialized'::text, 'open'::text, 'completed'::text, 'expired'::text, 'failed'::text])))
)
WITH (toast_tuple_target='8160');
ALTER TABLE ONLY payments.stripe_checkout_sessions FORCE ROW LEVEL SECURITY;

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
WITH (toast_tuple_target='8160');

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
    received_at timestamp with time zone DEFAULT now() NOT NULL
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
    CONSTRAINT stripe_subscription_items_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])))
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
    CONSTRAINT webhook_events_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text]))),
    CONSTRAINT webhook_events_processing_status_check CHECK ((processing_status = ANY (ARRAY['pending'::text, 'processed'::text, 'failed'::text, 'ignored'::text]))),
    CONSTRAINT webhook_events_provider_check CHECK ((provider ~ '^[a-z][a-z0-9_]*$'::text))
)
WITH (toast_tuple_target='8160');

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

-- constraint users users_email_key
ALTER TABLE ONLY auth.users
    ADD CONSTRAINT users_email_key UNIQUE (email);

-- constraint users users_pkey
ALTER TABLE ONLY auth.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

-- constraint attention attention_pkey
ALTER TABLE ONLY payments.attention
    ADD CONSTRAINT attention_pkey PRIMARY KEY (id);

-- constraint checkout_options checkout_options_environment_price_id_key
ALTER TABLE ONLY payments.checkout_options
    ADD CONSTRAINT checkout_options_environment_price_id_key UNIQUE NULLS NOT DISTINCT (environment, price_id);

-- constraint checkout_options checkout_options_pkey
ALTER TABLE ONLY payments.checkout_options
    ADD CONSTRAINT checkout_options_pkey PRIMARY KEY (id);

-- constraint customer_mappings customer_mappings_pkey
ALTER TABLE ONLY payments.customer_mappings
    ADD CONSTRAINT customer_mappings_pkey PRIMARY KEY (id);

-- constraint customer_mappings customer_mappings_provider_environment_provider_customer_id_key
ALTER TABLE ONLY payments.customer_mappings
    ADD CONSTRAINT customer_mappings_provider_environment_provider_customer_id_key UNIQUE (provider, environment, provider_customer_id);

-- constraint customer_mappings customer_mappings_provider_environment_subject_type_subject_key
ALTER TABLE ONLY payments.customer_mappings
    ADD CONSTRAINT customer_mappings_provider_environment_subject_type_subject_key UNIQUE (provider, environment, subject_type, subject_id);

-- constraint customers customers_pkey
ALTER TABLE ONLY payments.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (id);

-- constraint event_attempts event_attempts_pkey
ALTER TABLE ONLY payments.event_attempts
    ADD CONSTRAINT event_attempts_pkey PRIMARY KEY (seq);

-- constraint event_queue event_queue_pkey
ALTER TABLE ONLY payments.event_queue
    ADD CONSTRAINT event_queue_pkey PRIMARY KEY (event_id, environment);

-- constraint guest_counts guest_counts_pkey
ALTER TABLE ONLY payments.guest_counts
    ADD CONSTRAINT guest_counts_pkey PRIMARY KEY (minute, network);

-- constraint operator_requests operator_requests_pkey
ALTER TABLE ONLY payments.operator_requests
    ADD CONSTRAINT operator_requests_pkey PRIMARY KEY (id);

-- constraint payment_invoices payment_invoices_pkey
ALTER TABLE ONLY payments.payment_invoices
    ADD CONSTRAINT payment_invoices_pkey PRIMARY KEY (payment_intent_id, environment);

-- constraint provider_connections provider_connections_pkey
ALTER TABLE ONLY payments.provider_connections
    ADD CONSTRAINT provider_connections_pkey PRIMARY KEY (id);

-- constraint provider_connections provider_connections_provider_environment_key
ALTER TABLE ONLY payments.provider_connections
    ADD CONSTRAINT provider_connections_provider_environment_key UNIQUE (provider, environment);

-- constraint refetch_queue refetch_queue_pkey
ALTER TABLE ONLY payments.refetch_queue
    ADD CONSTRAINT refetch_queue_pkey PRIMARY KEY (object_id, object_type, environment);

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

-- index auth_users_lower_email
CREATE INDEX auth_users_lower_email ON auth.users USING btree (lower(email));

-- index attention_listed
CREATE INDEX attention_listed ON payments.attention USING btree (environment, opened_at DESC, id DESC);

-- index attention_open
CREATE UNIQUE INDEX attention_open ON payments.attention USING btree (object_id, reason, environment) WHERE (closed_at IS NULL);

-- index attention_subject
CREATE INDEX attention_subject ON payments.attention USING btree (subject_id, subject_type, environment);

-- index customer_mappings_listed
CREATE INDEX customer_mappings_listed ON payments.customer_mappings USING btree (environment, created_at DESC, id DESC);

-- index customers_address
CREATE INDEX customers_address ON payments.customers USING btree (environment, lower(email) COLLATE "C", id);

-- index customers_created
CREATE INDEX customers_created ON payments.customers USING btree (provider, environment, provider_created_at DESC);

-- index customers_deleted
CREATE INDEX customers_deleted ON payments.customers USING btree (environment, deleted, COALESCE(email, name, provider_customer_id), provider_customer_id);

-- index customers_email
CREATE INDEX customers_email ON payments.customers USING btree (environment, email) WHERE (email IS NOT NULL);

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

-- index operator_requests_key
CREATE UNIQUE INDEX operator_requests_key ON payments.operator_requests USING btree (environment, idempotency_key);

-- index refetch_queue_due
CREATE INDEX refetch_queue_due ON payments.refetch_queue USING btree (next_attempt_at);

-- index stripe_checkout_sessions_customer
CREATE INDEX stripe_checkout_sessions_customer ON payments.stripe_checkout_sessions USING btree (environment, customer_id) WHERE (customer_id IS NOT NULL);

-- index stripe_checkout_sessions_idempotency
CREATE UNIQUE INDEX stripe_checkout_sessions_idempotency ON payments.stripe_checkout_sessions USING btree (environment, caller_scope, idempotency_key, generation) WHERE (idempotency_key IS NOT NULL);

-- index stripe_checkout_sessions_purchases
CREATE INDEX stripe_checkout_sessions_purchases ON payments.stripe_checkout_sessions USING btree (environment, subject_type, subject_id) WHERE ((subject_type IS NOT NULL) AND (mode = 'payment'::text) AND (status = 'completed'::text));

-- index stripe_checkout_sessions_status
CREATE INDEX stripe_checkout_sessions_status ON payments.stripe_checkout_sessions USING btree (environment, status, created_at DESC, id DESC);

-- index stripe_checkout_sessions_stripe_id
CREATE UNIQUE INDEX stripe_checkout_sessions_stripe_id ON payments.stripe_checkout_sessions USING btree (environment, checkout_session_id) WHERE (checkout_session_id IS NOT NULL);

-- index stripe_checkout_sessions_subject
CREATE INDEX stripe_checkout_sessions_subject ON payments.stripe_checkout_sessions USING btree (environment, subject_type, subject_id) WHERE (subject_type IS NOT NULL);

-- index stripe_checkout_sessions_subscriptions
CREATE INDEX stripe_checkout_sessions_subscriptions ON payments.stripe_checkout_sessions USING btree (environment, created_at DESC, id DESC) WHERE (mode = 'subscription'::text);

-- index stripe_checkout_sessions_superseded
CREATE INDEX stripe_checkout_sessions_superseded ON payments.stripe_checkout_sessions USING btree (created_at) WHERE ((superseded_by IS NOT NULL) AND (status = 'open'::text));

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
CREATE INDEX stripe_subscription_items_price ON payments.stripe_subscription_items USING btree (environment, price_id, provider_created_at DESC, id DESC) WHERE (price_id IS NOT NULL);

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
CREATE INDEX stripe_subscriptions_subject ON payments.stripe_subscriptions USING btree (environment, subject_type, subject_id, started_at DESC, id DESC) WHERE (subject_type IS NOT NULL);

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
CREATE INDEX transactions_customer ON payments.transactions USING btree (provider, environment, provider_customer_id, provider_created_at DESC, id DESC) WHERE (provider_customer_id IS NOT NULL);

-- index transactions_email
CREATE INDEX transactions_email ON payments.transactions USING btree (environment, lower(customer_email_snapshot));

-- index transactions_object
CREATE UNIQUE INDEX transactions_object ON payments.transactions USING btree (provider, environment, provider_object_type, provider_object_id) WHERE ((provider_object_type IS NOT NULL) AND (provider_object_id IS NOT NULL));

-- index transactions_status
CREATE INDEX transactions_status ON payments.transactions USING btree (provider, environment, status, provider_created_at DESC, id DESC);

-- index transactions_subject
CREATE INDEX transactions_subject ON payments.transactions USING btree (provider, environment, subject_type, subject_id, provider_created_at DESC, id DESC) WHERE (subject_type IS NOT NULL);

-- index transactions_type
CREATE INDEX transactions_type ON payments.transactions USING btree (provider, environment, type, provider_created_at DESC, id DESC);

-- index webhook_events_key
CREATE UNIQUE INDEX webhook_events_key ON payments.webhook_events USING btree (provider, environment, provider_event_id);

-- index webhook_events_object
CREATE INDEX webhook_events_object ON payments.webhook_events USING btree (environment, object_type, object_id) WHERE (object_id IS NOT NULL);

-- index webhook_events_status
CREATE INDEX webhook_events_status ON payments.webhook_events USING btree (environment, processing_status);

-- index audit_log_at
CREATE INDEX audit_log_at ON system.audit_log USING btree (at DESC);

-- trigger users trg_auth_users_updated_at
CREATE TRIGGER trg_auth_users_updated_at BEFORE UPDATE ON auth.users FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger checkout_options trg_payments_checkout_options_updated_at
CREATE TRIGGER trg_payments_checkout_options_updated_at BEFORE UPDATE ON payments.checkout_options FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger customer_mappings trg_payments_customer_mappings_updated_at
CREATE TRIGGER trg_payments_customer_mappings_updated_at BEFORE UPDATE ON payments.customer_mappings FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

-- trigger customers trg_payments_customers_updated_at
CREATE TRIGGER trg_payments_customers_updated_at BEFORE UPDATE ON payments.customers FOR EACH ROW EXECUTE FUNCTION system.update_updated_at();

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

-- fk constraint sync_windows sync_windows_sync_id_fkey
ALTER TABLE ONLY payments.sync_windows
    ADD CONSTRAINT sync_windows_sync_id_fkey FOREIGN KEY (sync_id) REFERENCES payments.syncs(id) ON DELETE CASCADE;

-- policy stripe_checkout_sessions admins
CREATE POLICY admins ON payments.stripe_checkout_sessions TO project_admin USING (true) WITH CHECK (true);

-- policy stripe_customer_portal_sessions admins
CREATE POLICY admins ON payments.stripe_customer_portal_sessions TO project_admin USING (true) WITH CHECK (true);

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

-- acl FUNCTION has_access(subject_type text, subject_id text, lookup_key text, environment text)
GRANT ALL ON FUNCTION payments.has_access(subject_type text, subject_id text, lookup_key text, environment text) TO anon;
GRANT ALL ON FUNCTION payments.has_access(subject_type text, subject_id text, lookup_key text, environment text) TO authenticated;
GRANT ALL ON FUNCTION payments.has_access(subject_type text, subject_id text, lookup_key text, environment text) TO project_admin;
GRANT ALL ON FUNCTION payments.has_access(subject_type text, subject_id text, lookup_key text, environment text) TO paygres_service;
GRANT ALL ON FUNCTION payments.has_access(subject_type text, subject_id text, lookup_key text, environment text) TO payments_trigger;

-- acl TABLE stripe_subscriptions
GRANT SELECT ON TABLE payments.stripe_subscriptions TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.stripe_subscriptions TO paygres_service;
GRANT SELECT ON TABLE payments.stripe_subscriptions TO payments_trigger;

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

-- acl TABLE checkout_options
GRANT SELECT ON TABLE payments.checkout_options TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.checkout_options TO paygres_service;

-- acl TABLE customer_mappings
GRANT SELECT ON TABLE payments.customer_mappings TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.customer_mappings TO paygres_service;
GRANT SELECT ON TABLE payments.customer_mappings TO payments_trigger;

-- acl TABLE event_attempts
GRANT SELECT,INSERT ON TABLE payments.event_attempts TO paygres_service;

-- acl TABLE event_queue
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.event_queue TO paygres_service;

-- acl TABLE guest_counts
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.guest_counts TO paygres_service;

-- acl TABLE operator_requests
GRANT SELECT ON TABLE payments.operator_requests TO project_admin;
GRANT SELECT,INSERT,UPDATE ON TABLE payments.operator_requests TO paygres_service;

-- acl TABLE payment_invoices
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.payment_invoices TO paygres_service;

-- acl TABLE provider_connections
GRANT SELECT ON TABLE payments.provider_connections TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.provider_connections TO paygres_service;
GRANT SELECT ON TABLE payments.provider_connections TO payments_trigger;

-- acl TABLE refetch_queue
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.refetch_queue TO paygres_service;

-- acl TABLE stripe_checkout_sessions
GRANT SELECT,INSERT,TRIGGER ON TABLE payments.stripe_checkout_sessions TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.stripe_checkout_sessions TO paygres_service;
GRANT SELECT,UPDATE ON TABLE payments.stripe_checkout_sessions TO payments_trigger;
GRANT SELECT,INSERT ON TABLE payments.stripe_checkout_sessions TO anon;
GRANT SELECT,INSERT ON TABLE payments.stripe_checkout_sessions TO authenticated;

-- acl TABLE stripe_customer_portal_sessions
GRANT SELECT,INSERT,TRIGGER ON TABLE payments.stripe_customer_portal_sessions TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.stripe_customer_portal_sessions TO paygres_service;
GRANT SELECT,UPDATE ON TABLE payments.stripe_customer_portal_sessions TO payments_trigger;
GRANT SELECT,INSERT ON TABLE payments.stripe_customer_portal_sessions TO anon;
GRANT SELECT,INSERT ON TABLE payments.stripe_customer_portal_sessions TO authenticated;

-- acl TABLE stripe_objects
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.stripe_objects TO paygres_service;

-- acl TABLE stripe_prices
GRANT SELECT ON TABLE payments.stripe_prices TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.stripe_prices TO paygres_service;
GRANT SELECT ON TABLE payments.stripe_prices TO payments_trigger;

-- acl TABLE stripe_products
GRANT SELECT ON TABLE payments.stripe_products TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.stripe_products TO paygres_service;
GRANT SELECT ON TABLE payments.stripe_products TO payments_trigger;

-- acl TABLE stripe_snapshots
GRANT SELECT,INSERT ON TABLE payments.stripe_snapshots TO paygres_service;

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

-- acl TABLE webhook_events
GRANT SELECT,TRIGGER ON TABLE payments.webhook_events TO project_admin;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE payments.webhook_events TO paygres_service;
GRANT SELECT,INSERT,UPDATE ON TABLE payments.webhook_events TO payments_trigger;

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

-- default acl DEFAULT PRIVILEGES FOR TABLES
ALTER DEFAULT PRIVILEGES FOR ROLE paygres_owner IN SCHEMA payments GRANT SELECT ON TABLES TO project_admin;
