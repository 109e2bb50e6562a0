-- What the server says of one payment or refund (projections/transactions.py), its times in Unix seconds. A type of its
-- own is read from JSON by an assignment; a list of columns costs a query each time.
create type payments.told_transaction as (
    type text, status text, subject_type text, subject_id text, subject_by_customer boolean, customer_id text,
    email text, object_type text, object_id text, raw_type text, raw_id text, parent_type text, parent_id text,
    replaces jsonb, related jsonb, amount bigint, amount_refunded bigint, amount_disputed bigint, amount_lost bigint,
    currency text, description text, paid_at bigint, failed_at bigint, refunded_at bigint, created bigint,
    gone boolean);
