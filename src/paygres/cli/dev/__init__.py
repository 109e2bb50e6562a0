"""`paygres dev`: PostgreSQL, sandbox, API and a sample purchase, all on this machine."""
