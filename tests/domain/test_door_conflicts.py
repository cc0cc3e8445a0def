"""Two guests and one door: who is told of, once a pair, with what, and for how long."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.alerting.door_conflicts import MOST_PAIRS, Conflict, conflicts_of, next_check_out, still_in_conflict
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, State, Window
from shared.domain.stay.stay import Instant, Stay, StayTime, WallTime

ROOM, ENTRANCE, SUITE = (f"d0000000-0000-0000-0000-00000000000{number}" for number in (1, 0, 2))
DAY_ONE = datetime(2026, 12, 1, 15, tzinfo=UTC)
NOW = datetime(2026, 11, 20, tzinfo=UTC)
ZONE = "America/Los_Angeles"


def day(number: int, hour: int = 15) -> datetime:
    """Return this hour of a day, counted from the first of December."""
    return datetime(2026, 12, number, hour, tzinfo=UTC)


def guest(name: str, since: int, until: int, *doors: str, state: State = State.READY, **fields: object) -> Booking:
    """Return a booking from 15:00 to 11:00 on these doors (the room unless told)."""
    stay = Stay(check_in=Instant(day(since)), check_out=Instant(day(until, 11)))
    booked = tuple(
        BookedDoor(device_id=each, name="Room 101", time_zone=ZONE, state=state) for each in doors or (ROOM,)
    )
    it = Booking(booking_id=name, revision=0, stay=stay, doors=booked)
    return replace(it, **fields)  # type: ignore[arg-type]


def leaving_behind(it: Booking, until: datetime, device_id: str = ROOM, **of_door: object) -> Booking:
    """Return the booking with a code of an earlier revision, from its check-in until then."""
    code = AccessCode(access_code_id="c-1", window=Window(DAY_ONE, until), known_since=NOW)
    changed = {"residual": (code,), **of_door}
    doors = (replace(door, **changed) if door.device_id == device_id else door for door in it.doors)  # type: ignore[arg-type]
    return replace(it, doors=tuple(doors))


def told(*bookings: Booking, device_id: str = ROOM, now: datetime = NOW) -> list[Conflict]:
    """Return what is told of the door."""
    return conflicts_of(bookings, device_id, now)


def problems(*bookings: Booking, device_id: str = ROOM, now: datetime = NOW) -> list[str]:
    """Return the problems that are told of the door."""
    return [conflict.cause.notice.problem for conflict in told(*bookings, device_id=device_id, now=now)]


def test_a_door_that_is_booked_twice() -> None:
    """The alert names both bookings, the door, from when to when on the lock's clock, and what to do."""
    (one,) = told(guest("B/2", 3, 6), guest("A", 1, 5))
    notice = one.cause.notice
    assert notice.problem == "double_booked"
    assert notice.subject == "Bookings A and B/2 on Room 101"
    assert "from Thu 2026-12-03 07:00 to Sat 2026-12-05 03:00" in notice.happened
    assert "cancel" in notice.next_step
    assert (notice.check_in, notice.check_out, one.over_at) == (day(3), day(5, 11), day(5, 11))
    assert one.cause.hit == 2
    assert [subject.partition(",")[0] for subject in one.cause.subjects] == ["Booking A", "Booking B/2"]


def test_a_pair_is_one_alert_in_either_order() -> None:
    """The key is that of the pair, and no other pair has it."""
    ones, others = guest("A", 1, 5), guest("B", 3, 6)
    assert told(ones, others) == told(others, ones)
    keys = {one.key for one in told(ones, others, guest("C", 1, 3), guest("A/B", 1, 2))}
    assert len(keys) == 4


