"""Events: what happened, as Seam tells it."""
