"""The settings that `match` reads.

The checks of all settings aren't loaded: `match` must start within milliseconds, and needs only files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.domain.matching.rules import SlotPreference
from shared.domain.quoting import quoted

_TRUE: Final = ("1", "true", "t", "yes", "y", "on")
_FALSE: Final = ("0", "false", "f", "no", "n", "off")
PREFERENCES: Final = tuple(one.value for one in SlotPreference)
LONG_STAYS: Final = ("refuse", "split")


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSettings:
    """The settings in the environment; None if missing. `problems` are lines that begin with a setting's name."""

    preference: str | None
    allow_biweekly: bool | None
    long_stays: str | None
    doors_file: str | None
    problems: tuple[str, ...]


def match_settings(environment: Mapping[str, str], *, but: frozenset[str] = frozenset()) -> MatchSettings:
    """Read the settings. Those in `but` were given as options and are ignored. An empty setting counts as missing."""
    problems: list[str] = []
    given = {name: value for name, value in environment.items() if value and name not in but}

    def one_of(name: str, allowed: tuple[str, ...]) -> str | None:
        value = given.get(name)
        if value is None or value in allowed:
            return value
        problems.append(f"{name} {quoted(value)} is not one of {', '.join(allowed)}")
        return None

    is_allowed = given.get("ALLOW_BIWEEKLY", "").lower()
    if is_allowed and is_allowed not in (*_TRUE, *_FALSE):
        problems.append(f"ALLOW_BIWEEKLY {quoted(given['ALLOW_BIWEEKLY'])} is neither true nor false")
    return MatchSettings(
        preference=one_of("SLOT_PREFERENCE", PREFERENCES),
        allow_biweekly=(is_allowed in _TRUE) if is_allowed else None,
        long_stays=one_of("LONG_STAYS", LONG_STAYS),
        doors_file=given.get("DOORS_FILE"),
        problems=tuple(problems),
    )
