"""Typed functions beside the SQL they run, a pair per table."""
