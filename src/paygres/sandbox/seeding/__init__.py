"""Filling an account with thousands of objects at once."""
