"""The shop: orders that are paid through Paygres."""
