"""Delivers alerts to people: one module for each kind of channel, and the task that sends what a channel lacks."""
