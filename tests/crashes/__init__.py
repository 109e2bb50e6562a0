"""The crash proof: everything is killed at every boundary of a statement, and nothing is lost or given twice."""
