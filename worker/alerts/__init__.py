"""Delivering alerts to people: one file a kind of channel, and the task that brings each channel up to date."""
