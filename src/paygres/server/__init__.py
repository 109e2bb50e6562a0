"""The API server and its worker."""
