"""Talking to Seam: one HTTP client, errors cut by what the caller does next, answers turned into domain values."""
