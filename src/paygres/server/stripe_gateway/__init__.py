"""The only room that imports `stripe`; plain dicts leave it, Stripe's errors do not."""
