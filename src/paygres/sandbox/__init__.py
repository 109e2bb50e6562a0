"""A local Stripe for development and tests; a separate process that nobody imports."""
