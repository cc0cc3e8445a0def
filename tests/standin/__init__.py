"""A stand-in for Seam, written from its schema. A package, so that what its tests share ends with the last of them."""
