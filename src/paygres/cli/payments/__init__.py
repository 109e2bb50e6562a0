"""`paygres payments stripe …`: an operator's commands for the connected Stripe accounts, a file a noun."""
