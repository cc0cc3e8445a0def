"""Values and decisions. It imports the standard library alone, reads no clock, and does no I/O."""
