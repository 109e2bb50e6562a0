"""Bursts of events as Stripe was recorded sending them: their order and seconds. Names and amounts are invented."""
