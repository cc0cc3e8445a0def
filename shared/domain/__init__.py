"""The pure heart: values and decisions, the standard library alone."""
