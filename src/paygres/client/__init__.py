"""The Python SDK (requests in, typed responses out); built in a later step."""
