"""The use cases: each takes a value, decides with the pure domain, and acts through the ports it was given."""
