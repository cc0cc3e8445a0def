"""Processes `worker` and `beat`, and the command line: bookings turned into codes, failures into alerts."""
