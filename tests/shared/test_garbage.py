"""Sparing what is loaded, and nothing else."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from shared.garbage_collection import freeze_loaded_objects


class Knot:
    """Can only be collected, never freed by counting."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    """Leave the collector of this process as it was."""
    yield
    gc.unfreeze()


def test_what_is_there_is_spared_and_what_comes_later_is_collected() -> None:
    """Else it would be no collector any more."""
    loaded = Knot()
    freeze_loaded_objects()
    assert not any(each is loaded for each in gc.get_objects())
    later = weakref.ref(Knot())
    gc.collect()
    assert later() is None
