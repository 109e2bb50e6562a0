"""Connections to PostgreSQL: pools, the two doors (caller, service), migrations, embedded server."""
