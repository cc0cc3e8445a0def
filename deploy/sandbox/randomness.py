"""Random numbers: PINs, and the probabilities of faults."""

import random


def random_source(seed: int | None = None) -> random.Random:
    """Return a random source; with a seed, a repeatable one."""
    return random.Random(seed)  # noqa: S311 -- PINs of doors that don't exist, and probabilities of faults
