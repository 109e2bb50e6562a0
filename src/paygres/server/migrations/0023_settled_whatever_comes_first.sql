-- Which session supersedes another one no longer depends on what was told first: payments.settle_siblings.

drop function if exists payments.supersede_siblings(uuid);

-- A row that gave nothing gives way when its payment turns out to be another one's: payments.rename_payment.
grant delete on payments.fulfillments to paygres_service;
