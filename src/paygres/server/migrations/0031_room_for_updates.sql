-- Events about one payment write these rows again and again, and a row holds a whole object of Stripe's. A page that is
-- not filled keeps the next version beside the last one: no index is written then, where the keys have not changed.
-- (Of the updates of the benchmark's mix three in four stay in their page; without room, one in two.)
alter table payments.stripe_objects set (fillfactor = 70);
alter table payments.transactions set (fillfactor = 70);
