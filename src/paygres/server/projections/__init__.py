"""Pure translation of Stripe objects into rows: no I/O, no clock, no settings."""
