"""How many connections one process may have, how long each may take for a request, and room for their files."""

from dataclasses import dataclass
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit, setrlimit
from typing import Final

TAKEN_WITHIN: Final = 2.0
"""Seconds for the last answer: a client that doesn't even take its refusal is cut off."""
# Logs, the data server, libraries.
_OTHER_FILES: Final = 40
# So many more than the limit are open at times: those that were just accepted, before others are closed for them.
_ONE_MORE_OF: Final = 8
_MOST_ACCEPTED_A_TURN: Final = 256
_MOST_NEW_A_SECOND: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Bounds of one process: seconds from first byte to answer, open connections, bytes of one request's headers."""

    request_within: float
    connections: int
    header_bytes: int

    @property
    def fresh_for(self) -> float:
        """Seconds in which a new connection may send its request without being closed for others that come.

        As long as there is room for as many newcomers as one process can take in.
        """
        return self.connections / _MOST_NEW_A_SECOND

    @property
    def accepted_a_turn(self) -> int:
        """How many new ones one turn of the event loop may take in."""
        return max(1, min(_MOST_ACCEPTED_A_TURN, self.connections // _ONE_MORE_OF))


def most_connections(wanted: int) -> int:
    """Let this process open files enough for `wanted` connections; return for how many there is room.

    Where files run out, accepting fails, for Seam as for everybody: closing the slowest needs one that is open.
    """
    soft, hard = getrlimit(RLIMIT_NOFILE)
    needed = wanted + wanted // _ONE_MORE_OF + _OTHER_FILES
    if soft != RLIM_INFINITY and soft < needed:
        soft = needed if hard == RLIM_INFINITY else min(needed, hard)
        setrlimit(RLIMIT_NOFILE, (soft, hard))
    if soft == RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, (soft - _OTHER_FILES) * _ONE_MORE_OF // (_ONE_MORE_OF + 1)))
