"""How many codes may be made on a door: Seam's rate limit, and the lock's limit of codes."""
