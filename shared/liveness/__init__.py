"""Whether a process still does its work: the watchdog that ends one that doesn't."""
