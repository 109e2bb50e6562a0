"""Real processes: what starts, what survives, what is refused."""
