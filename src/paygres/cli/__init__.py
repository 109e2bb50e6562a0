"""The `paygres` command: one file per command group, lazy imports."""
