"""The bodies callers may send, as strict pydantic models: a file a noun."""
