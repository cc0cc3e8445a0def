"""Who goes first when there are too many connections."""

from dataclasses import dataclass
from random import Random

import pytest

from receiver.crowd import Crowd


@dataclass(eq=False)
class Member:
    """A connection."""

    since: float
    may_go: bool = True


def test_nobody_may_go() -> None:
    """And nobody is looked for again for a moment: a crowd that is being served is refused cheaply."""
    crowd, member = Crowd[Member](), Member(1, may_go=False)
    assert crowd.longest_waiting([member], now=10) is None
    member.may_go = True
    assert crowd.longest_waiting([member], now=10.005) is None
    assert crowd.longest_waiting([member], now=10.02) is member


@pytest.mark.parametrize("seed", range(20))
def test_it_is_always_the_one_that_waited_longest(seed: int) -> None:
    """However the crowd changes between two looks: some ask and are answered, some leave, new ones come."""
    random = Random(seed)
    crowd = Crowd[Member]()
    now = 1_000.0
    members = {Member(random.uniform(0, now)) for _ in range(300)}
    for _ in range(400):
        now += 1
        for moved in random.sample(sorted(members, key=id), 3):
            # One that is being served may not go; when it is answered, it has become idle this very moment.
            moved.may_go = not moved.may_go
            if moved.may_go:
                moved.since = now + random.random()
        members.add(Member(now + random.random()))
        expected = min((each for each in members if each.may_go), key=lambda each: each.since)
        assert crowd.longest_waiting(members, now) is expected
        members.discard(expected)
