"""Migrations of the app's one table."""
