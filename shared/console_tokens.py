"""Who may use the console: CONSOLE_TOKENS, each `name:role:token`."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

SHORTEST_TOKEN: Final = 20
_LONGEST_NAME: Final = 40


class Role(StrEnum):
    """What somebody may do: a viewer reads, an operator also acts, a revealer also reads PINs."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    REVEALER = "revealer"

    def allows(self, needed: "Role") -> bool:
        """Say whether this role may do what `needed` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleToken:
    """One token of the console, with the name that stories and logs give its holder."""

    name: str
    role: Role
    token: str = field(repr=False)

    @property
    def digest(self) -> str:
        """What a session remembers of the token. A token is long and random, so its digest gives nothing away."""
        return hashlib.sha256(self.token.encode()).hexdigest()


def parse_console_token(text: str) -> ConsoleToken:
    """Read `name:role:token`. Raises ValueError, which says what is wrong and never quotes the token."""
    name, _, rest = text.partition(":")
    role, _, token = rest.partition(":")
    if not token or not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
        raise ValueError(f"is not `name:role:token`; the name has 1 to {_LONGEST_NAME} characters")
    if role not in set(Role):
        raise ValueError(f"has no role of {', '.join(Role)}")
    if len(token) < SHORTEST_TOKEN or not token.isascii():
        raise ValueError(f"is shorter than {SHORTEST_TOKEN} characters, or not ASCII")
    return ConsoleToken(name=name, role=Role(role), token=token)
