"""The objects we answer with, as the OpenAPI document shows them: a file a noun."""
