"""Flows: one verb per file, in the order things happen, every transaction boundary visible."""
