"""The Seam client: one HTTP client, errors grouped by what the caller does next, answers as domain values."""
