-- How the managed webhook endpoint is, as it was last seen at Stripe.

alter table payments.provider_connections
    add column webhook_status text check (webhook_status in ('ok', 'problem', 'unknown')),
    add column webhook_problems jsonb not null default '[]',  -- sentences a person can act on
    add column webhook_checked_at timestamptz,  -- when the look began, or the endpoint was set up
    add column webhook_check_due timestamptz,   -- when to look again
    add column webhook_checked_for text;        -- a hash of what the server wanted of the endpoint at the last look
