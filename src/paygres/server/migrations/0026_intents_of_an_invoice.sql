-- Which intents pay an invoice is asked with every grant for one.
create index payment_invoices_invoice on payments.payment_invoices (invoice_id, environment);

-- It tells of them now: functions/12_fulfillments.sql.
drop function if exists payments.bought(text, jsonb);
