"""`paygres chaos`: a developer's triggers and listeners against disturbed histories of Stripe's events."""