def test_who_is_not_double_booked() -> None:
    """One after the other, cancelled, over, moved away, or the same booking."""
    one = guest("A", 1, 5)
    next_guest = guest("B", 5, 8)
    assert problems(one, next_guest) == []
    other = guest("B", 3, 6)
    assert problems(one, replace(other, cancelled=True)) == []
    assert problems(one, guest("B", 3, 6, state=State.ENDED)) == []
    moved = replace(other, doors=(replace(other.doors[0], wanted=False), replace(other.doors[0], device_id=SUITE)))
    assert problems(one, moved) == []
    assert problems(one, other) == ["double_booked"]
    assert problems(one, other, now=day(5, 12)) == []


def test_a_code_of_a_test_is_no_guest() -> None:
    """A person who makes one is told which stay it overlaps, and asked."""
    assert problems(guest("A", 1, 5), guest("TEST-Room-101-2026-12-03-0a1b2c3d", 3, 4)) == []
    assert problems(guest("A", 1, 5), guest("TEST-1", 3, 4)) == ["double_booked"]


def test_buffers_are_no_overlap() -> None:
    """Cleaning time moves the codes, not the guests."""
    booked = guest("A", 1, 5)
    assert booked.stay is not None
    longer = replace(booked.stay, check_out=Instant(day(5, 11) + timedelta(hours=6)), buffer_after=timedelta(hours=6))
    assert problems(replace(booked, stay=longer), guest("B", 5, 8)) == []


def test_a_common_door_is_meant_to_be_shared() -> None:
    """Everybody has the entrance; two with the same room are told once, at one of their doors."""
    ones, others = guest("A", 1, 5, ENTRANCE, ROOM), guest("B", 3, 6, ENTRANCE, SUITE)
    assert problems(ones, others, device_id=ENTRANCE) == []
    same = guest("B", 3, 6, ENTRANCE, ROOM)
    at_each = [problems(ones, same, device_id=each) for each in (ENTRANCE, ROOM)]
    assert sorted(map(len, at_each)) == [0, 1]
    assert problems(guest("A", 1, 5, ENTRANCE, ROOM), guest("B", 3, 6)) == ["double_booked"]


def test_while_nobody_knows_the_zone() -> None:
    """Times of the lock's clock can't be compared yet; those with an offset can."""

    def unread(name: str, check_in: StayTime, check_out: StayTime) -> Booking:
        stay = Stay(check_in=check_in, check_out=check_out)
        return Booking(booking_id=name, revision=0, stay=stay, doors=(BookedDoor(device_id=ROOM),))

    def wall(number: int, hour: int) -> WallTime:
        return WallTime(day(number, hour).replace(tzinfo=None))

    one = unread("A", Instant(day(1)), Instant(day(5)))
    assert problems(one, unread("B", Instant(day(3)), Instant(day(6)))) == ["double_booked"]
    other = unread("B", wall(3, 15), wall(6, 11))
    assert problems(one, other) == []
    assert problems(one, other, guest("C", 20, 21)) == ["double_booked"]


def test_residual_access_meets_the_next_guest() -> None:
    """With both bookings, the code, until when it opens, and why nobody needs it."""
    cancelled = leaving_behind(guest("A", 1, 5, state=State.CANCELLED, cancelled=True), day(5, 10))
    (one,) = told(cancelled, guest("B", 3, 8))
    notice = one.cause.notice
    assert notice.problem == "residual_overlap"
    assert notice.subject == "Bookings A and B on Room 101"
    assert "Code c-1 of booking A, which is cancelled, opens the door until Sat 2026-12-05 02:00." in notice.happened
    assert "can't be taken back" in notice.next_step
    assert (notice.check_in, one.over_at) == (day(3), day(5, 10))
    assert problems(cancelled, guest("B", 3, 8), now=day(5, 10)) == []
    assert problems(cancelled, guest("B", 5, 8)) == []


def test_of_a_booking_that_was_shortened_or_moved() -> None:
    """Also once it is over: the code isn't. A booking's own code is no business of others."""
    shortened = leaving_behind(guest("A", 1, 2, state=State.ENDED), day(5, 10))
    assert problems(shortened, guest("B", 3, 8)) == ["residual_overlap"]
    assert problems(shortened) == []
    both = guest("A", 1, 5, ROOM, SUITE)
    moved = leaving_behind(both, day(5, 10), wanted=False)
    (one,) = told(moved, guest("B", 3, 8))
    assert "moved to another door" in one.cause.notice.happened


