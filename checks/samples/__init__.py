"""Code that uses the SDK, for the type checkers only: nothing here runs."""
