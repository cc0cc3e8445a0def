"""Access codes: their objects, their life, and the slot that a requested window takes."""
