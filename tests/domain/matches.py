"""The result of a match in a word or two; and the policies that tables of matches name."""

from shared.domain.door.door import Door
from shared.domain.matching.match import MatchPolicy, SlotPreference, match
from shared.domain.stay.stay import Stay
from tests.domain.building import stay

ANY = MatchPolicy()
COVER = MatchPolicy(preference=SlotPreference.COVER)
BIWEEKLY = MatchPolicy(allow_biweekly=True)
ORDINARY = stay("2026-12-01T16:00", "2026-12-05T10:00")


def outcome_of(asked: Stay, at: Door) -> str:
    """Return the outcome of the match."""
    return match(asked, at, ANY).outcome.value


def verdict_of(asked: Stay, at: Door, policy: MatchPolicy = ANY) -> str:
    """Return the verdict on the only slot."""
    (only,) = match(asked, at, policy).considered
    return only.verdict.value


def window_of(asked: Stay, at: Door) -> tuple[str, str]:
    """Return when the code starts and ends."""
    found = match(asked, at, ANY)
    assert found.starts_at is not None, found.considered
    assert found.ends_at is not None
    return found.starts_at.isoformat(), found.ends_at.isoformat()
