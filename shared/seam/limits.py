"""Seam's rate limits."""

from typing import Final

CREATES_A_MINUTE: Final = 10
"""The most creates of access codes for one device within 60 seconds (Seam docs, "Rate limits")."""
