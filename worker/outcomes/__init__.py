"""Outcomes to booking systems by signed webhooks."""
