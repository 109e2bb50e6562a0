-- An event that is left out (another installation's, another account's, the other mode's) is kept and decides nothing: of an
-- object that others tell of too, its state is no rival of theirs, whichever is heard first.
alter table payments.stripe_snapshots add column left_out boolean not null default false;
update payments.stripe_snapshots s
set left_out = true
from payments.webhook_events e
where e.provider = 'stripe' and e.environment = s.environment and e.provider_event_id = s.event_id
  and e.processing_status = 'ignored' and e.last_error ~ '^(foreign: |livemode does not fit|belongs to another account)';
drop function if exists payments.open_event(
    text, text, text, text, text, text, bigint, text, bigint, text[], text[]);
drop function if exists payments.keep_event(text, text, text, text, text, text, bigint, text, text, interval);
