-- Every event is written as pending and then marked, which is when developers' triggers run. With a B-tree on the
-- status the second write entered all the indexes of the table anew: a tenth of what an event costs PostgreSQL. A
-- summary of the pages still finds the few that failed, and from PostgreSQL 16 on it leaves the other indexes alone.
drop index payments.webhook_events_status;
create index webhook_events_status on payments.webhook_events using brin (environment, processing_status)
    with (autosummarize);
