"""What Seam allows of us."""

from typing import Final

CREATES_A_MINUTE: Final = 10
"""Creates of access codes for one device within 60 seconds (Seam docs, "Rate limits")."""
