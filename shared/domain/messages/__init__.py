"""Booking messages: untrusted JSON becomes a valid message, or a list of problems."""
