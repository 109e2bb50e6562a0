"""Tokens, keys and the encryption of secrets at rest."""