def test_residual_access_at_a_common_door_is_not_told() -> None:
    """But at a room that was left it is, where the one who left has another room, and both have the entrance."""
    gone = leaving_behind(guest("A", 1, 5, ENTRANCE, ROOM, cancelled=True), day(5, 10), ENTRANCE)
    assert problems(gone, guest("B", 3, 8, ENTRANCE, SUITE), device_id=ENTRANCE) == []
    moved = leaving_behind(guest("A", 1, 5, ENTRANCE, ROOM, SUITE), day(5, 10), wanted=False)
    assert problems(moved, guest("B", 3, 8, ENTRANCE, ROOM)) == ["residual_overlap"]


def test_when_it_is_looked_at_again() -> None:
    """When the next stay on the door is over; never where none is to come."""
    assert next_check_out([guest("A", 1, 5), guest("B", 5, 8)], ROOM, NOW) == day(5, 11)
    assert next_check_out([guest("A", 1, 5)], ROOM, day(5, 12)) is None


def test_of_many_pairs_the_nearest_are_told() -> None:
    """By when both have the door. A guest who stays long, with many others much later, hides no nearer pair."""
    stays_long = guest("LONG", 1, 31)
    others = [guest(f"L{number:02}", 15, 16) for number in range(12)]
    near = [guest("N1", 3, 5), guest("N2", 4, 6)]
    found = told(stays_long, *others, *near)
    assert len(found) == MOST_PAIRS
    assert {frozenset(one.key.split("/")[-2:]) for one in found[:3]} == {
        frozenset(("LONG", "N1")),
        frozenset(("LONG", "N2")),
        frozenset(("N1", "N2")),
    }


def test_a_pair_beyond_the_nearest_is_still_in_conflict() -> None:
    """And one that is over isn't, nor where nobody is told of double bookings."""
    bookings = [guest(f"B{number:02}", 15, 16) for number in range(12)]
    every = {one.key for one in told(*bookings[:8])} | {one.key for one in told(*bookings[4:])}
    assert still_in_conflict(every, bookings, ROOM, NOW) == every
    fewer = still_in_conflict(every, bookings[1:], ROOM, NOW)
    assert fewer == {key for key in every if "/B00/" not in key}
    assert still_in_conflict(every, bookings, ROOM, NOW, with_double_bookings=False) == set()
    left = leaving_behind(guest("A", 1, 2), day(9))
    (residual,) = told(left, guest("B", 5, 8))
    assert still_in_conflict([residual.key], [left, guest("B", 5, 8)], ROOM, NOW) == {residual.key}
    assert still_in_conflict([residual.key], [left], ROOM, NOW) == set()


stays = st.tuples(st.integers(1, 28), st.integers(1, 12)).map(lambda each: (each[0], min(each[0] + each[1], 31)))


@given(st.lists(stays.filter(lambda each: each[0] < each[1]), max_size=9))
def test_exactly_the_pairs_that_overlap(spans: list[tuple[int, int]]) -> None:
    """Whatever the order in which they are kept, and each once."""
    bookings = [guest(str(number), *span) for number, span in enumerate(spans)]
    found = {tuple(one.key.split("/")[-2:]) for one in told(*bookings)}
    expected = {
        (str(first), str(second))
        for second, ours in enumerate(spans)
        for first, theirs in enumerate(spans[:second])
        if ours[0] < theirs[1] and theirs[0] < ours[1]
    }
    assert found == expected
    order = [one.cause.notice.check_in for one in told(*reversed(bookings))]
    assert all(ones is not None and others is not None and ones <= others for ones, others in pairwise(order))
